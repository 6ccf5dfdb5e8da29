/*
 * The control server against an application that says anything and goes at
 * any moment: a message that is wrong ends nothing but itself, and leaves no
 * descriptor open; the application's end ends the VM.
 */
#include <criterion/criterion.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <avf/vm.h>

#include "base/checked.h"
#include "base/fd.h"
#include "devices/virtio_vsock.h"
#include "support/vsock_guest.h"
#include "vmm/vmm_internal.h"

#define MAGIC 0x31465641U

static struct vsock_guest guest;
static struct vmm *vmm;
static struct backend backend;
static int app = -1; /* the application's end */

static bool no_button(struct backend *b)
{
	(void)b;
	return false;
}

static const struct backend_ops backend_ops = {.ask_shutdown = no_button};

static void expired(void *userdata)
{
	(void)userdata;
}

static unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	cr_assert_not_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

static void setup(void)
{
	int pair[2];

	vsock_guest_init(&guest, VSOCK_GUEST_BUFFERS);
	vmm = calloc(1, sizeof(*vmm));
	cr_assert_not_null(vmm);
	cr_assert_eq(loop_init(&vmm->loop), 0);
	cr_assert_eq(wire_socketpair(pair), 0);
	app = pair[0];
	vmm->control = pair[1];
	vm_config_init(&vmm->config);
	manager_init(&vmm->manager, vmm);
	event_queue_init(&vmm->events, pair[1], control_blocked, vmm);
	cr_assert_eq(timer_init(&vmm->stop_timer, &vmm->loop, expired, vmm), 0);
	backend = (struct backend){&backend_ops, guest.dev};
	vmm->backend = &backend;
	cr_assert_eq(control_init(vmm), 0);
}

static void turn(void)
{
	for (int i = 0; i < 5; i++)
		cr_assert_eq(loop_run_once(&vmm->loop, 0), 0);
}

static void teardown(void)
{
	listener_close_all(vmm);
	control_fini(vmm);
	timer_fini(&vmm->stop_timer);
	loop_fini(&vmm->loop);
	fd_close(vmm->control);
	fd_close(app);
	free(vmm);
	vsock_guest_fini(&guest);
}

TestSuite(control, .init = setup, .fini = teardown, .timeout = 60);

/* @size bytes and @n_fds descriptors, as they are. */
static void send_raw(const void *data, size_t size, unsigned int n_fds)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(WIRE_MAX_FDS * sizeof(int))];
	} control;
	struct iovec iov = {(void *)(uintptr_t)data, size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	int fds[WIRE_MAX_FDS];

	for (unsigned int i = 0; i < n_fds; i++)
		fds[i] = STDERR_FILENO;
	if (n_fds > 0) {
		memset(&control, 0, sizeof(control));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, n_fds * sizeof(int));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
	}
	cr_assert_eq(sendmsg(app, &msg, MSG_NOSIGNAL), (ssize_t)size);
}

/* Listen as the library does; what is answered. */
static int listen_on(uint32_t port, int *ret_fd)
{
	const struct wire_port body = {.port = le32_make(port)};
	int pair[2];
	int rc;

	cr_assert_eq(wire_socketpair(pair), 0);
	cr_assert_eq(
		wire_send(app, WIRE_LISTEN, &body, sizeof(body), &pair[1], 1),
		0);
	fd_close(pair[1]);
	turn();
	rc = wire_wait_reply(pair[0], 1000);
	*ret_fd = pair[0];
	return rc;
}

/* The VM goes on, with as many descriptors as before, and serves. */
static void expect_well(const char *what, unsigned int n_fds)
{
	int fd;

	turn();
	cr_expect_not(vmm->stopped, "%s: %s", what, vmm->stop_text);
	cr_expect_eq(count_fds(), n_fds, "%s: %u descriptors, %u before", what,
		     count_fds(), n_fds);
	cr_expect_eq(listen_on(7000, &fd), 0, "%s", what);
	fd_close(fd);
	turn();
}

/* --- messages that are none ------------------------------------------- */

struct head {
	le32 magic, type, size;
	unsigned char body[16];
};

Test(control, every_type_with_every_size_and_number_of_fds)
{
	unsigned int n_fds = count_fds();
	char what[64];

	for (uint32_t type = 0; type <= WIRE_OWNER + 1; type++) {
		for (uint32_t size = 0; size <= 8; size += 2) {
			for (unsigned int fds = 0; fds <= 3; fds++) {
				struct head m = {le32_make(MAGIC),
						 le32_make(type),
						 le32_make(size),
						 {1}};

				/* those are right, or ask for the end */
				if ((size == 0 && fds == 0 &&
				     type == WIRE_STOP) ||
				    (size == 0 && fds == 1 &&
				     type == WIRE_OWNER) ||
				    (size == 4 && fds == 2 &&
				     type == WIRE_CONNECT) ||
				    (size == 4 && fds == 1 &&
				     type == WIRE_LISTEN))
					continue;
				(void)snprintf(what, sizeof(what),
					       "type %u, %u bytes, %u fds",
					       type, size, fds);
				send_raw(&m, 12 + size, fds);
				expect_well(what, n_fds);
			}
		}
	}
}

