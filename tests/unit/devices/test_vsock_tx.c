/* Packets that a driver should not send. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "devices/virtio_vsock.h"
#include "devices/vsock_internal.h"
#include "support/vsock_guest.h"

#define PORT    7
#define VICTIM  1000
#define HEALTHY 1001

static struct vsock_guest guest;
static int host_end[VSOCK_MAX_CONNS + 8];
static unsigned int n_accepted;
static bool is_private; /* what the guest sends, but for its headers */

int __wrap_guest_copy(void *to, const void *from, size_t size);
int __real_guest_copy(void *to, const void *from, size_t size);

int __wrap_guest_copy(void *to, const void *from, size_t size)
{
	const struct gmem_region *ram = &guest.gm.regions[0];
	const char *at = from, *begin = ram->host;

	if (is_private && at >= begin && at < begin + ram->size &&
	    size > sizeof(struct vsock_hdr))
		return fail(AVF_ERR_PROTOCOL, "private");
	return __real_guest_copy(to, from, size);
}

static int accept_one(void *userdata, uint32_t guest_port, int fd)
{
	(void)userdata;
	(void)guest_port;
	host_end[n_accepted++] = fd;
	return fd_set_nonblock(fd, true);
}

static void send_op(uint16_t op, uint32_t guest_port, uint32_t host_port)
{
	struct vsock_packet p = vsock_guest_packet(op, guest_port, host_port);

	vsock_guest_send(&guest, &p, NULL, 0);
}

/* The operation of the next packet, 0 for none. */
static uint16_t answer(struct vsock_packet *ret_p)
{
	vsock_guest_settle(&guest);
	if (!vsock_guest_receive(&guest, ret_p, NULL))
		return 0;
	return ret_p->op;
}

static void open_one(uint32_t guest_port)
{
	struct vsock_packet p;

	send_op(VSOCK_OP_REQUEST, guest_port, PORT);
	cr_assert_eq(answer(&p), VSOCK_OP_RESPONSE);
}

static void setup(void)
{
	vsock_guest_init(&guest, VSOCK_GUEST_BUFFERS);
	cr_assert_eq(virtio_vsock_listen(guest.dev, PORT, accept_one, NULL), 0);
	open_one(VICTIM);
	open_one(HEALTHY);
}

static void teardown(void)
{
	vsock_guest_fini(&guest);
}

TestSuite(vsock_tx, .init = setup, .fini = teardown, .timeout = 60);

/* The other connection, and the device, do not notice anything. */
static void expect_health(const char *what)
{
	struct vsock_packet p = vsock_guest_packet(VSOCK_OP_RW, HEALTHY, PORT);
	char text[4] = "";

	p.len = 2;
	vsock_guest_send(&guest, &p, "ok", 2);
	cr_expect_not(guest.broken, "%s: %s", what, error_record()->text);
	cr_expect_eq(read(host_end[1], text, sizeof(text)), 2, "%s", what);
	cr_expect_str_eq(text, "ok", "%s", what);
}

#define RESET   VSOCK_OP_RST
#define CREDIT  VSOCK_OP_CREDIT_UPDATE
#define SILENCE 0

