/*
 * Two VMs in one process and one poll loop: no threads, no callbacks. Each
 * VM has one descriptor, readable while it has an event.
 *
 *   cc two_vms.c $(pkg-config --cflags --libs libvirtualization)
 *   ./a.out vmlinux initramfs
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <avf/avf.h>

#define N_VMS 2

static void check(int rc, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "%s: %s: %s\n", what, avf_error_name(rc),
		avf_last_error()->text);
	exit(EXIT_FAILURE);
}

/* Take what there is; returns 1 when the VM has stopped. */
static int take_events(avf_vm *vm, int number)
{
	struct avf_event event = AVF_EVENT_INIT;
	int rc;

	while ((rc = avf_vm_next_event(vm, &event)) > 0) {
		printf("VM %d: %s %s\n", number,
		       avf_event_type_name(event.type), event.text);
		if (event.type == AVF_EVENT_STOPPED) {
			printf("VM %d: %s\n", number,
			       avf_stop_reason_name(event.code));
			return 1;
		}
	}
	check(rc, "event");
	return 0;
}

static void loop(avf_vm *const vms[N_VMS])
{
	struct pollfd fds[N_VMS];
	int running = N_VMS;

	for (int i = 0; i < N_VMS; i++) {
		fds[i].fd = avf_vm_get_fd(vms[i]);
		fds[i].events = POLLIN;
	}
	while (running > 0) {
		if (poll(fds, N_VMS, -1) < 0)
			continue; /* a signal */
		for (int i = 0; i < N_VMS; i++) {
			if (!fds[i].revents || !take_events(vms[i], i))
				continue;
			fds[i].fd = -1; /* poll() passes it over */
			running--;
		}
	}
}

int main(int argc, char **argv)
{
	avf_config *config;
	avf_vm *vms[N_VMS];

	if (argc != 3) {
		fprintf(stderr, "usage: %s KERNEL INITRAMFS\n", argv[0]);
		return EXIT_FAILURE;
	}
	check(avf_config_new(AVF_CONFIG_RAW, &config), "config");
	check(avf_config_set_kernel(config, argv[1]), argv[1]);
	check(avf_config_set_initrd(config, argv[2]), argv[2]);
	check(avf_config_set_acceleration(config,
					  AVF_ACCELERATION_KVM_OR_EMULATION),
	      "acceleration");
	/* One configuration makes as many VMs as you like. */
	for (int i = 0; i < N_VMS; i++) {
		check(avf_vm_new(config, &vms[i]), "vm");
		check(avf_vm_run(vms[i]), "run");
	}
	avf_config_free(config);
	loop(vms);
	for (int i = 0; i < N_VMS; i++)
		avf_vm_free(vms[i]);
	return EXIT_SUCCESS;
}
