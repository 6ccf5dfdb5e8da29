/* A connection that can do nothing lets the loop sleep. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "devices/virtio_vsock.h"
#include "devices/vsock_internal.h"
#include "support/vsock_guest.h"

#define PORT   7
#define NAP_MS 40

static struct vsock_guest guest;
static int fd = -1;

static int accept_one(void *userdata, uint32_t guest_port, int accepted)
{
	(void)userdata;
	(void)guest_port;
	fd = accepted;
	return fd_set_nonblock(fd, true);
}

static void setup(void)
{
	vsock_guest_init(&guest, 0);
	cr_assert_eq(virtio_vsock_listen(guest.dev, PORT, accept_one, NULL), 0);
}

static void teardown(void)
{
	vsock_guest_fini(&guest);
}

TestSuite(vsock_conn, .init = setup, .fini = teardown, .timeout = 30);

static void send_op(uint16_t op, uint32_t flags, uint32_t buf_alloc)
{
	struct vsock_packet p = vsock_guest_packet(op, 1000, PORT);

	p.flags = flags;
	p.buf_alloc = buf_alloc;
	vsock_guest_send(&guest, &p, NULL, 0);
}

/* The write fails when the guest receives no more. */
static void write_and_close(void)
{
	(void)!send(fd, "data", 4, MSG_NOSIGNAL);
	(void)close(fd);
}

static void write_only(void)
{
	cr_assert_eq(write(fd, "data", 4), 4);
}

static void half_close(void)
{
	cr_assert_eq(shutdown(fd, SHUT_WR), 0);
}

static void half_close_then_close(void)
{
	half_close();
	vsock_guest_settle(&guest);
	(void)close(fd);
}

static void guest_stops_receiving(void)
{
	send_op(VSOCK_OP_SHUTDOWN, VSOCK_NO_RECEIVE, 4096);
}

static void guest_stops_sending(void)
{
	send_op(VSOCK_OP_SHUTDOWN, VSOCK_NO_SEND, 4096);
}

static void guest_stops_receiving_host_closes(void)
{
	guest_stops_receiving();
	(void)close(fd);
}

static void guest_fills_the_socket(void)
{
	static char block[VSOCK_GUEST_MAX];
	struct vsock_packet p = vsock_guest_packet(VSOCK_OP_RW, 1000, PORT);

	p.len = sizeof(block);
	for (unsigned int i = 0; i < 4; i++)
		vsock_guest_send(&guest, &p, block, p.len);
}

/* The driver hears of its packets a little later; that is no work either. */
static void settle(void)
{
	const struct virtio_vsock *vs =
		container_of(guest.dev, struct virtio_vsock, dev);

	vsock_guest_settle(&guest);
	while (vs->taken_armed)
		cr_assert_eq(loop_run_once(&guest.loop, 1000), 0);
}

Test(vsock_conn, nothing_to_do_means_sleep)
{
	static const struct {
		const char *what;
		unsigned int buffers; /* that the guest still has */
		uint32_t buf_alloc;
		void (*act)(void);
	} rows[] = {
		{"data without credit", 16, 0, write_only},
		{"data without buffers", 0, 4096, write_only},
		{"data without credit, closed", 16, 0, write_and_close},
		{"data without buffers, closed", 0, 4096, write_and_close},
		{"closed", 16, 4096, write_and_close},
		{"half closed", 16, 4096, half_close},
		{"half closed without buffers", 0, 4096, half_close},
		{"closed in two steps", 16, 4096, half_close_then_close},
		{"the guest receives no more", 16, 4096, guest_stops_receiving},
		{"the guest sends no more", 16, 4096, guest_stops_sending},
		{"the guest receives no more, closed", 16, 4096,
		 guest_stops_receiving_host_closes},
		{"a full socket", 16, 4096, guest_fills_the_socket},
	};
	struct vsock_packet p;
	uint64_t before;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		virtio_dev_reset(guest.dev);
		vsock_guest_start(&guest, rows[i].buffers + 1);
		send_op(VSOCK_OP_REQUEST, 0, rows[i].buf_alloc);
		if (rows[i].buffers > 0)
			cr_assert(vsock_guest_receive(&guest, &p, NULL));
		rows[i].act();
		settle();
		before = clock_now_ns();
		cr_assert_eq(loop_run_once(&guest.loop, NAP_MS), 0);
		cr_expect_geq(clock_now_ns() - before,
			      (NAP_MS - 2) * 1000000ULL, "%s: woke up",
			      rows[i].what);
	}
}

