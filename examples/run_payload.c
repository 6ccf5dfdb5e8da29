/*
 * Run a payload in the microguest, talk to it over vsock, stop it.
 *
 *   cc run_payload.c $(pkg-config --cflags --libs libvirtualization)
 *   avf image build
 *   ./a.out [--console] echo.avfpkg libecho.so
 *
 * The payload is expected to send back what it gets on port 5678.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <avf/avf.h>

#define ECHO_PORT       5678U
#define CONNECT_TIMEOUT 10000 /* milliseconds */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void check(int rc, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "%s: %s: %s\n", what, avf_error_name(rc),
		avf_last_error()->text);
	exit(EXIT_FAILURE);
}

/* One line when the VM will not run on KVM: why, and what that means. */
static void explain_acceleration(void)
{
	avf_probe *probe;
	int row;

	check(avf_probe_new(&probe), "probe");
	row = avf_probe_find(probe, "kvm.vcpu");
	if (!(avf_probe_capabilities(probe) & AVF_CAPABILITY_NON_PROTECTED_VM))
		printf("KVM cannot run a Linux guest here (%s); using "
		       "emulation, which is slow and no security boundary\n",
		       row < 0 ? "no reason known"
			       : avf_probe_reason(probe, (size_t)row));
	avf_probe_free(probe);
}

static avf_vm *make_vm(const char *package, const char *payload, int console)
{
	avf_config *config;
	avf_vm *vm;

	check(avf_config_new(AVF_CONFIG_PAYLOAD, &config), "config");
	check(avf_config_set_package(config, package), package);
	check(avf_config_set_payload_name(config, payload), payload);
	check(avf_config_set_acceleration(config,
					  AVF_ACCELERATION_KVM_OR_EMULATION),
	      "acceleration");
	/* What a payload prints is its own; the console needs debugging. */
	check(avf_config_set_log_output(config, STDOUT_FILENO), "log");
	if (console) {
		check(avf_config_set_debug_level(config, AVF_DEBUG_LEVEL_FULL),
		      "debug level");
		check(avf_config_set_console_output(config, STDOUT_FILENO),
		      "console");
	}
	check(avf_vm_new(config, &vm), "vm");
	avf_config_free(config);
	return vm;
}

static void talk(avf_vm *vm)
{
	static const char question[] = "hello from the host";
	char reply[sizeof(question)];
	uint64_t start;
	ssize_t got;
	int fd;

	check(avf_vm_connect(vm, ECHO_PORT, CONNECT_TIMEOUT, &fd), "connect");
	start = now_ns();
	if (send(fd, question, sizeof(question), MSG_NOSIGNAL) < 0)
		perror("send");
	got = recv(fd, reply, sizeof(reply), MSG_WAITALL);
	if (got == (ssize_t)sizeof(reply) &&
	    memcmp(reply, question, sizeof(reply)) == 0)
		printf("    port %u replied \"%s\", round trip %.3f ms\n",
		       ECHO_PORT, reply, (double)(now_ns() - start) / 1e6);
	else
		printf("    port %u replied %zd bytes, not what was sent\n",
		       ECHO_PORT, got);
	close(fd);
}

static void print_event(const struct avf_event *event, uint64_t start)
{
	/* what the VMM tells about itself: 0 error, 1 warning, 2 info */
	if (event->type == AVF_EVENT_LOG && event->code > 1)
		return;
	printf("%8.3f s  %-16s %d %s\n", (double)(event->time_ns - start) / 1e9,
	       avf_event_type_name(event->type), event->code, event->text);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct avf_event event = AVF_EVENT_INIT;
	int console = argc > 1 && strcmp(argv[1], "--console") == 0;
	int talked = 0;
	uint64_t start;
	avf_vm *vm;

	if (argc != 3 + console) {
		fprintf(stderr, "usage: %s [--console] PACKAGE LIBRARY\n",
			argv[0]);
		return EXIT_FAILURE;
	}
	explain_acceleration();
	vm = make_vm(argv[1 + console], argv[2 + console], console);
	start = now_ns();
	check(avf_vm_run(vm), "run");
	do {
		check(avf_vm_wait_event(vm, -1, &event), "wait");
		print_event(&event, start);
		if (event.type == AVF_EVENT_PAYLOAD_READY) {
			talk(vm);
			talked = 1;
			check(avf_vm_stop(vm), "stop");
		}
	} while (event.type != AVF_EVENT_STOPPED);
	printf("stop reason: %s\n", avf_stop_reason_name(event.code));
	avf_vm_free(vm);
	return talked ? EXIT_SUCCESS : EXIT_FAILURE;
}