Test(control, headers_that_lie)
{
	static const struct {
		const char *what;
		uint32_t magic, type, size;
		size_t sent;
	} rows[] = {
		{"one byte", MAGIC, WIRE_LISTEN, 4, 1},
		{"half of a header", MAGIC, WIRE_LISTEN, 4, 6},
		{"a header without its last byte", MAGIC, WIRE_LISTEN, 4, 11},
		{"a body that did not come", MAGIC, WIRE_LISTEN, 4, 12},
		{"half of a body", MAGIC, WIRE_LISTEN, 4, 14},
		{"more than a body", MAGIC, WIRE_LISTEN, 4, 17},
		{"a size beyond everything", MAGIC, WIRE_LISTEN, UINT32_MAX,
		 16},
		{"another protocol", 0x20544547, WIRE_LISTEN, 4, 16},
		{"zeros", 0, 0, 0, 16},
	};
	unsigned int n_fds = count_fds();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct head m = {le32_make(rows[i].magic),
				 le32_make(rows[i].type),
				 le32_make(rows[i].size),
				 {0}};

		send_raw(&m, rows[i].sent, 0);
		expect_well(rows[i].what, n_fds);
		send_raw(&m, rows[i].sent, 2);
		expect_well(rows[i].what, n_fds);
	}
}

Test(control, messages_of_noise)
{
	static char noise[WIRE_MAX_BODY + 100];
	unsigned int n_fds = count_fds();
	uint32_t random = 7;

	for (size_t i = 0; i < sizeof(noise); i++) {
		random = random * 1103515245 + 12345;
		noise[i] = (char)(random >> 16);
	}
	for (size_t size = 1; size <= sizeof(noise); size += 1 + size / 2) {
		send_raw(noise, size, 0);
		send_raw(noise, size, WIRE_MAX_FDS);
		expect_well("noise", n_fds);
	}
}

/* --- requests whose client goes --------------------------------------- */

static void ask(enum wire_type type, uint32_t port, const int *fds,
		unsigned int n)
{
	const struct wire_port body = {.port = le32_make(port)};

	cr_assert_eq(wire_send(app, type, &body, sizeof(body), fds, n), 0);
}

Test(control, who_asked_is_gone_before_the_answer)
{
	unsigned int n_fds = count_fds();
	int channel[2], answer[2];

	for (unsigned int i = 0; i < 4; i++) {
		int fds[2];

		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
		cr_assert_eq(wire_socketpair(answer), 0);
		fds[0] = channel[1];
		fds[1] = answer[1];
		ask(WIRE_CONNECT, 5000, fds, 2);
		fd_close(channel[1]);
		fd_close(answer[1]);
		if (i & 1)
			fd_close(channel[0]);
		if (i & 2)
			fd_close(answer[0]);
		turn();
		vsock_guest_settle(&guest);
		if (!(i & 1))
			fd_close(channel[0]);
		if (!(i & 2))
			fd_close(answer[0]);
		vsock_guest_settle(&guest);
		/* the guest answers somebody who is not there any more */
		vsock_guest_send(&guest,
				 &(struct vsock_packet){
					 .src_cid = VSOCK_GUEST_CID,
					 .dst_cid = VSOCK_CID_HOST,
					 .guest_port = 5000,
					 .host_port = VSOCK_EPHEMERAL_PORT + i,
					 .type = VSOCK_TYPE_STREAM,
					 .op = VSOCK_OP_RESPONSE,
					 .buf_alloc = 4096},
				 NULL, 0);
		vsock_guest_settle(&guest);
		cr_expect_not(guest.broken);
		expect_well("a connection without an owner", n_fds);
	}
}

Test(control, a_listener_that_is_closed_before_the_answer)
{
	unsigned int n_fds = count_fds();
	int pair[2];

	cr_assert_eq(wire_socketpair(pair), 0);
	ask(WIRE_LISTEN, 7000, &pair[1], 1);
	fd_close(pair[0]);
	fd_close(pair[1]);
	expect_well("a listener without an owner", n_fds);
}

Test(control, a_listener_that_talks)
{
	int fd;

	cr_assert_eq(listen_on(7001, &fd), 0);
	cr_assert_eq(send(fd, "garbage", 7, MSG_NOSIGNAL), 7);
	turn();
	cr_expect_not(vmm->stopped);
	fd_close(fd);
	turn();
	cr_expect_eq(listen_on(7001, &fd), 0, "the port is free again");
	fd_close(fd);
}

/* --- the application goes --------------------------------------------- */

static void expect_end(void)
{
	turn();
	cr_expect(vmm->stopped);
	cr_expect_eq(vmm->stop_reason, AVF_STOP_REASON_KILLED);
	cr_expect_not_null(strstr(vmm->stop_text, "application is gone"));
}

Test(control, the_application_hangs_up)
{
	fd_close(app);
	app = -1;
	expect_end();
}

Test(control, the_application_hangs_up_with_requests_on_their_way)
{
	struct head half = {
		le32_make(MAGIC), le32_make(WIRE_LISTEN), le32_make(4), {0}};
	int pair[2];

	cr_assert_eq(wire_socketpair(pair), 0);
	ask(WIRE_LISTEN, 7000, &pair[1], 1);
	send_raw(&half, 12, 3);
	fd_close(pair[0]);
	fd_close(pair[1]);
	fd_close(app);
	app = -1;
	expect_end();
}

Test(control, the_owner_ends_while_the_socket_stays_open)
{
	int ends[2], second[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(pipe(second), 0);
	cr_assert_eq(wire_send(app, WIRE_OWNER, NULL, 0, &ends[0], 1), 0);
	/* another one is no owner */
	cr_assert_eq(wire_send(app, WIRE_OWNER, NULL, 0, &second[0], 1), 0);
	fd_close(second[1]);
	turn();
	cr_expect_not(vmm->stopped);
	fd_close(ends[1]);
	expect_end();
	fd_close(ends[0]);
	fd_close(second[0]);
}