static const struct {
	const char *what;
	struct vsock_packet p; /* zero fields: an honest value */
	uint32_t data;         /* bytes that are really there */
	uint16_t answer;
} rows[] = {
	{"source CID 0", {.src_cid = UINT64_MAX, .op = 7}, 0, SILENCE},
	{"source CID of the host", {.src_cid = 2, .op = 7}, 0, SILENCE},
	{"source CID of another VM", {.src_cid = 43, .op = 1}, 0, SILENCE},
	{"our CID with high bits",
	 {.src_cid = VSOCK_GUEST_CID | 1ULL << 32, .op = 7},
	 0,
	 SILENCE},
	{"to another VM", {.dst_cid = 43, .op = 7}, 0, SILENCE},
	{"to the hypervisor's CID", {.dst_cid = 1, .op = 7}, 0, SILENCE},
	{"type 2, seqpacket", {.type = 2, .op = 5}, 0, RESET},
	{"type 0xffff", {.type = 0xffff, .op = 5}, 0, RESET},
	{"operation 0", {.op = 0}, 0, RESET},
	{"operation 8", {.op = 8}, 0, RESET},
	{"operation 0xffff", {.op = 0xffff}, 0, RESET},
	{"length past the chain", {.op = 5, .len = 5}, 4, RESET},
	{"length without data", {.op = 5, .len = 1}, 0, RESET},
	{"length of 4 GiB", {.op = 5, .len = UINT32_MAX}, 4, RESET},
	{"length on a SHUTDOWN", {.op = 4, .len = 9}, 0, RESET},
	{"more data than the length", {.op = 5, .len = 1}, 9, SILENCE},
	{"data of no bytes", {.op = 5}, 0, SILENCE},
	{"second REQUEST", {.op = 1}, 0, RESET},
	{"RESPONSE that nobody asked for", {.op = 2}, 0, RESET},
	{"fwd_cnt ahead of what was sent", {.op = 6, .fwd_cnt = 1}, 0, RESET},
	{"fwd_cnt half the circle ahead",
	 {.op = 6, .fwd_cnt = INT32_MAX},
	 0,
	 RESET},
	{"fwd_cnt behind", {.op = 6, .fwd_cnt = UINT32_MAX}, 0, SILENCE},
	{"buf_alloc of 4 GiB", {.op = 6, .buf_alloc = UINT32_MAX}, 0, SILENCE},
	{"a message's end on a stream (EOM, EOR)",
	 {.op = 5, .flags = 3},
	 0,
	 SILENCE},
	{"every flag on data", {.op = 5, .flags = UINT32_MAX}, 0, SILENCE},
	{"SHUTDOWN with every flag", {.op = 4, .flags = UINT32_MAX}, 0, RESET},
	{"SHUTDOWN without a flag", {.op = 4}, 0, SILENCE},
	{"CREDIT_REQUEST", {.op = 7}, 0, CREDIT},
	{"unknown connection",
	 {.op = 5, .host_port = PORT, .guest_port = 5},
	 0,
	 RESET},
	{"RST of an unknown connection",
	 {.op = 3, .host_port = PORT, .guest_port = 5},
	 0,
	 SILENCE},
	{"RST with a bad type",
	 {.op = 3, .type = 9, .guest_port = 5},
	 0,
	 SILENCE},
};

/* Fill in what a row does not say. */
static struct vsock_packet complete(struct vsock_packet p)
{
	struct vsock_packet honest = vsock_guest_packet(
		p.op, p.guest_port ? p.guest_port : VICTIM, PORT);

	p.guest_port = honest.guest_port;
	p.host_port = honest.host_port;
	p.src_cid = p.src_cid == UINT64_MAX ? 0
		    : p.src_cid             ? p.src_cid
					    : honest.src_cid;
	p.dst_cid = p.dst_cid ? p.dst_cid : honest.dst_cid;
	p.type = p.type ? p.type : honest.type;
	p.buf_alloc = p.buf_alloc ? p.buf_alloc : honest.buf_alloc;
	return p;
}

Test(vsock_tx, hostile_packets_end_at_most_their_connection)
{
	static const char data[16] = "sixteen bytes...";
	struct vsock_packet p, got;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		n_accepted = 0;
		p = complete(rows[i].p);
		vsock_guest_send(&guest, &p, data, rows[i].data);
		cr_expect_eq(answer(&got), rows[i].answer, "%s: operation %u",
			     rows[i].what, got.op);
		if (rows[i].answer == RESET)
			cr_expect_eq(got.guest_port, p.guest_port, "%s",
				     rows[i].what);
		cr_expect_eq(answer(&got), 0, "%s: then %u", rows[i].what,
			     got.op);
		expect_health(rows[i].what);
		teardown();
		n_accepted = 0;
		setup();
	}
}

Test(vsock_tx, chains_that_hold_no_packet_are_dropped)
{
	static const char zeros[43];
	struct vsock_packet got;

	for (uint32_t size = 1; size <= sizeof(zeros); size += 14)
		vsock_guest_send_raw(&guest, zeros, size, 1000);
	cr_assert_eq(answer(&got), 0);
	expect_health("short chains");
}

