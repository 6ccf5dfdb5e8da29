/*
 * vsock and the control socket while memory runs out: the connection or the
 * request fails, its peer is told, the device and the VMM live and serve the
 * next one.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "devices/virtio_vsock.h"
#include "support/oom.h"
#include "support/vsock_guest.h"
#include "vmm/vmm_internal.h"

#define PORT       7U
#define GUEST_PORT 1000U

static struct vsock_guest guest;
static int accepted_fd = -1;

static int accept_one(void *userdata, uint32_t guest_port, int fd)
{
	(void)userdata;
	(void)guest_port;
	fd_close(accepted_fd);
	accepted_fd = fd;
	return fd_set_nonblock(fd, true);
}

static void begin(void)
{
	oom_pause();
	vsock_guest_init(&guest, VSOCK_GUEST_BUFFERS);
	OOM_MUST(virtio_vsock_listen(guest.dev, PORT, accept_one, NULL) == 0);
	oom_resume();
}

static void end(void)
{
	oom_pause();
	vsock_guest_fini(&guest);
	close_p(&accepted_fd);
	oom_resume();
}

static void send_op(uint16_t op, uint32_t guest_port)
{
	struct vsock_packet p = vsock_guest_packet(op, guest_port, PORT);

	vsock_guest_send(&guest, &p, NULL, 0);
}

/* The operation that the guest is told next, 0 for none. */
static uint16_t next_op(void)
{
	struct vsock_packet p = {0};

	vsock_guest_settle(&guest);
	return vsock_guest_receive(&guest, &p, NULL) ? p.op : 0;
}

/* --- the device ------------------------------------------------------- */

static int device(void)
{
	const struct virtio_vsock_config config = {
		.gm = &guest.gm, .loop = &guest.loop, .guest_cid = 3};
	struct virtio_dev *dev;
	int rc;

	begin();
	rc = virtio_vsock_new(&config, &dev);
	if (rc == 0)
		virtio_dev_free(dev);
	end();
	return rc;
}

/* Refused, and then another one is not. */
static int guest_connects(void)
{
	uint16_t op;

	begin();
	send_op(VSOCK_OP_REQUEST, GUEST_PORT);
	op = next_op();
	OOM_EXPECT(op == VSOCK_OP_RESPONSE || op == VSOCK_OP_RST);
	OOM_EXPECT(!guest.broken);
	oom_pause();
	send_op(VSOCK_OP_REQUEST, GUEST_PORT + 1);
	OOM_EXPECT(next_op() == VSOCK_OP_RESPONSE);
	oom_resume();
	end();
	return op == VSOCK_OP_RST ? AVF_ERR_NO_MEMORY : 0;
}

static void connected(void *userdata, int rc)
{
	*(int *)userdata = rc;
}

static int host_connects(void)
{
	int answer = 1;
	int pair[2];
	int rc;

	begin();
	OOM_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	rc = virtio_vsock_connect(guest.dev, 5000, pair[0], connected, &answer);
	OOM_EXPECT(next_op() == (rc < 0 ? 0 : VSOCK_OP_REQUEST));
	OOM_EXPECT(!guest.broken && answer == 1);
	end();
	(void)close(pair[1]);
	return rc;
}

/* More than the socket takes: the rest needs a buffer. Without one this
 * connection is over, with an RST; another one goes on. */
static int data_that_waits(void)
{
	static char block[VSOCK_GUEST_MAX];
	struct vsock_packet p =
		vsock_guest_packet(VSOCK_OP_RW, GUEST_PORT, PORT);
	bool reset = false;
	int other = -1;
	uint16_t op;

	begin();
	oom_pause();
	send_op(VSOCK_OP_REQUEST, GUEST_PORT + 1);
	OOM_MUST(next_op() == VSOCK_OP_RESPONSE);
	other = take_fd(&accepted_fd);
	send_op(VSOCK_OP_REQUEST, GUEST_PORT);
	OOM_MUST(next_op() == VSOCK_OP_RESPONSE);
	oom_resume();
	p.len = sizeof(block);
	for (unsigned int i = 0; i < VSOCK_BUF_ALLOC / sizeof(block); i++)
		vsock_guest_send(&guest, &p, block, p.len);
	while ((op = next_op()) != 0)
		reset |= op == VSOCK_OP_RST;
	OOM_EXPECT(!guest.broken);
	p = vsock_guest_packet(VSOCK_OP_RW, GUEST_PORT + 1, PORT);
	p.len = 1;
	vsock_guest_send(&guest, &p, "x", 1);
	OOM_EXPECT(read(other, block, 1) == 1 && block[0] == 'x');
	block[0] = 0;
	(void)close(other);
	end();
	return reset ? AVF_ERR_NO_MEMORY : 0;
}

