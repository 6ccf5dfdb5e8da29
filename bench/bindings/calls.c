/*
 * What Python and Java are compared with: the same calls, and the way of an
 * event, from C. Arguments: the bare guests' directory, repetitions; AVF_VMM
 * is tests/fake_vmm for the events.
 *
 *   bench_bindings calls|events DIRECTORY N
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define N_STATUS 200000

static avf_vm *vm_of(const char *dir, const char *guest, const char *name)
{
	char path[4096];
	avf_config *config;

	(void)snprintf(path, sizeof(path), "%s/%s.elf", dir, guest);
	config = raw_config(path, 16, -1);
	check(avf_config_set_name(config, name), "name");
	return make_vm(config);
}

static void calls(const char *dir, int n)
{
	avf_vm *vm = vm_of(dir, "vsock", "calls");
	avf_probe *probe;
	uint64_t start;
	int fd;

	for (int i = 0; i < n; i++) {
		start = now_ns();
		check(avf_probe_new(&probe), "probe");
		sample("probe", "us", (double)(now_ns() - start) / 1e3);
		avf_probe_free(probe);
	}
	check(avf_vm_run(vm), "run");
	(void)wait_for(vm, AVF_EVENT_STARTED);
	start = now_ns();
	for (int i = 0; i < N_STATUS; i++)
		(void)avf_vm_get_status(vm);
	sample("status", "us", (double)(now_ns() - start) / 1e3 / N_STATUS);
	for (int i = 0; i < n; i++) {
		start = now_ns();
		/* the guest refuses: its whole way, there and back */
		if (avf_vm_connect(vm, 4444, -1, &fd) != AVF_ERR_REFUSED)
			die("connect was not refused");
		sample("connect", "us", (double)(now_ns() - start) / 1e3);
	}
	avf_vm_free(vm);
}

static void events(const char *dir, int n)
{
	avf_vm *vm = vm_of(dir, "vsock", "payload");

	for (int i = 0; i < n; i++) {
		struct avf_event event = AVF_EVENT_INIT;

		check(avf_vm_run(vm), "run");
		do {
			check(avf_vm_wait_event(vm, -1, &event), "event");
			if (event.type == AVF_EVENT_PAYLOAD_READY)
				sample("event", "us",
				       (double)(now_ns() - event.time_ns) /
					       1e3);
		} while (event.type != AVF_EVENT_STOPPED);
	}
	avf_vm_free(vm);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		die("usage: bench_bindings calls|events DIRECTORY N");
	if (strcmp(argv[1], "calls") == 0)
		calls(argv[2], (int)strtol(argv[3], NULL, 10));
	else
		events(argv[2], (int)strtol(argv[3], NULL, 10));
	return 0;
}
