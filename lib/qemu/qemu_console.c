/*
 * The guest's ports under QEMU: four socket pairs, whose output is relayed to
 * the sinks that the application gave. Input goes to hvc0 as soon as the guest
 * has written there, and to the serial line before that, as an early console is
 * all there is then.
 */
#include "qemu/qemu_console.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"

/* Where input goes. */
static struct relay *listener(struct qemu_console *console)
{
	struct relay *hvc0 = &console->relays[QEMU_PORT_CONSOLE];

	return hvc0->spoke ? hvc0 : &console->relays[QEMU_PORT_SERIAL];
}

/* What QEMU does not take now is kept, and no more is read meanwhile. */
static void send_input(struct qemu_console *console)
{
	struct relay *relay = listener(console);
	size_t n;

	n = relay_send(relay, console->in + console->in_first,
		       console->in_used);
	console->in_first += n;
	console->in_used -= n;
	/* read on only when all is gone: input waits at its source */
	loop_modify(console->loop, &console->in_source,
		    console->in_used > 0 ? 0 : EPOLLIN);
}

static void end_input(struct qemu_console *console)
{
	loop_remove(console->loop, &console->in_source);
	console->in_fd = -1;
}

static void on_input(struct loop_source *source, uint32_t events)
{
	struct qemu_console *console =
		container_of(source, struct qemu_console, in_source);
	ssize_t n;

	if (!(events & EPOLLIN)) {
		end_input(console);
		return;
	}
	n = read(console->in_fd, console->in, sizeof(console->in));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_input(console);
		return;
	}
	console->in_first = 0;
	console->in_used = (size_t)n;
	send_input(console);
}

static void on_writable(void *userdata)
{
	struct qemu_console *console = userdata;

	if (console->in_used > 0)
		send_input(console);
}

/* Two relays share the console's sink: both may have waited. */
static void on_sink_ready(void *userdata)
{
	struct qemu_console *console = userdata;

	for (int i = 0; i < QEMU_N_PORTS; i++)
		relay_resume(&console->relays[i]);
}

static void on_relay_ended(void *userdata)
{
	struct qemu_console *console = userdata;

	if (console->ended && qemu_console_has_ended(console))
		console->ended(console->userdata);
}

static int start_input(struct qemu_console *console, int fd)
{
	int rc;

	console->in_fd = -1;
	if (fd < 0)
		return 0;
	rc = loop_add(console->loop, &console->in_source, fd, EPOLLIN,
		      on_input);
	/* what cannot be waited for (/dev/null, a file) is no console */
	if (rc == AVF_ERR_PERMISSION)
		return 0;
	if (rc < 0)
		return error_prefix("console input");
	console->in_fd = fd;
	return 0;
}

static int init_sink(struct qemu_console *console, struct sink *sink, int fd)
{
	int copy = -1;

	if (fd >= 0) {
		copy = fd_dup(fd);
		if (copy < 0)
			return copy;
	}
	sink_init(sink, copy, console->loop);
	sink_on_ready(sink, on_sink_ready, console);
	return 0;
}

static int init_sinks(struct qemu_console *console,
		      const struct qemu_console_files *files)
{
	int rc = init_sink(console, &console->console_sink, files->console_out);

	if (rc < 0)
		return rc;
	rc = init_sink(console, &console->log_sink, files->log);
	if (rc < 0)
		return rc;
	return init_sink(console, &console->failure_sink, files->failure);
}

static int init_relay(struct qemu_console *console, enum qemu_port port,
		      int *ret_peer)
{
	struct sink *const sinks[QEMU_N_PORTS] = {
		[QEMU_PORT_SERIAL] = &console->console_sink,
		[QEMU_PORT_CONSOLE] = &console->console_sink,
		[QEMU_PORT_LOG] = &console->log_sink,
		[QEMU_PORT_FAILURE] = &console->failure_sink,
	};
	struct relay *relay = &console->relays[port];
	int pair[2];
	int rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_errno("socketpair");
	rc = relay_init(relay, pair[0], console->loop, sinks[port]);
	if (rc < 0) {
		fd_close(pair[1]);
		return rc;
	}
	relay->ended = on_relay_ended;
	relay->writable = on_writable;
	relay->userdata = console;
	*ret_peer = pair[1];
	return 0;
}

int qemu_console_init(struct qemu_console *console,
		      const struct qemu_console_files *files, struct loop *loop,
		      int ret_peers[QEMU_N_PORTS])
{
	int peers[QEMU_N_PORTS];
	int rc;

	memset(console, 0, sizeof(*console));
	console->loop = loop;
	console->console_sink.fd = -1;
	console->log_sink.fd = -1;
	console->failure_sink.fd = -1;
	rc = init_sinks(console, files);
	if (rc < 0)
		return rc;
	rc = start_input(console, files->console_in);
	if (rc < 0)
		return rc;
	for (int i = 0; i < QEMU_N_PORTS; i++) {
		rc = init_relay(console, (enum qemu_port)i, &peers[i]);
		while (rc < 0 && i > 0)
			fd_close(peers[--i]);
		if (rc < 0)
			return rc;
	}
	memcpy(ret_peers, peers, sizeof(peers));
	return 0;
}

void qemu_console_fini(struct qemu_console *console)
{
	if (!console->loop)
		return;
	for (int i = 0; i < QEMU_N_PORTS; i++)
		relay_fini(&console->relays[i]);
	loop_remove(console->loop, &console->in_source);
	sink_fini(&console->console_sink);
	sink_fini(&console->log_sink);
	sink_fini(&console->failure_sink);
	console->loop = NULL;
}

bool qemu_console_has_ended(const struct qemu_console *console)
{
	for (int i = 0; i < QEMU_N_PORTS; i++) {
		if (!relay_has_ended(&console->relays[i]))
			return false;
	}
	return true;
}
