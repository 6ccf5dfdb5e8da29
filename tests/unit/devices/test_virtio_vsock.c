#include "devices/virtio_vsock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "devices/vsock_internal.h"
#include "support/vsock_guest.h"

#define PORT 7

static struct vsock_guest guest;
static int accepted[VSOCK_MAX_CONNS];
static unsigned int n_accepted;
static int connected_rc;
static char connected_why[512]; /* the error's text, which goes with it */
static unsigned int n_connected;

static int accept_one(void *userdata, uint32_t guest_port, int fd)
{
	(void)userdata;
	(void)guest_port;
	cr_assert_lt(n_accepted, ARRAY_SIZE(accepted));
	accepted[n_accepted++] = fd;
	return fd_set_nonblock(fd, true);
}

static int accept_none(void *userdata, uint32_t guest_port, int fd)
{
	(void)userdata;
	(void)guest_port;
	fd_close(fd);
	return AVF_ERR_LIMIT;
}

static void connected(void *userdata, int rc)
{
	(void)userdata;
	connected_rc = rc;
	(void)snprintf(connected_why, sizeof(connected_why), "%s",
		       rc < 0 ? error_record()->text : "");
	n_connected++;
}

static void setup(void)
{
	vsock_guest_init(&guest, VSOCK_GUEST_BUFFERS);
	cr_assert_eq(virtio_vsock_listen(guest.dev, PORT, accept_one, NULL), 0);
}

static void teardown(void)
{
	vsock_guest_fini(&guest);
}

TestSuite(vsock, .init = setup, .fini = teardown, .timeout = 60);

static void send_op(uint16_t op, uint32_t guest_port, uint32_t host_port,
		    uint32_t flags)
{
	struct vsock_packet p = vsock_guest_packet(op, guest_port, host_port);

	p.flags = flags;
	vsock_guest_send(&guest, &p, NULL, 0);
}

static void send_data(uint32_t guest_port, uint32_t host_port, const char *text)
{
	struct vsock_packet p =
		vsock_guest_packet(VSOCK_OP_RW, guest_port, host_port);

	p.len = (uint32_t)strlen(text);
	vsock_guest_send(&guest, &p, text, p.len);
}

static struct vsock_packet expect(uint16_t op, const char *what)
{
	struct vsock_packet p = {0};

	vsock_guest_settle(&guest);
	cr_assert(vsock_guest_receive(&guest, &p, NULL), "%s: no packet", what);
	cr_assert_eq(p.op, op, "%s: operation %u", what, p.op);
	return p;
}

static void expect_silence(const char *what)
{
	struct vsock_packet p;

	vsock_guest_settle(&guest);
	cr_assert_not(vsock_guest_receive(&guest, &p, NULL), "%s: operation %u",
		      what, p.op);
}

/* A connection of the guest, @guest_port to PORT. Returns the host's end. */
static int open_from_guest(uint32_t guest_port)
{
	send_op(VSOCK_OP_REQUEST, guest_port, PORT, 0);
	(void)expect(VSOCK_OP_RESPONSE, "connect");
	return accepted[n_accepted - 1];
}

static int open_from_host(uint32_t guest_port, uint32_t *ret_host_port)
{
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(virtio_vsock_connect(guest.dev, guest_port, pair[0],
					  connected, NULL),
		     0);
	cr_assert_eq(fd_set_nonblock(pair[1], true), 0);
	*ret_host_port = expect(VSOCK_OP_REQUEST, "connect").host_port;
	return pair[1];
}