Test(vsock_tx, a_header_in_pieces_is_one_header)
{
	unsigned char bytes[sizeof(struct vsock_hdr) + 3];
	const struct vsock_hdr hdr = {
		.src_cid = le64_make(VSOCK_GUEST_CID),
		.dst_cid = le64_make(VSOCK_CID_HOST),
		.src_port = le32_make(VICTIM),
		.dst_port = le32_make(PORT),
		.len = le32_make(3),
		.type = le16_make(VSOCK_TYPE_STREAM),
		.op = le16_make(VSOCK_OP_RW),
	};
	char text[4] = "";

	memcpy(bytes, &hdr, sizeof(hdr));
	memcpy(bytes + sizeof(hdr), "abc", 3);
	for (uint32_t part = 1; part <= 46; part += 9) {
		vsock_guest_send_raw(&guest, bytes, sizeof(bytes), part);
		cr_assert_eq(read(host_end[0], text, 4), 3, "parts of %u",
			     part);
		cr_assert_str_eq(text, "abc");
	}
}

Test(vsock_tx, data_beyond_the_credit)
{
	static char block[VSOCK_GUEST_MAX];
	struct vsock_packet p = vsock_guest_packet(VSOCK_OP_RW, VICTIM, PORT);
	struct vsock_packet got;
	unsigned int sent = 0;

	/* what the socket takes is forwarded, so that comes on top */
	p.len = sizeof(block);
	do {
		vsock_guest_send(&guest, &p, block, p.len);
		sent += p.len;
	} while (answer(&got) != RESET && sent < 16 * VSOCK_BUF_ALLOC);
	cr_assert_eq(got.op, RESET);
	cr_assert_gt(sent, VSOCK_BUF_ALLOC);
	cr_assert_lt(sent, 4 * VSOCK_BUF_ALLOC, "%u bytes were taken", sent);
	expect_health("a guest that ignores its credit");
}

/* What the socket does not take is copied, so a fault comes late; it is the
 * device's end as where the socket takes it. */
Test(vsock_tx, data_that_the_guest_keeps_to_itself)
{
	struct virtio_vsock *vs =
		container_of(guest.dev, struct virtio_vsock, dev);
	const struct vsock_conn *conn = vsock_table_find(vs, PORT, VICTIM);
	static char block[VSOCK_GUEST_MAX];
	struct vsock_packet p = vsock_guest_packet(VSOCK_OP_RW, VICTIM, PORT);

	p.len = sizeof(block);
	for (unsigned int i = 0; i < 16 && conn->out.used == 0; i++)
		vsock_guest_send(&guest, &p, block, p.len);
	cr_assert_gt(conn->out.used, 0, "the socket is full");
	cr_assert_not(guest.broken);
	is_private = true;
	vsock_guest_send(&guest, &p, block, p.len);
	is_private = false;
	cr_expect(guest.broken);
	cr_expect(strstr(error_record()->text, "cannot be read"), "%s",
		  error_record()->text);
}

Test(vsock_tx, data_after_shutdown)
{
	struct vsock_packet p =
		vsock_guest_packet(VSOCK_OP_SHUTDOWN, VICTIM, PORT);
	struct vsock_packet got;

	p.flags = VSOCK_NO_SEND;
	vsock_guest_send(&guest, &p, NULL, 0);
	p.op = VSOCK_OP_RW;
	p.len = 1;
	vsock_guest_send(&guest, &p, "x", 1);
	cr_assert_eq(answer(&got), RESET);
	expect_health("data after SHUTDOWN");
}

/* Each breach closes a connection; the log hears of ten. */
static unsigned int n_lines;

static void count_line(void *userdata, enum log_level level, const char *text)
{
	(void)userdata;
	(void)level;
	(void)text;
	n_lines++;
}

Test(vsock_tx, breaches_without_end_do_not_fill_the_log)
{
	const struct log counting = {.sink = count_line,
				     .max_level = LOG_LEVEL_DEBUG};
	struct vsock_packet p = vsock_guest_packet(VSOCK_OP_RW, 2000, PORT);
	struct vsock_packet got;

	guest.dev->log = &counting;
	p.len = UINT32_MAX;
	for (unsigned int i = 0; i < 1000; i++) {
		n_accepted = 2;
		open_one(2000);
		vsock_guest_send(&guest, &p, "x", 1);
		cr_assert_eq(answer(&got), RESET);
		cr_assert_eq(close(host_end[2]), 0);
	}
	cr_expect_gt(n_lines, 0);
	cr_expect_leq(n_lines, LOG_BUDGET_LINES, "%u lines", n_lines);
	expect_health("a thousand breaches");
}

