/* Asks for a reset. */
#include "runtime.h"

void guest_main(void)
{
	print("reset\n");
	reset();
}