static bool is_closed(int fd)
{
	char byte;
	ssize_t n = read(fd, &byte, 1);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

Test(vsock, the_guest_connects_and_data_goes_both_ways)
{
	char text[8] = "";
	struct vsock_packet p;
	int fd = open_from_guest(0xfffffffeU);

	send_data(0xfffffffeU, PORT, "hello");
	cr_assert_eq(read(fd, text, sizeof(text)), 5);
	cr_assert_str_eq(text, "hello");
	cr_assert_eq(write(fd, "world!", 6), 6);
	vsock_guest_settle(&guest);
	cr_assert(vsock_guest_receive(&guest, &p, text));
	cr_assert_eq(p.op, VSOCK_OP_RW);
	cr_assert_eq(p.len, 6);
	cr_assert_eq(p.guest_port, 0xfffffffeU);
	cr_assert_eq(p.host_port, PORT);
	cr_assert_eq(p.fwd_cnt, 5, "every packet tells what was taken");
	cr_assert_arr_eq(text, "world!", 6);
}

Test(vsock, nobody_listens_or_the_listener_says_no)
{
	cr_assert_eq(virtio_vsock_listen(guest.dev, 8, accept_none, NULL), 0);
	cr_assert_eq(virtio_vsock_listen(guest.dev, 8, accept_one, NULL),
		     AVF_ERR_BUSY);
	send_op(VSOCK_OP_REQUEST, 1, 8, 0);
	(void)expect(VSOCK_OP_RST, "refused");
	send_op(VSOCK_OP_REQUEST, 1, 9, 0);
	(void)expect(VSOCK_OP_RST, "nobody listens");
	virtio_vsock_unlisten(guest.dev, PORT);
	send_op(VSOCK_OP_REQUEST, 1, PORT, 0);
	(void)expect(VSOCK_OP_RST, "not any more");
	cr_assert_eq(n_accepted, 0);
}

Test(vsock, the_host_connects)
{
	uint32_t host_port;
	int fd = open_from_host(80, &host_port);

	cr_assert_geq(host_port, VSOCK_EPHEMERAL_PORT);
	cr_assert_eq(n_connected, 0);
	cr_assert_eq(write(fd, "early", 5), 5);
	expect_silence("data before the answer");
	send_op(VSOCK_OP_RESPONSE, 80, host_port, 0);
	cr_assert_eq(n_connected, 1);
	cr_assert_eq(connected_rc, 0);
	cr_assert_eq(expect(VSOCK_OP_RW, "early data").len, 5);
}

Test(vsock, the_guest_refuses)
{
	uint32_t host_port;
	int fd = open_from_host(80, &host_port);

	(void)fail(AVF_ERR_IO, "an older matter");
	send_op(VSOCK_OP_RST, 80, host_port, 0);
	cr_assert_eq(n_connected, 1);
	cr_assert_eq(connected_rc, AVF_ERR_REFUSED);
	cr_assert(strstr(connected_why, "refused"), "%s", connected_why);
	cr_assert(is_closed(fd));
	expect_silence("an RST is not answered");
}

Test(vsock, the_application_gives_up_before_the_answer)
{
	uint32_t host_port;
	int fd = open_from_host(80, &host_port);

	(void)close(fd);
	(void)expect(VSOCK_OP_RST, "given up");
	cr_assert_eq(n_connected, 1);
	cr_assert_eq(connected_rc, AVF_ERR_CLOSED);
	cr_assert(strstr(connected_why, "gave up"), "%s", connected_why);
	send_op(VSOCK_OP_RESPONSE, 80, host_port, 0);
	(void)expect(VSOCK_OP_RST, "the late answer");
	cr_assert_eq(n_connected, 1);
}

Test(vsock, a_connect_waits_for_the_driver_and_survives_its_reset)
{
	int pair[2];

	virtio_dev_reset(guest.dev);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(
		virtio_vsock_connect(guest.dev, 80, pair[0], connected, NULL),
		0);
	vsock_guest_settle(&guest);
	virtio_dev_reset(guest.dev);
	cr_assert_eq(n_connected, 0);
	vsock_guest_start(&guest, 16);
	(void)expect(VSOCK_OP_REQUEST, "driver is there");
}

Test(vsock, a_reset_closes_connections_and_keeps_listeners)
{
	uint32_t host_port;
	int from_guest = open_from_guest(1000);
	int from_host = open_from_host(80, &host_port);

	virtio_dev_reset(guest.dev);
	cr_assert(is_closed(from_guest));
	cr_assert(is_closed(from_host));
	cr_assert_eq(connected_rc, AVF_ERR_CLOSED);
	cr_assert(strstr(connected_why, "reset"), "%s", connected_why);
	vsock_guest_start(&guest, 16);
	(void)open_from_guest(1000);
}

Test(vsock, freeing_tells_who_waits)
{
	uint32_t host_port;

	(void)open_from_host(80, &host_port);
	virtio_dev_free(guest.dev);
	guest.dev = NULL;
	cr_assert_eq(n_connected, 1);
	cr_assert_eq(connected_rc, AVF_ERR_CLOSED);
	cr_assert(strstr(connected_why, "stopped"), "%s", connected_why);
}

Test(vsock, half_close_by_the_guest)
{
	char text[8];
	struct vsock_packet p;
	int fd = open_from_guest(1000);

	send_data(1000, PORT, "last");
	send_op(VSOCK_OP_SHUTDOWN, 1000, PORT, VSOCK_NO_SEND);
	cr_assert_eq(read(fd, text, sizeof(text)), 4);
	cr_assert_eq(read(fd, text, sizeof(text)), 0, "end of file");
	cr_assert_eq(write(fd, "answer", 6), 6);
	p = expect(VSOCK_OP_RW, "the other direction goes on");
	cr_assert_eq(p.len, 6);
	(void)close(fd);
	p = expect(VSOCK_OP_SHUTDOWN, "closed");
	cr_assert_eq(p.flags, VSOCK_NO_MORE);
}

Test(vsock, the_guest_stops_receiving)
{
	int fd = open_from_guest(1000);

	send_op(VSOCK_OP_SHUTDOWN, 1000, PORT, VSOCK_NO_RECEIVE);
	cr_assert_lt(send(fd, "x", 1, MSG_NOSIGNAL), 0);
	cr_assert_eq(errno, EPIPE);
	send_data(1000, PORT, "still");
	expect_silence("data");
	send_op(VSOCK_OP_SHUTDOWN, 1000, PORT, VSOCK_NO_SEND);
	(void)expect(VSOCK_OP_RST, "both directions are over");
}

Test(vsock, half_close_by_the_application)
{
	char text[8];
	int fd = open_from_guest(1000);

	cr_assert_eq(write(fd, "last", 4), 4);
	cr_assert_eq(shutdown(fd, SHUT_WR), 0);
	cr_assert_eq(expect(VSOCK_OP_RW, "data goes first").len, 4);
	cr_assert_eq(expect(VSOCK_OP_SHUTDOWN, "then its end").flags,
		     VSOCK_NO_SEND);
	send_data(1000, PORT, "answer");
	cr_assert_eq(read(fd, text, sizeof(text)), 6);
	expect_silence("an open half");
	(void)close(fd);
	cr_assert_eq(expect(VSOCK_OP_SHUTDOWN, "closed").flags, VSOCK_NO_MORE);
	send_op(VSOCK_OP_RST, 1000, PORT, 0);
	expect_silence("the end");
	(void)open_from_guest(1000); /* the ports are free again */
}

Test(vsock, closing_sends_what_was_written_before)
{
	int fd = open_from_guest(1000);

	cr_assert_eq(write(fd, "last words", 10), 10);
	(void)close(fd);
	cr_assert_eq(expect(VSOCK_OP_RW, "data").len, 10);
	cr_assert_eq(expect(VSOCK_OP_SHUTDOWN, "closed").flags, VSOCK_NO_MORE);
	send_data(1000, PORT, "to nobody");
	expect_silence("data for a closed socket");
}

Test(vsock, closing_by_the_guest_delivers_what_waits)
{
	static char block[VSOCK_GUEST_MAX];
	struct vsock_packet p = vsock_guest_packet(VSOCK_OP_RW, 1000, PORT);
	int fd = open_from_guest(1000);
	size_t total = 0;
	ssize_t n;

	p.len = sizeof(block);
	for (unsigned int i = 0; i < VSOCK_BUF_ALLOC / sizeof(block); i++)
		vsock_guest_send(&guest, &p, block, p.len);
	send_op(VSOCK_OP_SHUTDOWN, 1000, PORT, VSOCK_NO_MORE);
	(void)expect(VSOCK_OP_CREDIT_UPDATE, "the socket took half");
	(void)expect(VSOCK_OP_RST, "the guest does not wait for the host");
	(void)open_from_guest(1000); /* the ports are free, data waits on */
	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0)
			vsock_guest_settle(&guest);
		else
			total += (size_t)n;
	}
	cr_assert_eq(total, VSOCK_BUF_ALLOC);
}