/* The counters are 32 bits wide and wrap: credit goes on beyond 4 GiB, and a
 * lie is one there, too. */
Test(vsock_tx, counters_that_wrap)
{
	struct virtio_vsock *vs =
		container_of(guest.dev, struct virtio_vsock, dev);
	struct vsock_conn *conn = vsock_table_find(vs, PORT, VICTIM);
	struct vsock_packet p =
		vsock_guest_packet(VSOCK_OP_CREDIT_UPDATE, VICTIM, PORT);
	struct vsock_packet got;

	conn->sent = conn->peer_forwarded = UINT32_MAX - 1;
	conn->received = conn->forwarded = UINT32_MAX - 1;
	conn->announced = UINT32_MAX - 1;
	p.fwd_cnt = UINT32_MAX - 1;
	vsock_guest_send(&guest, &p, NULL, 0);
	cr_assert_eq(write(host_end[0], "four", 4), 4);
	cr_assert_eq(answer(&got), VSOCK_OP_RW);
	cr_expect_eq(got.len, 4);
	cr_expect_eq(conn->sent, 2, "it wrapped");
	p.fwd_cnt = 2;
	p.buf_alloc = 4;
	vsock_guest_send(&guest, &p, NULL, 0);
	cr_expect_eq(vsock_conn_credit(conn), 4, "all was read");
	p = vsock_guest_packet(VSOCK_OP_RW, VICTIM, PORT);
	p.fwd_cnt = 2;
	p.len = 4;
	vsock_guest_send(&guest, &p, "back", 4);
	cr_expect_eq(conn->received, 2);
	cr_expect_eq(conn->forwarded, 2);
	p = vsock_guest_packet(VSOCK_OP_CREDIT_UPDATE, VICTIM, PORT);
	p.fwd_cnt = 3;
	vsock_guest_send(&guest, &p, NULL, 0);
	cr_assert_eq(answer(&got), RESET, "one more than was sent");
	expect_health("a lie beyond 4 GiB");
}

Test(vsock_tx, floods_are_answered_within_bounds)
{
	static const struct {
		const char *what;
		uint16_t op;
		uint32_t guest_port; /* 0: another one each time */
		unsigned int most;   /* answers */
	} floods[] = {
		{"CREDIT_REQUEST of one connection", 7, VICTIM, 1},
		{"RST of nobody", 3, 0, 0},
		{"data of nobody", 5, 0, VSOCK_MAX_RSTS},
	};
	struct vsock_packet got;
	unsigned int n;

	for (size_t i = 0; i < ARRAY_SIZE(floods); i++) {
		/* the guest gives no buffers: nothing can be sent */
		virtio_dev_reset(guest.dev);
		vsock_guest_start(&guest, 2);
		open_one(VICTIM);
		n_accepted = 1;
		open_one(HEALTHY);
		for (unsigned int k = 0; k < 2; k++)
			send_op(VSOCK_OP_RW, 5, PORT); /* eat the buffers */
		for (unsigned int k = 0; k < 3000; k++)
			send_op(floods[i].op,
				floods[i].guest_port ? floods[i].guest_port
						     : 100000 + k,
				PORT);
		vsock_guest_refill(&guest, 200);
		for (n = 0; answer(&got) != 0;)
			n++;
		cr_expect_leq(n, floods[i].most + 2, "%s: %u answers",
			      floods[i].what, n);
		expect_health(floods[i].what);
		n_accepted = 0;
	}
}

