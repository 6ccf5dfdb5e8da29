/* Flow: bulk data, slow peers, many connections, fairness. */
#include <criterion/criterion.h>
#include <pthread.h>
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

#define PORT 7

#ifdef __SANITIZE_ADDRESS__
#define BULK (32ULL << 20)
#else
#define BULK (1ULL << 30)
#endif

/* Byte n of a stream is pattern[n % PERIOD]; no power of two divides it. */
#define PERIOD 1000003ULL

static struct vsock_guest guest;
static unsigned char pattern[PERIOD + (1 << 18)];
static int ends[4096];
static unsigned int n_ends;

static int accept_one(void *userdata, uint32_t guest_port, int fd)
{
	(void)userdata;
	(void)guest_port;
	ends[n_ends++] = fd;
	return 0;
}

static void setup(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < PERIOD; i++) {
		x = x * 1664525 + 1013904223;
		pattern[i] = (unsigned char)(x >> 24);
	}
	memcpy(pattern + PERIOD, pattern, sizeof(pattern) - PERIOD);
	vsock_guest_init(&guest, VSOCK_GUEST_BUFFERS);
	cr_assert_eq(virtio_vsock_listen(guest.dev, PORT, accept_one, NULL), 0);
}

static void teardown(void)
{
	vsock_guest_fini(&guest);
}

TestSuite(vsock_rx, .init = setup, .fini = teardown, .timeout = 100);

static void open_one(uint32_t guest_port, uint32_t buf_alloc)
{
	struct vsock_packet p =
		vsock_guest_packet(VSOCK_OP_REQUEST, guest_port, PORT);

	p.buf_alloc = buf_alloc;
	vsock_guest_send(&guest, &p, NULL, 0);
	cr_assert(vsock_guest_receive(&guest, &p, NULL));
	cr_assert_eq(p.op, VSOCK_OP_RESPONSE);
}

static void credit(uint32_t guest_port, uint32_t buf_alloc, uint32_t fwd_cnt)
{
	struct vsock_packet p =
		vsock_guest_packet(VSOCK_OP_CREDIT_UPDATE, guest_port, PORT);

	p.buf_alloc = buf_alloc;
	p.fwd_cnt = fwd_cnt;
	vsock_guest_send(&guest, &p, NULL, 0);
}

/* Returns the offset of the first wrong byte, or BULK. */
static void *read_bulk(void *arg)
{
	static unsigned char got[1 << 18];
	uint64_t done = 0;
	ssize_t n;

	while (done < BULK) {
		n = read(*(int *)arg, got, sizeof(got));
		if (n <= 0 || memcmp(got, pattern + done % PERIOD, (size_t)n))
			break;
		done += (uint64_t)n;
	}
	return (void *)(uintptr_t)done;
}

static void *write_bulk(void *arg)
{
	uint64_t done = 0;
	size_t n;

	while (done < BULK) {
		n = (size_t)MIN(BULK - done, 1U << 18);
		if (fd_write_all(*(int *)arg, pattern + done % PERIOD, n) < 0)
			break;
		done += n;
	}
	return (void *)(uintptr_t)done;
}

