#include "devices/virtio_console.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/virtio_console.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/fd.h"
#include "support/virtio_fixture.h"

#define MULTIPORT  BIT64(VIRTIO_CONSOLE_F_MULTIPORT)
#define CONTROL_RX 2U
#define CONTROL_TX 3U

static struct virtio_fixture f;
static int host[2]; /* our ends of port 0 and 1 */
static char reported[1 << 20];
static size_t n_reported;

static void on_report(void *userdata, const void *data, size_t size)
{
	(void)userdata;
	cr_assert_leq(n_reported + size, sizeof(reported));
	memcpy(reported + n_reported, data, size);
	n_reported += size;
}

/* A console, a port with a socket, a port with a callback. */
static void start(uint64_t features)
{
	struct virtio_console_port_config ports[3] = {
		{.name = "console", .is_console = true},
		{.name = "data"},
		{.name = "report", .received = on_report},
	};
	struct virtio_dev *dev = NULL;
	int fds[2];

	virtio_fixture_init(&f);
	for (unsigned int i = 0; i < 2; i++) {
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		cr_assert_eq(fd_set_nonblock(fds[0], true), 0);
		host[i] = fds[0];
		ports[i].out_fd = fds[1];
		ports[i].in_fd = dup(fds[1]);
	}
	ports[2].out_fd = -1;
	ports[2].in_fd = -1;
	cr_assert_eq(virtio_console_new(&f.gm, &f.loop, ports, 3, &dev), 0);
	virtio_fixture_attach(&f, dev);
	virtio_fixture_start(&f, features);
	virtio_fixture_settle(&f);
}

static void stop(void)
{
	virtio_fixture_fini(&f);
	(void)close(host[0]);
	(void)close(host[1]);
}

static gpa_t give_buffer(unsigned int q, uint32_t size)
{
	const gpa_t gpa = virtio_fixture_alloc(&f, size);
	const struct fake_desc buf = {
		.addr = gpa, .len = size, .flags = FAKE_WRITE};

	(void)virtio_fixture_send(&f, q, &buf, 1);
	return gpa;
}

static void say(uint32_t id, uint16_t event, uint16_t value)
{
	const struct {
		le32 id;
		le16 event, value;
	} m = {le32_make(id), le16_make(event), le16_make(value)};
	const struct fake_desc buf = {
		.addr = virtio_fixture_put(&f, &m, sizeof(m)),
		.len = sizeof(m)};
	uint32_t written;

	(void)virtio_fixture_send(&f, CONTROL_TX, &buf, 1);
	cr_assert(virtio_fixture_wait(&f, CONTROL_TX, &written));
}

/* Give a buffer for control and expect that message in it. */
static void expect_control(uint32_t id, uint16_t event, const char *name)
{
	const gpa_t gpa = give_buffer(CONTROL_RX, 64);
	const char *got = virtio_fixture_host(&f, gpa);
	const uint8_t want[] = {(uint8_t)id, 0, 0, 0, (uint8_t)event, 0, 1, 0};
	uint32_t written = 0;

	cr_assert(virtio_fixture_wait(&f, CONTROL_RX, &written),
		  "port %u event %u", id, event);
	cr_expect_eq(memcmp(got, want, 8), 0, "port %u event %u: got %d %d", id,
		     event, got[0], got[4]);
	cr_expect_eq(written, 8 + strlen(name));
	cr_expect_str_eq(got + 8, name);
}

static void expect_no_control(const char *what)
{
	uint32_t written;

	(void)give_buffer(CONTROL_RX, 64);
	virtio_fixture_settle(&f);
	cr_expect_not(
		fake_driver_used(&f.queues[CONTROL_RX], &written, &written),
		"%s", what);
}

TestSuite(virtio_console, .timeout = 30);