/* All that an honest guest can send to somebody who never reads: what the
 * socket takes, and its credit. Returns whether the connection was reset. */
static bool send_to_the_deaf(uint32_t guest_port)
{
	static char block[VSOCK_GUEST_MAX];
	struct vsock_packet p =
		vsock_guest_packet(VSOCK_OP_RW, guest_port, PORT);
	struct vsock_packet got;
	uint32_t sent = 0, forwarded = 0;
	bool reset = false;

	p.len = sizeof(block);
	while (!reset && sent - forwarded + p.len <= VSOCK_BUF_ALLOC) {
		vsock_guest_send(&guest, &p, block, p.len);
		sent += p.len;
		vsock_guest_settle(&guest);
		while (vsock_guest_receive(&guest, &got, NULL)) {
			reset |= got.op == VSOCK_OP_RST;
			forwarded = got.fwd_cnt;
		}
	}
	return reset;
}

/* Applications that accept and never read: each may keep VSOCK_BUF_ALLOC
 * waiting, all together VSOCK_MAX_BUFFERED; beyond that their own connection
 * is reset. One that reads gets everything all the time. */
Test(vsock, applications_that_never_read)
{
	const unsigned int n_deaf = VSOCK_MAX_BUFFERED / VSOCK_BUF_ALLOC + 20;
	const struct virtio_vsock *vs =
		container_of(guest.dev, struct virtio_vsock, dev);
	int good = open_from_guest(999);
	unsigned int n_reset = 0;
	char answer[8];

	for (uint32_t i = 0; i < n_deaf; i++) {
		(void)open_from_guest(1000 + i);
		n_reset += send_to_the_deaf(1000 + i);
		cr_assert_leq(vs->buffered, VSOCK_MAX_BUFFERED);
		cr_assert_not(guest.broken);
		send_data(999, PORT, "alive");
		cr_assert_eq(read(good, answer, sizeof(answer)), 5, "%u", i);
	}
	cr_expect_eq(vs->buffered, VSOCK_MAX_BUFFERED, "the bound is reached");
	cr_expect(n_reset > 0 && n_reset <= 20, "%u", n_reset);
}

