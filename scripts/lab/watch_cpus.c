/*
 * End the lab's machine when one of its CPUs takes interrupts no more. QEMU's
 * TCG has been seen to leave a CPU like that which had run a guest: what is
 * woken there, and each timer that runs out there, waits for ever, and the
 * machine looks idle until somebody's time is up (docs/testing.md).
 *
 * A thread per CPU counts seconds. One that has counted so many while another
 * CPU's thread has counted none says so and resets the machine, which ends
 * QEMU without an exit code for the command: lab.sh takes that for a fault of
 * the lab.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_CPUS 64
/* On a busy computer all CPUs are slow, but not one alone for so long. */
#define PATIENCE 60

static atomic_uint seconds[MAX_CPUS];
static int n_cpus, log_fd, reset_fd;

static void end_machine(int cpu)
{
	char text[128];

	/* The kernel prints level 0 without the help of an interrupt. */
	(void)snprintf(text, sizeof(text),
		       "<0>lab: CPU %d has taken no interrupt for %d s", cpu,
		       PATIENCE);
	(void)!write(log_fd, text, strlen(text));
	(void)!write(reset_fd, "b", 1);
}

/* Counts for CPU @arg, and watches the next one. */
static void *watch(void *arg)
{
	int own = (int)(size_t)arg, other = (own + 1) % n_cpus;
	struct sched_param first = {.sched_priority = 1};
	unsigned int before = 0, still = 0;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(own, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0 ||
	    sched_setscheduler(0, SCHED_FIFO, &first) < 0)
		return NULL;
	for (;;) {
		unsigned int now = atomic_load(&seconds[other]);

		(void)sleep(1);
		atomic_fetch_add(&seconds[own], 1);
		still = now == before ? still + 1 : 0;
		before = now;
		if (still >= PATIENCE)
			end_machine(other);
	}
}

int main(void)
{
	pthread_t thread;

	/* open now: init moves these file systems away */
	log_fd = open("/dev/kmsg", O_WRONLY);
	reset_fd = open("/proc/sysrq-trigger", O_WRONLY);
	n_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	if (log_fd < 0 || reset_fd < 0 || n_cpus < 2 || n_cpus > MAX_CPUS)
		return 1;
	for (int cpu = 0; cpu < n_cpus; cpu++)
		if (pthread_create(&thread, NULL, watch, (void *)(size_t)cpu))
			return 1;
	for (;;)
		(void)pause();
}