/* The guest takes what there is, the host connects all the same. */
Test(vsock_tx, connections_beyond_the_table)
{
	const struct rlimit many = {2 * VSOCK_MAX_CONNS + 200,
				    2 * VSOCK_MAX_CONNS + 200};
	struct vsock_packet got;
	uint32_t refused = 0;
	int pair[2];
	int rc = 0;

	if (setrlimit(RLIMIT_NOFILE, &many) < 0)
		cr_skip_test("this user may not have %u descriptors",
			     2 * VSOCK_MAX_CONNS + 200);
	for (uint32_t i = 2; i < VSOCK_MAX_CONNS + 4; i++) {
		send_op(VSOCK_OP_REQUEST, 10000 + i, PORT);
		cr_assert(vsock_guest_receive(&guest, &got, NULL));
		refused += got.op == RESET;
	}
	cr_expect_eq(refused, VSOCK_HOST_CONNS + 4, "%u refused", refused);
	expect_health("too many connections");
	for (unsigned int i = 0; i <= VSOCK_HOST_CONNS; i++) {
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		cr_expect_eq(rc, 0, "connection %u of the host", i);
		rc = virtio_vsock_connect(guest.dev, 80, pair[0], NULL, NULL);
	}
	cr_expect_eq(rc, AVF_ERR_LIMIT);
	cr_expect_lt(fcntl(pair[0], F_GETFD), 0, "taken on failure, too");
}

static void send_bytes(uint32_t len)
{
	static char bytes[VSOCK_GUEST_MAX];
	struct vsock_packet p = vsock_guest_packet(VSOCK_OP_RW, VICTIM, PORT);

	p.len = len;
	vsock_guest_send(&guest, &p, bytes, len);
}

/* What setup() sent is told, all of it: a slow machine may have told of its
 * first packet before the last one. From here on the test counts. */
static void begin_count(void)
{
	unsigned int told;

	do {
		told = guest.tx_interrupts;
		cr_assert_eq(loop_run_once(&guest.loop, 10 * VSOCK_TAKEN_MS),
			     0);
	} while (guest.tx_interrupts != told || told == 0);
	guest.tx_interrupts = 0;
}

Test(vsock_tx, the_driver_hears_of_many_packets_at_once)
{
	begin_count();
	for (unsigned int i = 0; i < 10; i++)
		send_bytes(1);
	cr_expect_eq(guest.tx_interrupts, 0, "not of each");
	cr_assert_eq(loop_run_once(&guest.loop, 1000), 0);
	cr_expect_eq(guest.tx_interrupts, 1, "but in time");
	cr_assert_eq(loop_run_once(&guest.loop, 3 * VSOCK_TAKEN_MS), 0);
	cr_expect_eq(guest.tx_interrupts, 1, "and once");
	send_bytes(1);
	cr_assert_eq(loop_run_once(&guest.loop, 1000), 0);
	cr_expect_eq(guest.tx_interrupts, 2, "the next time, too");
}

Test(vsock_tx, a_driver_short_of_descriptors_hears_at_once)
{
	const unsigned int share = VSOCK_GUEST_BUFFERS / 4;

	begin_count();
	for (unsigned int i = 0; i < share - 1; i++)
		send_bytes(0);
	cr_expect_eq(guest.tx_interrupts, 0);
	send_bytes(0);
	cr_expect_eq(guest.tx_interrupts, 1);
	for (unsigned int i = 0; i < share; i++)
		send_bytes(0);
	cr_expect_eq(guest.tx_interrupts, 2);
}

Test(vsock_tx, a_driver_short_of_memory_hears_at_once)
{
	char sink[VSOCK_GUEST_MAX];

	begin_count();
	for (unsigned int i = 0; i < 3; i++) {
		send_bytes(VSOCK_GUEST_MAX);
		cr_assert_eq(read(host_end[0], sink, sizeof(sink)),
			     VSOCK_GUEST_MAX);
	}
	cr_expect_eq(guest.tx_interrupts, 0);
	send_bytes(VSOCK_GUEST_MAX);
	cr_expect_eq(guest.tx_interrupts, 1);
}

Test(vsock_tx, a_reset_forgets_what_was_to_be_told)
{
	begin_count();
	send_bytes(1);
	virtio_dev_reset(guest.dev);
	vsock_guest_start(&guest, VSOCK_GUEST_BUFFERS);
	cr_assert_eq(loop_run_once(&guest.loop, 1000), 0);
	vsock_guest_settle(&guest);
	cr_expect_eq(guest.tx_interrupts, 0, "the new ring is empty");
	n_accepted = 0;
	open_one(VICTIM);
	cr_assert_eq(loop_run_once(&guest.loop, 1000), 0);
	cr_expect_eq(guest.tx_interrupts, 1);
}