/* --- the control socket ----------------------------------------------- */

static bool no_button(struct backend *backend)
{
	(void)backend;
	return false;
}

static const struct backend_ops backend_ops = {.ask_shutdown = no_button};

struct server {
	struct vmm *vmm;
	struct backend backend;
	int app; /* the application's end */
};

static void expired(void *userdata)
{
	(void)userdata;
}

/* The VMM's control server around the vsock device of @guest. */
static void serve(struct server *s)
{
	int pair[2];

	s->vmm = calloc(1, sizeof(*s->vmm));
	OOM_MUST(s->vmm && loop_init(&s->vmm->loop) == 0);
	OOM_MUST(wire_socketpair(pair) == 0);
	s->app = pair[0];
	s->vmm->control = pair[1];
	vm_config_init(&s->vmm->config);
	manager_init(&s->vmm->manager, s->vmm);
	event_queue_init(&s->vmm->events, pair[1], control_blocked, s->vmm);
	OOM_MUST(timer_init(&s->vmm->stop_timer, &s->vmm->loop, expired,
			    s->vmm) == 0);
	s->backend = (struct backend){&backend_ops, guest.dev};
	s->vmm->backend = &s->backend;
	OOM_MUST(control_init(s->vmm) == 0);
}

static void hang_up(struct server *s)
{
	listener_close_all(s->vmm);
	control_fini(s->vmm);
	timer_fini(&s->vmm->stop_timer);
	vm_config_fini(&s->vmm->config);
	loop_fini(&s->vmm->loop);
	(void)close(s->vmm->control);
	(void)close(s->app);
	free(s->vmm);
}

static void begin_server(struct server *s)
{
	begin();
	oom_pause();
	serve(s);
	oom_resume();
}

static void end_server(struct server *s)
{
	oom_pause();
	hang_up(s);
	oom_resume();
	end();
}

/* Listen on @port: what the application is told. */
static int ask_to_listen(struct server *s, uint32_t port)
{
	const struct wire_port body = {.port = le32_make(port)};
	int pair[2];
	int rc;

	OOM_MUST(wire_socketpair(pair) == 0);
	OOM_MUST(wire_send(s->app, WIRE_LISTEN, &body, sizeof(body), &pair[1],
			   1) == 0);
	(void)close(pair[1]);
	OOM_MUST(loop_run_once(&s->vmm->loop, 0) == 0);
	rc = wire_wait_reply(pair[0], 1000);
	(void)close(pair[0]);
	return rc;
}

static int listen_request(void)
{
	struct server s;
	int rc;

	begin_server(&s);
	rc = ask_to_listen(&s, 5000);
	OOM_EXPECT(!s.vmm->stopped);
	OOM_EXPECT(rc == 0 || ask_to_listen(&s, 5000) == 0);
	end_server(&s);
	return rc;
}

/* Connect to @port: whether the guest hears of it; else what the application
 * is told. */
static int ask_to_connect(struct server *s, uint32_t port)
{
	const struct wire_port body = {.port = le32_make(port)};
	int channel[2], answer[2], fds[2];
	int rc;

	OOM_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) ==
		 0);
	OOM_MUST(wire_socketpair(answer) == 0);
	fds[0] = channel[1];
	fds[1] = answer[1];
	OOM_MUST(wire_send(s->app, WIRE_CONNECT, &body, sizeof(body), fds, 2) ==
		 0);
	(void)close(channel[1]);
	(void)close(answer[1]);
	OOM_MUST(loop_run_once(&s->vmm->loop, 0) == 0);
	rc = next_op() == VSOCK_OP_REQUEST ? 0 : wire_wait_reply(answer[0], 0);
	(void)close(channel[0]);
	(void)close(answer[0]);
	return rc;
}

static int connect_request(void)
{
	struct server s;
	int rc;

	begin_server(&s);
	rc = ask_to_connect(&s, 5000);
	OOM_EXPECT(!s.vmm->stopped);
	OOM_EXPECT(rc == 0 || ask_to_connect(&s, 5000) == 0);
	end_server(&s);
	return rc;
}

static const struct oom_scenario scenarios[] = {
	{"device", device, false},
	{"guest_connects", guest_connects, false},
	{"host_connects", host_connects, false},
	{"data_that_waits", data_that_waits, false},
	{"listen_request", listen_request, false},
	{"connect_request", connect_request, false},
};

int main(int argc, char **argv)
{
	return oom_main(argc, argv, scenarios, ARRAY_SIZE(scenarios));
}
