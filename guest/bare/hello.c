/* Prints the command line and powers off. */
#include "runtime.h"

void guest_main(void)
{
	print(cmdline());
	print("\n");
	power_off();
}
