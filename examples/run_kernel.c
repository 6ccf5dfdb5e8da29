/*
 * Boot a Linux kernel of your own, with its console on standard output.
 *
 *   cc run_kernel.c $(pkg-config --cflags --libs libvirtualization)
 *   ./a.out vmlinux initramfs "console=hvc0"
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <avf/avf.h>

static void check(int rc, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "%s: %s: %s\n", what, avf_error_name(rc),
		avf_last_error()->text);
	exit(EXIT_FAILURE);
}

/* Setters check their own value; what does not fit together is found here,
 * every problem at once. */
static void check_config(const avf_config *config)
{
	avf_problems *problems;
	size_t n;

	check(avf_config_validate(config, &problems), "validate");
	n = avf_problems_count(problems);
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, "%s: %s\n", avf_problems_field(problems, i),
			avf_problems_text(problems, i));
	avf_problems_free(problems);
	if (n > 0)
		exit(EXIT_FAILURE);
}

static avf_config *make_config(int argc, char **argv)
{
	avf_config *config;

	check(avf_config_new(AVF_CONFIG_RAW, &config), "config");
	check(avf_config_set_kernel(config, argv[1]), argv[1]);
	if (argc > 2)
		check(avf_config_set_initrd(config, argv[2]), argv[2]);
	if (argc > 3)
		check(avf_config_set_cmdline(config, argv[3]), argv[3]);
	check(avf_config_set_memory_mib(config, 512), "memory");
	check(avf_config_set_console_output(config, STDOUT_FILENO), "console");
	/* The default is KVM or nothing; emulation is for those who ask. */
	check(avf_config_set_acceleration(config,
					  AVF_ACCELERATION_KVM_OR_EMULATION),
	      "acceleration");
	check_config(config);
	return config;
}

int main(int argc, char **argv)
{
	struct avf_event event = AVF_EVENT_INIT;
	avf_config *config;
	avf_vm *vm;

	if (argc < 2) {
		fprintf(stderr, "usage: %s KERNEL [INITRAMFS [PARAMETERS]]\n",
			argv[0]);
		return EXIT_FAILURE;
	}
	config = make_config(argc, argv);
	check(avf_vm_new(config, &vm), "vm");
	avf_config_free(config); /* the VM has its own copy */
	check(avf_vm_run(vm), "run");

	do {
		check(avf_vm_wait_event(vm, -1, &event), "wait");
		fprintf(stderr, "[%s] %s\n", avf_event_type_name(event.type),
			event.text);
	} while (event.type != AVF_EVENT_STOPPED);
	fprintf(stderr, "stopped: %s\n", avf_stop_reason_name(event.code));
	avf_vm_free(vm);
	return event.code == AVF_STOP_REASON_SHUTDOWN ? EXIT_SUCCESS
						      : EXIT_FAILURE;
}
