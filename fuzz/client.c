/*
 * What a VMM that was taken over may send to the application: events on the
 * control socket, answers, connections on a listener.
 *
 * After a minute: cov: 266.
 */
#include "fuzz.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "client/vm.h"
#include "wire/wire.h"
#include "wire_input.h"

static void send_all(int sock, struct fuzz_input *in)
{
	int kept;

	for (int i = 0; i < 8 && fuzz_more(in); i++) {
		wire_input_send(sock, in, &kept);
		fuzz_close(kept);
	}
}

static void read_events(struct fuzz_input *in)
{
	struct avf_event event = AVF_EVENT_INIT;
	avf_config *config;
	struct avf_vm *vm;
	int pair[2];
	int rc = 1;

	FUZZ_ASSERT(config_new(AVF_CONFIG_RAW, &config) == 0);
	FUZZ_ASSERT(vm_new(config, &vm) == 0);
	config_free(config);
	fuzz_socketpair(SOCK_SEQPACKET, pair);
	vm->process.control = pair[0];
	/* no process: whoever reaps it finds it gone */
	vm->process.pidfd = eventfd(0, EFD_CLOEXEC);
	vm->running = true;
	vm->control_open = true;
	send_all(pair[1], in);
	for (int i = 0; i < 16 && rc > 0; i++) {
		rc = vm_next_event(vm, &event);
		FUZZ_ASSERT(memchr(event.text, '\0', sizeof(event.text)));
	}
	FUZZ_ASSERT(rc == 0 && !vm->running);
	FUZZ_ASSERT(event.type == AVF_EVENT_STOPPED);
	vm_free(vm);
	fuzz_close(pair[1]);
}

static void accept_connections(struct fuzz_input *in)
{
	struct avf_listener *listener = calloc(1, sizeof(*listener));
	int pair[2];
	int fd;

	FUZZ_ASSERT(listener);
	fuzz_socketpair(SOCK_SEQPACKET, pair);
	listener->fd = pair[0];
	send_all(pair[1], in);
	(void)!wire_wait_reply(listener->fd, 0);
	for (int i = 0; i < 8; i++) {
		if (listener_accept(listener, 0, &fd) == 0) {
			FUZZ_ASSERT(fd >= 0);
			fuzz_close(fd);
		}
	}
	listener_free(listener);
	fuzz_close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int fds = fuzz_count_fds();
	struct fuzz_input in = {data, size};

	if (fuzz_u8(&in) & 1)
		accept_connections(&in);
	else
		read_events(&in);
	FUZZ_ASSERT(fuzz_count_fds() == fds);
	return 0;
}
