/* Sleeps for ever, with interrupts off. */
#include "runtime.h"

void guest_main(void)
{
	print("halt\n");
	halt_forever();
}