Test(vsock_rx, bulk_to_the_host_arrives_as_it_was)
{
	struct vsock_packet p = vsock_guest_packet(VSOCK_OP_RW, 1, PORT);
	struct vsock_packet got = {.buf_alloc = VSOCK_BUF_ALLOC};
	uint64_t sent = 0;
	pthread_t reader;
	void *done;

	open_one(1, 1 << 20);
	cr_assert_eq(pthread_create(&reader, NULL, read_bulk, &ends[0]), 0);
	while (sent < BULK) {
		p.len = got.buf_alloc - ((uint32_t)sent - got.fwd_cnt);
		p.len = MIN(p.len, VSOCK_GUEST_MAX);
		p.len = (uint32_t)MIN(p.len, BULK - sent);
		if (p.len > 0)
			vsock_guest_send(&guest, &p, pattern + sent % PERIOD,
					 p.len);
		sent += p.len;
		cr_assert_eq(loop_run_once(&guest.loop, p.len ? 0 : 1), 0);
		while (vsock_guest_receive(&guest, &got, NULL))
			cr_assert_eq(got.op, VSOCK_OP_CREDIT_UPDATE);
	}
	p.op = VSOCK_OP_SHUTDOWN;
	p.len = 0;
	p.flags = VSOCK_NO_MORE;
	vsock_guest_send(&guest, &p, NULL, 0);
	for (unsigned int i = 0; i < 100; i++)
		cr_assert_eq(loop_run_once(&guest.loop, 5), 0);
	cr_assert_eq(pthread_join(reader, &done), 0);
	cr_assert_eq((uintptr_t)done, BULK, "wrong after %zu bytes",
		     (size_t)(uintptr_t)done);
}

Test(vsock_rx, bulk_to_the_guest_arrives_as_it_was)
{
	unsigned char data[VSOCK_GUEST_BUFFER];
	struct vsock_packet got;
	uint32_t announced = 0;
	uint64_t done = 0;
	pthread_t writer;

	open_one(1, 1 << 20);
	cr_assert_eq(pthread_create(&writer, NULL, write_bulk, &ends[0]), 0);
	while (done < BULK) {
		cr_assert_eq(loop_run_once(&guest.loop, 100), 0);
		while (vsock_guest_receive(&guest, &got, data)) {
			if (got.op != VSOCK_OP_RW)
				continue;
			cr_assert_arr_eq(data, pattern + done % PERIOD, got.len,
					 "after %zu bytes", (size_t)done);
			done += got.len;
		}
		if ((uint32_t)done - announced > 1 << 18) {
			announced = (uint32_t)done;
			credit(1, 1 << 20, announced);
		}
	}
	cr_assert_eq(pthread_join(writer, NULL), 0);
}

/* Write until the socket is full. */
static size_t fill(int fd)
{
	size_t total = 0;
	ssize_t n;

	cr_assert_eq(fd_set_nonblock(fd, true), 0);
	while ((n = send(fd, pattern, 4096, MSG_NOSIGNAL)) > 0)
		total += (size_t)n;
	return total;
}

static size_t receive_all(void)
{
	struct vsock_packet got;
	size_t total = 0;

	vsock_guest_settle(&guest);
	while (vsock_guest_receive(&guest, &got, NULL)) {
		total += got.len;
		vsock_guest_settle(&guest);
	}
	return total;
}

Test(vsock_rx, the_guest_gets_what_it_has_room_for)
{
	static const struct {
		const char *what;
		uint32_t buf_alloc;
		uint32_t fwd_cnt;
		size_t total; /* bytes that arrived, from the beginning */
	} steps[] = {
		{"no room at all", 0, 0, 0},
		{"one byte", 1, 0, 1},
		{"the same again", 1, 0, 1},
		{"an odd number", 10001, 0, 10001},
		{"the buffer shrank below what is in it", 5, 0, 10001},
		{"half was read, the buffer is still small", 5, 5000, 10001},
		{"all was read", 5, 10001, 10006},
		{"an old counter changes nothing", 5, 5000, 10006},
		{"it grew again", 100000, 10001, 110001},
	};
	size_t total = 0;

	open_one(1, 0);
	cr_assert_gt(fill(ends[0]), 120000);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		credit(1, steps[i].buf_alloc, steps[i].fwd_cnt);
		total += receive_all();
		cr_expect_eq(total, steps[i].total, "%s: %zu", steps[i].what,
			     total);
	}
}

