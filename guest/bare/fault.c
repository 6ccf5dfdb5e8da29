/*
 * Makes a mistake, of the kind that "fault=" says; the runtime's vectors say
 * which one it was and power off.
 *
 *	1	an instruction that is none
 *	2	a read of memory that no table maps
 *	3	the same, by the second CPU
 */
#include "runtime.h"

enum fault { INSTRUCTION = 1, READ, OTHER_CPU };

static void read_nowhere(void)
{
	(void)mmio_read8(BARE_NOWHERE);
	print("read\n");
}

void cpu_main(unsigned int cpu)
{
	if (cpu == 1)
		read_nowhere();
	halt_forever();
}

void guest_main(void)
{
	switch ((enum fault)cmdline_number("fault", INSTRUCTION)) {
	case INSTRUCTION:
		undefined_instruction();
		break;
	case READ:
		read_nowhere();
		break;
	case OTHER_CPU:
		start_cpus();
		halt_forever();
	}
	print("went on\n");
	power_off();
}