Test(vsock, configuration_and_bad_cids)
{
	static const uint64_t bad[] = {0, 1, 2, UINT32_MAX, 1ULL << 32};
	struct virtio_vsock_config config = {.gm = &guest.gm,
					     .loop = &guest.loop};
	struct virtio_dev *dev;
	uint8_t cid[8] = {0};

	guest.dev->ops->config_read(guest.dev, 0, cid, 8);
	cr_assert_eq(cid[0], VSOCK_GUEST_CID);
	guest.dev->ops->config_read(guest.dev, 4, cid, 4);
	cr_assert_eq(cid[0], 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		config.guest_cid = bad[i];
		cr_expect_eq(virtio_vsock_new(&config, &dev), AVF_ERR_INVALID,
			     "CID %llu", (unsigned long long)bad[i]);
	}
	virtio_dev_free(NULL);
}

Test(vsock, too_many_listeners)
{
	for (uint32_t i = 1; i < VSOCK_MAX_LISTENERS; i++)
		cr_assert_eq(virtio_vsock_listen(guest.dev, 100 + i, accept_one,
						 NULL),
			     0);
	cr_assert_eq(virtio_vsock_listen(guest.dev, 99, accept_one, NULL),
		     AVF_ERR_LIMIT);
}

Test(vsock, kicks_and_interrupts_are_few)
{
	int fd = open_from_guest(1000);
	static char block[64 * 1024];
	struct vsock_packet p;
	unsigned int packets = 0;
	unsigned int before = guest.interrupts;

	cr_assert_eq(write(fd, block, sizeof(block)), sizeof(block));
	vsock_guest_settle(&guest);
	while (vsock_guest_receive(&guest, &p, NULL))
		packets++;
	cr_assert_geq(packets, 16);
	cr_assert_leq(guest.interrupts - before, 4, "%u interrupts",
		      guest.interrupts - before);
}