Test(vsock_conn, nobody_sends_and_nobody_receives)
{
	static const struct {
		const char *what;
		void (*first)(void);
		void (*second)(void);
	} rows[] = {
		{"the guest first", guest_stops_receiving, write_and_close},
		{"the host first", write_and_close, guest_stops_receiving},
	};
	struct vsock_packet p;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		virtio_dev_reset(guest.dev);
		vsock_guest_start(&guest, 16);
		send_op(VSOCK_OP_REQUEST, 0, 0);
		rows[i].first();
		vsock_guest_settle(&guest);
		rows[i].second();
		vsock_guest_settle(&guest);
		while (vsock_guest_receive(&guest, &p, NULL))
			;
		cr_expect_eq(p.op, VSOCK_OP_SHUTDOWN, "%s", rows[i].what);
		cr_expect_eq(p.flags, VSOCK_NO_MORE, "%s", rows[i].what);
	}
}

Test(vsock_conn, an_answer_before_the_question)
{
	struct vsock_packet p =
		vsock_guest_packet(VSOCK_OP_RESPONSE, 80, VSOCK_EPHEMERAL_PORT);
	int pair[2];
	char byte;

	/* no buffer: the REQUEST cannot have been sent */
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(virtio_vsock_connect(guest.dev, 80, pair[0], NULL, NULL),
		     0);
	vsock_guest_settle(&guest);
	vsock_guest_send(&guest, &p, NULL, 0);
	cr_assert_eq(read(pair[1], &byte, 1), 0, "refused");
	vsock_guest_refill(&guest, 4);
	cr_assert(vsock_guest_receive(&guest, &p, NULL));
	cr_assert_eq(p.op, VSOCK_OP_RST);
	cr_assert_not(vsock_guest_receive(&guest, &p, NULL));
}

Test(vsock_conn, the_guest_hears_when_half_of_its_credit_is_used_up)
{
	static char block[VSOCK_GUEST_MAX];
	struct vsock_packet p = vsock_guest_packet(VSOCK_OP_RW, 1000, PORT);
	unsigned int updates = 0;

	vsock_guest_refill(&guest, 16);
	send_op(VSOCK_OP_REQUEST, 0, 4096);
	cr_assert(vsock_guest_receive(&guest, &p, NULL));
	for (unsigned int sent = 0; sent < 4; sent++) {
		p = vsock_guest_packet(VSOCK_OP_RW, 1000, PORT);
		p.len = sizeof(block);
		vsock_guest_send(&guest, &p, block, p.len);
		while (read(fd, block, sizeof(block)) > 0)
			vsock_guest_settle(&guest);
		while (vsock_guest_receive(&guest, &p, NULL)) {
			cr_assert_eq(p.op, VSOCK_OP_CREDIT_UPDATE);
			cr_assert_eq(p.buf_alloc, VSOCK_BUF_ALLOC);
			cr_assert_eq(p.fwd_cnt, (sent + 1) * sizeof(block));
			updates++;
		}
	}
	cr_assert_eq(updates, 2);
}

/* Host ports wrap before the one that means "any", pass over those that are
 * taken or listened to, and are given once. */
Test(vsock_conn, host_ports_wrap_and_are_never_given_twice)
{
	struct virtio_vsock *vs =
		container_of(guest.dev, struct virtio_vsock, dev);
	uint32_t seen[8];
	int pair[2];

	cr_assert_eq(virtio_vsock_listen(guest.dev, UINT32_MAX - 2, accept_one,
					 NULL),
		     0);
	cr_assert_eq(virtio_vsock_listen(guest.dev, VSOCK_EPHEMERAL_PORT + 1,
					 accept_one, NULL),
		     0);
	vs->next_port = UINT32_MAX - 3;
	for (unsigned int i = 0; i < ARRAY_SIZE(seen); i++) {
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		cr_assert_eq(virtio_vsock_connect(guest.dev, 80, pair[0], NULL,
						  NULL),
			     0);
		seen[i] = TAILQ_LAST(&vs->all, vsock_list)->host_port;
		cr_expect(seen[i] != UINT32_MAX && seen[i] != UINT32_MAX - 2);
		cr_expect_neq(seen[i], VSOCK_EPHEMERAL_PORT + 1);
		if (i == 3)
			vs->next_port = UINT32_MAX - 3; /* all taken */
		for (unsigned int k = 0; k < i; k++)
			cr_expect_neq(seen[i], seen[k], "%u and %u", i, k);
	}
	cr_expect_eq(seen[0], UINT32_MAX - 3);
	cr_expect_eq(seen[1], UINT32_MAX - 1);
	cr_expect_eq(seen[2], VSOCK_EPHEMERAL_PORT);
}