Test(virtio_console, ports_introduce_themselves)
{
	start(MULTIPORT);
	say(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (uint32_t id = 0; id < 3; id++)
		expect_control(id, VIRTIO_CONSOLE_PORT_ADD, "");
	say(0, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_control(0, VIRTIO_CONSOLE_CONSOLE_PORT, "");
	expect_control(0, VIRTIO_CONSOLE_PORT_NAME, "console");
	expect_control(0, VIRTIO_CONSOLE_PORT_OPEN, "");
	say(2, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_control(2, VIRTIO_CONSOLE_PORT_NAME, "report");
	expect_control(2, VIRTIO_CONSOLE_PORT_OPEN, "");
	say(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	expect_no_control("no more than that, and nothing twice");
	stop();
}

Test(virtio_console, hostile_control_messages_are_ignored)
{
	static const struct {
		const char *what;
		uint32_t id;
		uint16_t event;
		uint16_t value;
	} rows[] = {
		{"a port that is not there", 3, VIRTIO_CONSOLE_PORT_READY, 1},
		{"opens the first that is not there", 3,
		 VIRTIO_CONSOLE_PORT_OPEN, 1},
		{"port 2^32-1", UINT32_MAX, VIRTIO_CONSOLE_PORT_READY, 1},
		{"opens what is not there", 99, VIRTIO_CONSOLE_PORT_OPEN, 1},
		{"an unknown event", 0, 1000, 1},
		{"our own PORT_ADD", 0, VIRTIO_CONSOLE_PORT_ADD, 1},
		{"resize", 0, VIRTIO_CONSOLE_RESIZE, 1},
		{"driver failed", 0, VIRTIO_CONSOLE_DEVICE_READY, 0},
		{"port failed", 0, VIRTIO_CONSOLE_PORT_READY, 0},
	};

	start(MULTIPORT);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		say(rows[i].id, rows[i].event, rows[i].value);
		virtio_fixture_settle(&f);
		cr_expect_not(f.dev->broken, "%s", rows[i].what);
	}
	expect_no_control("nothing to answer");
	stop();
}

Test(virtio_console, a_short_control_message_is_ignored)
{
	const struct fake_desc buf = {.addr = 0x1000, .len = 7};
	uint32_t written;

	start(MULTIPORT);
	say(99, VIRTIO_CONSOLE_PORT_OPEN, 0);     /* what may be left of it */
	*virtio_fixture_host(&f, 0x1000 + 6) = 1; /* DEVICE_READY, but for */
	(void)virtio_fixture_send(&f, CONTROL_TX, &buf, 1); /* a byte */
	cr_expect(virtio_fixture_wait(&f, CONTROL_TX, &written));
	expect_no_control("nothing to answer");
	stop();
}

/* A message is its first eight bytes, however they are cut. */
Test(virtio_console, a_control_message_in_pieces_is_one)
{
	static const uint8_t ready[16] = {
		0, 0, 0, 0, VIRTIO_CONSOLE_DEVICE_READY, 0, 1, 0, 9, 9, 9, 9};
	struct fake_desc bufs[16];
	uint32_t written = 1;

	for (unsigned int n = 8; n <= 16; n += 8) {
		start(MULTIPORT);
		for (unsigned int i = 0; i < n; i++)
			bufs[i] = (struct fake_desc){
				.addr = virtio_fixture_put(&f, &ready[i], 1),
				.len = 1};
		(void)virtio_fixture_send(&f, CONTROL_TX, bufs, n);
		cr_assert(virtio_fixture_wait(&f, CONTROL_TX, &written));
		cr_expect_eq(written, 0);
		expect_control(0, VIRTIO_CONSOLE_PORT_ADD, "");
		stop();
	}
}

/* Buffers of the wrong direction on each queue come back unused. */
Test(virtio_console, buffers_of_the_wrong_direction)
{
	static const struct {
		const char *what;
		unsigned int q;
		uint16_t flags;
	} rows[] = {
		{"input that cannot be written", 0, 0},
		{"output that cannot be read", 1, FAKE_WRITE},
		{"control that cannot be written", CONTROL_RX, 0},
		{"control that cannot be read", CONTROL_TX, FAKE_WRITE},
		{"input of another port that cannot be written", 4, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake_desc buf = {.len = 64, .flags = rows[i].flags};
		uint32_t written = 1;
		gpa_t gpa;

		start(MULTIPORT);
		say(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
		say(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
		buf.addr = gpa = virtio_fixture_alloc(&f, 64);
		cr_assert_eq(fd_write_all(host[0], "typed", 5), 0);
		cr_assert_eq(fd_write_all(host[1], "typed", 5), 0);
		(void)virtio_fixture_send(&f, rows[i].q, &buf, 1);
		cr_expect(virtio_fixture_wait(&f, rows[i].q, &written), "%s",
			  rows[i].what);
		cr_expect_eq(written, 0, "%s: %u", rows[i].what, written);
		cr_expect_eq(*virtio_fixture_host(&f, gpa), 0, "%s",
			     rows[i].what);
		cr_expect_not(f.dev->broken, "%s", rows[i].what);
		stop();
	}
}

/* Window sizes, ports that open and close, events that are ours to send: a
 * driver may repeat them as long as it likes. */
Test(virtio_console, a_spam_of_events_is_not_answered)
{
	static const uint16_t events[] = {
		VIRTIO_CONSOLE_RESIZE, VIRTIO_CONSOLE_PORT_OPEN,
		VIRTIO_CONSOLE_PORT_NAME, VIRTIO_CONSOLE_PORT_REMOVE, 0xffff};

	start(MULTIPORT);
	for (unsigned int i = 0; i < 3000; i++) {
		const gpa_t next = f.next;

		say(i % 5, events[i % ARRAY_SIZE(events)], (uint16_t)i);
		f.next = next;
	}
	cr_expect_not(f.dev->broken);
	expect_no_control("nothing of that asks for an answer");
	stop();
}

/* A console full of one-byte parts: all of them, in their order. */
Test(virtio_console, many_tiny_parts)
{
	struct fake_desc bufs[FIXTURE_RING];
	char text[FIXTURE_RING];
	uint32_t written;

	start(MULTIPORT);
	for (unsigned int i = 0; i < FIXTURE_RING; i++) {
		const char byte = (char)('0' + i);

		bufs[i] = (struct fake_desc){
			.addr = virtio_fixture_put(&f, &byte, 1), .len = 1};
	}
	for (unsigned int round = 0; round < 50; round++) {
		(void)virtio_fixture_send(&f, 1, bufs, FIXTURE_RING);
		cr_assert(virtio_fixture_wait(&f, 1, &written));
		cr_assert_eq(read(host[0], text, sizeof(text)), FIXTURE_RING);
		for (unsigned int i = 0; i < FIXTURE_RING; i++)
			cr_expect_eq(text[i], (char)('0' + i));
	}
	stop();
}

Test(virtio_console, a_flood_of_questions_costs_nothing)
{
	start(MULTIPORT);
	for (unsigned int i = 0; i < 2000; i++) {
		const gpa_t next = f.next;

		say(1, VIRTIO_CONSOLE_PORT_READY, 1);
		say(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
		say(1, VIRTIO_CONSOLE_PORT_OPEN, i & 1);
		f.next = next;
	}
	expect_control(0, VIRTIO_CONSOLE_PORT_ADD, "");
	expect_control(1, VIRTIO_CONSOLE_PORT_ADD, "");
	expect_control(1, VIRTIO_CONSOLE_PORT_NAME, "data");
	expect_control(1, VIRTIO_CONSOLE_PORT_OPEN, "");
	expect_control(2, VIRTIO_CONSOLE_PORT_ADD, "");
	expect_no_control("each once");
	stop();
}

Test(virtio_console, a_tiny_control_buffer_gets_what_fits)
{
	uint32_t written = 0;

	start(MULTIPORT);
	say(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	(void)give_buffer(CONTROL_RX, 3);
	cr_assert(virtio_fixture_wait(&f, CONTROL_RX, &written));
	cr_expect_eq(written, 3);
	expect_control(1, VIRTIO_CONSOLE_PORT_ADD, "");
	stop();
}

Test(virtio_console, output_of_every_part)
{
	static const unsigned int queues[] = {1, 5, 7};
	char text[64];

	for (unsigned int port = 0; port < 3; port++) {
		struct fake_desc bufs[10];
		uint32_t written = 1;

		start(MULTIPORT);
		memset(text, 0, sizeof(text));
		for (unsigned int i = 0; i < 10; i++)
			bufs[i] = (struct fake_desc){
				.addr = virtio_fixture_put(&f, &"0123456789"[i],
							   1),
				.len = 1};
		(void)virtio_fixture_send(&f, queues[port], bufs, 10);
		cr_expect(virtio_fixture_wait(&f, queues[port], &written));
		cr_expect_eq(written, 0);
		if (port < 2)
			cr_expect_eq(read(host[port], text, 64), 10);
		else
			memcpy(text, reported, n_reported);
		cr_expect_str_eq(text, "0123456789", "port %u", port);
		stop();
	}
}

Test(virtio_console, a_blocked_host_holds_output_on_the_ring)
{
	static char pattern[1 << 20], got[1 << 20];
	size_t total = 0;
	uint32_t written;
	struct fake_desc buf;
	ssize_t n;

	start(MULTIPORT);
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)(i * 31 >> 3);
	buf = (struct fake_desc){
		.addr = virtio_fixture_put(&f, pattern, sizeof(pattern)),
		.len = sizeof(pattern)};
	(void)virtio_fixture_send(&f, 1, &buf, 1);
	(void)virtio_fixture_send(&f, 1, &buf, 1);
	virtio_fixture_settle(&f);
	cr_expect_not(fake_driver_used(&f.queues[1], &written, &written),
		      "not taken as a whole, so not returned");
	while (total < sizeof(got)) {
		n = read(host[0], got + total, sizeof(got) - total);
		if (n > 0)
			total += (size_t)n;
		cr_assert_eq(loop_run_once(&f.loop, 10), 0);
	}
	cr_expect_eq(memcmp(got, pattern, sizeof(got)), 0, "nothing twice");
	cr_expect(virtio_fixture_wait(&f, 1, &written));
	cr_expect_not(fake_driver_used(&f.queues[1], &written, &written));
	stop();
}

Test(virtio_console, a_turn_is_bounded_but_everything_arrives)
{
	struct fake_desc buf;
	uint32_t written;

	start(MULTIPORT);
	buf = (struct fake_desc){.addr = 4 << 20, .len = 900 << 10};
	(void)virtio_fixture_send(&f, 7, &buf, 1);
	cr_expect_leq(n_reported, 256 << 10, "one turn");
	cr_expect(virtio_fixture_wait(&f, 7, &written));
	cr_expect_eq(n_reported, 900 << 10);
	stop();
}

Test(virtio_console, output_to_a_host_that_left_is_discarded)
{
	const struct fake_desc buf = {.addr = 0, .len = 1 << 20};
	uint32_t written;

	start(MULTIPORT);
	(void)close(host[0]);
	for (unsigned int i = 0; i < 20; i++) {
		(void)virtio_fixture_send(&f, 1, &buf, 1);
		cr_expect(virtio_fixture_wait(&f, 1, &written));
	}
	cr_expect_not(f.dev->broken);
	host[0] = -1;
	stop();
}

Test(virtio_console, input_waits_for_buffers)
{
	uint32_t written = 0;
	gpa_t gpa;

	start(MULTIPORT);
	cr_assert_eq(fd_write_all(host[0], "hello", 5), 0);
	virtio_fixture_settle(&f);
	gpa = give_buffer(0, 3);
	cr_assert(virtio_fixture_wait(&f, 0, &written));
	cr_expect_eq(written, 3);
	cr_expect_eq(memcmp(virtio_fixture_host(&f, gpa), "hel", 3), 0);
	gpa = give_buffer(0, 100);
	cr_assert(virtio_fixture_wait(&f, 0, &written));
	cr_expect_eq(written, 2);
	cr_expect_eq(memcmp(virtio_fixture_host(&f, gpa), "lo", 2), 0);
	stop();
}

Test(virtio_console, a_closed_port_gets_no_input)
{
	uint32_t written = 0;

	start(MULTIPORT);
	cr_assert_eq(fd_write_all(host[1], "data", 4), 0);
	(void)give_buffer(4, 64);
	virtio_fixture_settle(&f);
	cr_expect_not(fake_driver_used(&f.queues[4], &written, &written),
		      "the guest would drop it");
	say(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	cr_expect(virtio_fixture_wait(&f, 4, &written));
	cr_expect_eq(written, 4);
	stop();
}

Test(virtio_console, the_end_of_input_is_quiet_and_output_goes_on)
{
	const struct fake_desc buf = {.addr = 0, .len = 5};
	uint32_t written;
	char text[8];

	start(MULTIPORT);
	(void)give_buffer(0, 64);
	cr_assert_eq(shutdown(host[0], SHUT_WR), 0);
	virtio_fixture_settle(&f);
	cr_expect_not(fake_driver_used(&f.queues[0], &written, &written));
	(void)virtio_fixture_send(&f, 1, &buf, 1);
	cr_expect(virtio_fixture_wait(&f, 1, &written));
	cr_expect_eq(read(host[0], text, sizeof(text)), 5);
	stop();
}

Test(virtio_console, without_multiport_there_is_port_0)
{
	uint32_t written = 0;

	start(0);
	(void)give_buffer(0, 64);
	cr_assert_eq(fd_write_all(host[0], "data", 4), 0);
	cr_expect(virtio_fixture_wait(&f, 0, &written));
	cr_expect_eq(written, 4);
	stop();
}

Test(virtio_console, reset_forgets_the_driver)
{
	const struct fake_desc buf = {.addr = 0, .len = 5};
	uint32_t written;

	start(MULTIPORT);
	say(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	(void)give_buffer(0, 64);
	virtio_fixture_settle(&f);
	virtio_dev_reset(f.dev);
	memset(virtio_fixture_host(&f, 0), 0xcc, FIXTURE_MEMORY);
	cr_assert_eq(fd_write_all(host[0], "late", 4), 0);
	virtio_fixture_settle(&f);
	for (uint32_t i = 0; i < FIXTURE_MEMORY; i++)
		cr_assert_eq((uint8_t)*virtio_fixture_host(&f, i), 0xcc,
			     "0x%x was written after reset", i);
	virtio_fixture_start(&f, MULTIPORT);
	expect_no_control("not ready yet");
	(void)give_buffer(0, 64);
	cr_expect(virtio_fixture_wait(&f, 0, &written));
	cr_expect_eq(written, 4, "what the host sent meanwhile");
	(void)virtio_fixture_send(&f, 1, &buf, 1);
	cr_expect(virtio_fixture_wait(&f, 1, &written));
	stop();
}

/* A host that reads slowly had half of a buffer: the next driver's output
 * begins at its beginning. */
Test(virtio_console, a_reset_in_the_middle_of_output)
{
	const struct fake_desc large = {.addr = 1 << 20, .len = 2 << 20};
	static char text[1 << 16];
	struct fake_desc buf = {.len = 5};
	uint32_t written;

	start(MULTIPORT);
	(void)virtio_fixture_send(&f, 1, &large, 1);
	virtio_fixture_settle(&f);
	cr_assert_not(fake_driver_used(&f.queues[1], &written, &written));
	virtio_dev_reset(f.dev);
	while (read(host[0], text, sizeof(text)) > 0)
		;
	virtio_fixture_start(&f, MULTIPORT);
	buf.addr = virtio_fixture_put(&f, "fresh", 5);
	(void)virtio_fixture_send(&f, 1, &buf, 1);
	cr_expect(virtio_fixture_wait(&f, 1, &written));
	cr_expect_eq(read(host[0], text, sizeof(text)), 5);
	cr_expect_eq(memcmp(text, "fresh", 5), 0);
	stop();
}

Test(virtio_console, a_file_as_input_is_read_to_its_end)
{
	struct virtio_console_port_config port = {.name = "",
						  .is_console = true};
	struct virtio_dev *dev = NULL;
	uint32_t written = 0;

	virtio_fixture_init(&f);
	port.in_fd = memfd_create("input", MFD_CLOEXEC);
	cr_assert_eq(pwrite(port.in_fd, "abcdef", 6, 0), 6);
	port.out_fd = -1;
	cr_assert_eq(virtio_console_new(&f.gm, &f.loop, &port, 1, &dev), 0);
	virtio_fixture_attach(&f, dev);
	virtio_fixture_start(&f, MULTIPORT);
	for (unsigned int i = 0; i < 3; i++)
		(void)give_buffer(0, 4);
	cr_expect(virtio_fixture_wait(&f, 0, &written));
	cr_expect_eq(written, 4);
	cr_expect(virtio_fixture_wait(&f, 0, &written));
	cr_expect_eq(written, 2);
	virtio_fixture_settle(&f);
	cr_expect_not(fake_driver_used(&f.queues[0], &written, &written));
	virtio_fixture_fini(&f);
}

/* A whole page of guest memory that nobody but the guest may touch, as in a
 * protected VM. */
static gpa_t private_page(void)
{
	const uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);
	const gpa_t gpa = virtio_fixture_alloc(&f, 2 * page) + page - 1;
	const gpa_t start = gpa / page * page;

	cr_assert_eq(mprotect(virtio_fixture_host(&f, start), page, PROT_NONE),
		     0);
	return start;
}

/* The next driver gets what the application has written meanwhile. */
Test(virtio_console, a_buffer_that_the_guest_keeps_to_itself)
{
	struct fake_desc buf = {.len = 64, .flags = FAKE_WRITE};
	uint32_t written = 0;
	gpa_t gpa;

	start(MULTIPORT);
	buf.addr = private_page();
	(void)virtio_fixture_send(&f, 0, &buf, 1);
	cr_assert_eq(write(host[0], "input", 5), 5);
	virtio_fixture_settle(&f);
	cr_expect(f.dev->broken, "it has no other way to tell");
	virtio_dev_reset(f.dev);
	cr_assert_eq(mprotect(virtio_fixture_host(&f, buf.addr), 64,
			      PROT_READ | PROT_WRITE),
		     0);
	virtio_fixture_start(&f, MULTIPORT);
	gpa = give_buffer(0, 64);
	cr_assert(virtio_fixture_wait(&f, 0, &written));
	cr_expect_eq(written, 5);
	cr_expect_eq(memcmp(virtio_fixture_host(&f, gpa), "input", 5), 0);
	stop();
}

Test(virtio_console, what_cannot_be_made)
{
	static const struct {
		const char *what;
		const char *name;
		unsigned int n;
	} rows[] = {
		{"no ports", "a", 0},
		{"five ports", "a", 5},
		{"no name", NULL, 1},
		{"32 bytes of name", "0123456789abcdef0123456789abcdef", 1},
	};

	virtio_fixture_init(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct virtio_console_port_config ports[5];
		struct virtio_dev *dev = NULL;

		for (unsigned int k = 0; k < 5; k++)
			ports[k] = (struct virtio_console_port_config){
				.name = rows[i].name,
				.out_fd = dup(1),
				.in_fd = dup(0)};
		cr_expect_eq(virtio_console_new(&f.gm, &f.loop, ports,
						rows[i].n, &dev),
			     AVF_ERR_INVALID, "%s", rows[i].what);
		cr_expect_null(dev);
		for (unsigned int k = 0; k < rows[i].n; k++)
			cr_expect_lt(fcntl(ports[k].out_fd, F_GETFD), 0,
				     "%s: taken", rows[i].what);
	}
	virtio_fixture_fini(&f);
}
