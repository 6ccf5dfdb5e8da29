/*
 * bench_fleet GUEST COUNT ROUNDS: COUNT bare VMs started together, ROUNDS
 * times. Per VM the time from its avf_vm_run() to the first entry into the
 * guest (the STARTED event) and to the guest's first output; per round the
 * time for all of them, and the memory of their VMMs.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

#define MEMORY_MIB 8
#define MAX_VMS    100
#define LIMIT_MS   60000

struct one {
	avf_vm *vm;
	int console;
	uint64_t start_ns;
};

static void open_one(struct one *one, const char *guest)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		die("pipe");
	one->console = fds[0];
	one->vm = make_vm(raw_config(guest, MEMORY_MIB, fds[1]));
	(void)close(fds[1]);
}

static void named(const char *format, int count, const char *unit, double value)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "fleet%d.%s", count, format);
	sample(name, unit, value);
}

/* The time of an event is the VMM's own, so one VM after the other will do */
static void take_started(const struct one *one, int count)
{
	struct avf_event event = AVF_EVENT_INIT;
	char prefix[32];

	(void)snprintf(prefix, sizeof(prefix), "fleet%d", count);
	do {
		check(avf_vm_wait_event(one->vm, LIMIT_MS, &event), "wait");
		if (event.type == AVF_EVENT_STOPPED) {
			(void)fprintf(stderr, "stopped: %s\n", event.text);
			exit(EXIT_FAILURE);
		}
		sample_event(prefix, &event, one->start_ns);
	} while (event.type != AVF_EVENT_STARTED);
	named("started", count, "ms",
	      ((double)event.time_ns - (double)one->start_ns) / NS_PER_MS);
}

static void wait_output(const struct one *one)
{
	struct pollfd p = {.fd = one->console, .events = POLLIN};

	if (poll(&p, 1, LIMIT_MS) <= 0)
		die("no output of the guest");
}

static void run_round(struct one *vms, int count)
{
	uint64_t start = now_ns();
	double pss = 0;

	for (int i = 0; i < count; i++) {
		vms[i].start_ns = now_ns();
		check(avf_vm_run(vms[i].vm), "run");
		named("spawned", count, "ms",
		      ((double)now_ns() - (double)vms[i].start_ns) / NS_PER_MS);
	}
	for (int i = 0; i < count; i++)
		wait_output(&vms[i]);
	named("all", count, "ms",
	      ((double)now_ns() - (double)start) / NS_PER_MS);
	for (int i = 0; i < count; i++)
		take_started(&vms[i], count);
	for (int i = 0; i < count; i++)
		pss += footprint_of(avf_vm_get_pid(vms[i].vm), MEMORY_MIB).pss;
	named("pss", count, "KiB", pss / 1024 / count);
}

int main(int argc, char **argv)
{
	static struct one vms[MAX_VMS];
	int count = argc == 4 ? atoi(argv[2]) : 0;

	if (count < 1 || count > MAX_VMS) {
		(void)fprintf(stderr, "usage: %s GUEST COUNT ROUNDS\n",
			      argv[0]);
		return EXIT_FAILURE;
	}
	for (int round = 0; round < atoi(argv[3]); round++) {
		for (int i = 0; i < count; i++)
			open_one(&vms[i], argv[1]);
		run_round(vms, count);
		for (int i = 0; i < count; i++) {
			avf_vm_free(vms[i].vm);
			(void)close(vms[i].console);
		}
	}
	return EXIT_SUCCESS;
}
