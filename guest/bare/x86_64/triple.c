/* A fault without a table to handle it: the CPU shuts down. */
#include "runtime.h"

void guest_main(void)
{
	static const struct {
		char bytes[10];
	} no_table;

	print("triple fault\n");
	__asm__ volatile("lidt %0; ud2" : : "m"(no_table));
	halt_forever();
}