Test(vsock_rx, a_blocked_connection_lets_others_pass)
{
	struct vsock_packet got;

	open_one(1, 0);
	open_one(2, 1 << 20);
	(void)fill(ends[0]);
	vsock_guest_settle(&guest);
	cr_assert(vsock_guest_receive(&guest, &got, NULL));
	cr_assert_eq(got.op, VSOCK_OP_CREDIT_REQUEST, "asked once");
	cr_assert_eq(write(ends[1], "pass", 4), 4);
	vsock_guest_settle(&guest);
	cr_assert(vsock_guest_receive(&guest, &got, NULL));
	cr_assert_eq(got.guest_port, 2);
	cr_assert_eq(receive_all(), 0);
}

Test(vsock_rx, without_buffers_the_application_waits)
{
	size_t in_socket, total;

	virtio_dev_reset(guest.dev);
	vsock_guest_start(&guest, 1);
	open_one(1, 1 << 20);
	in_socket = fill(ends[0]);
	vsock_guest_settle(&guest);
	in_socket += fill(ends[0]);
	/* one buffer was used; a second fill() must not have found more room */
	cr_assert_lt(in_socket, 1 << 19, "%zu bytes were taken", in_socket);
	cr_assert_eq(loop_run_once(&guest.loop, 0), 0);
	total = receive_all();
	cr_assert_eq(total, in_socket, "%zu of %zu arrived", total, in_socket);
}

Test(vsock_rx, connections_take_turns)
{
	unsigned int seen[3] = {0};
	struct vsock_packet got;

	virtio_dev_reset(guest.dev);
	vsock_guest_start(&guest, 2);
	for (uint32_t port = 1; port <= 3; port++)
		open_one(port, 1 << 20);
	for (unsigned int i = 0; i < 3; i++)
		(void)fill(ends[i]);
	vsock_guest_settle(&guest);
	/* a buffer comes when one was read: there is always too little */
	for (unsigned int i = 0; i < 90; i++) {
		cr_assert(vsock_guest_receive(&guest, &got, NULL));
		seen[got.guest_port - 1]++;
		vsock_guest_settle(&guest);
	}
	for (unsigned int i = 0; i < 3; i++)
		cr_expect_geq(seen[i], 29, "connection %u: %u", i, seen[i]);
}

Test(vsock_rx, thousands_of_connections)
{
	const struct rlimit many = {10000, 10000};
	struct vsock_packet got;
	unsigned int n = 3000;
	unsigned int answers = 0;
	bool seen[4096] = {false};

	if (setrlimit(RLIMIT_NOFILE, &many) < 0)
		n = 400;
	for (uint32_t port = 0; port < n; port++)
		open_one(port, 4096);
	for (uint32_t port = 0; port < n; port++)
		cr_assert_eq(write(ends[port], &port, 4), 4);
	for (unsigned int idle = 0; answers < n && idle < 1000; idle++) {
		uint32_t data[VSOCK_GUEST_BUFFER / 4];

		cr_assert_eq(loop_run_once(&guest.loop, 1), 0);
		while (vsock_guest_receive(&guest, &got, data)) {
			cr_assert_eq(data[0], got.guest_port);
			cr_assert_not(seen[got.guest_port]);
			seen[got.guest_port] = true;
			answers++;
			idle = 0;
		}
	}
	cr_assert_eq(answers, n);
}

Test(vsock_rx, too_small_buffers_break_the_device_only)
{
	const struct fake_desc d = {.addr = 0x100000,
				    .len = sizeof(struct vsock_hdr),
				    .flags = FAKE_WRITE};

	virtio_dev_reset(guest.dev);
	vsock_guest_start(&guest, 1);
	(void)fake_driver_add(&guest.rx, &d, 1);
	open_one(1, 4096);
	cr_assert_eq(write(ends[0], "x", 1), 1);
	vsock_guest_settle(&guest);
	cr_assert(guest.broken);
	virtio_dev_reset(guest.dev);
	vsock_guest_start(&guest, 16);
	open_one(1, 4096);
	cr_assert_not(guest.broken);
}
