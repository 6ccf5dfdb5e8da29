/* Starts every CPU of the MADT and says how many answered. */
#include "runtime.h"

#define PATIENCE 3000000U /* rounds; some seconds where ring 0 is emulated */

static unsigned int n_running = 1;

void cpu_main(unsigned int cpu)
{
	(void)cpu;
	__atomic_add_fetch(&n_running, 1, __ATOMIC_SEQ_CST);
	halt_forever();
}

void guest_main(void)
{
	const unsigned int n = count_cpus();

	if (n > 1)
		start_cpus();
	for (unsigned int i = 0; i < PATIENCE; i++) {
		if (__atomic_load_n(&n_running, __ATOMIC_SEQ_CST) >= n)
			break;
		relax();
	}
	print_number(__atomic_load_n(&n_running, __ATOMIC_SEQ_CST));
	print(" CPUs\n");
	power_off();
}
