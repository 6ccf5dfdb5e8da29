/*
 * Memory that the guest of a protected VM keeps to itself, in the requests of
 * vsock and of the console: the request fails or its device needs a reset, and
 * nothing else happens. Here it is a page that nobody may touch: a system call
 * finds that out as in a protected VM, and our own loads and stores, which no
 * handler watches in a unit test, ask first.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "devices/virtio_console.h"
#include "devices/virtio_vsock.h"
#include "gmem/guest_access.h"
#include "support/virtio_fixture.h"
#include "support/vsock_guest.h"

/* As large as the largest page of a host, and aligned so. */
#define AREA 0x10000U

static const char *hidden; /* AREA bytes in this process; NULL: none */

int __real_guest_copy(void *to, const void *from, size_t size);
int __wrap_guest_copy(void *to, const void *from, size_t size);

static bool is_hidden(const char *p, size_t size)
{
	return hidden && p < hidden + AREA && p + size > hidden;
}

int __wrap_guest_copy(void *to, const void *from, size_t size)
{
	if (is_hidden(to, size) || is_hidden(from, size))
		return fail(AVF_ERR_PROTOCOL, "private");
	return __real_guest_copy(to, from, size);
}

static void hide(const struct gmem *gm, gpa_t gpa)
{
	struct gmem_slice s;

	cr_assert_eq(gpa % AREA, 0);
	cr_assert_eq(gmem_map(gm, gpa, AREA, &s), 0);
	cr_assert_eq(mprotect(s.host, AREA, PROT_NONE), 0);
	hidden = s.host;
}

static void show(void)
{
	cr_assert_eq(mprotect((void *)(uintptr_t)hidden, AREA,
			      PROT_READ | PROT_WRITE),
		     0);
	hidden = NULL;
}

/* --- vsock ------------------------------------------------------------ */

#define PORT     7U
#define GUEST    1000U
#define DATA     100U
#define HEADER   0x300000ULL /* behind what the driver for tests sends from */
#define PRIVATE  0x310000ULL
#define RX_AREA  0x100000ULL /* as in support/vsock_guest.c */
#define RX_QUEUE 0U
#define TX_QUEUE 1U

static struct vsock_guest guest;
static int app; /* the application's end of the connection */

static int accept_one(void *userdata, uint32_t guest_port, int fd)
{
	(void)userdata;
	(void)guest_port;
	app = fd;
	return fd_set_nonblock(fd, true);
}

static void open_connection(void)
{
	struct vsock_packet p =
		vsock_guest_packet(VSOCK_OP_REQUEST, GUEST, PORT);

	vsock_guest_send(&guest, &p, NULL, 0);
	vsock_guest_settle(&guest);
	cr_assert(vsock_guest_receive(&guest, &p, NULL));
	cr_assert_eq(p.op, VSOCK_OP_RESPONSE);
}

static void start_vsock(void)
{
	vsock_guest_init(&guest, 16);
	cr_assert_eq(virtio_vsock_listen(guest.dev, PORT, accept_one, NULL), 0);
	open_connection();
}

/* Data goes through, after what it takes for that. */
static void expect_vsock(bool was_broken)
{
	struct vsock_packet p = vsock_guest_packet(VSOCK_OP_RW, GUEST, PORT);
	char text[4] = "";

	cr_assert_eq(guest.broken, was_broken, "%s", error_record()->text);
	if (hidden)
		show();
	if (was_broken) {
		virtio_dev_reset(guest.dev);
		(void)close(app);
		vsock_guest_start(&guest, 16);
		open_connection();
	}
	p.len = 2;
	vsock_guest_send(&guest, &p, "ok", 2);
	cr_expect_eq(read(app, text, sizeof(text)), 2);
	cr_expect_str_eq(text, "ok");
	(void)close(app);
	vsock_guest_fini(&guest);
}

/* A packet of which the one or the other is the guest's alone. */
static void send_packet(gpa_t header, gpa_t data)
{
	const struct vsock_hdr hdr = {
		.src_cid = le64_make(VSOCK_GUEST_CID),
		.dst_cid = le64_make(VSOCK_CID_HOST),
		.src_port = le32_make(GUEST),
		.dst_port = le32_make(PORT),
		.len = le32_make(DATA),
		.type = le16_make(VSOCK_TYPE_STREAM),
		.op = le16_make(VSOCK_OP_RW),
		.buf_alloc = le32_make(1 << 20),
	};
	const struct fake_desc parts[2] = {
		{.addr = header, .len = sizeof(hdr)},
		{.addr = data, .len = DATA},
	};

	cr_assert_eq(gmem_write(&guest.gm, header, &hdr, sizeof(hdr)), 0);
	hide(&guest.gm, PRIVATE);
	(void)fake_driver_add(&guest.tx, parts, 2);
	virtio_dev_kick(guest.dev, TX_QUEUE);
}

/* Nobody knows whose packet it is: it is dropped as one that is forged. */
Test(private_memory, the_header_of_a_packet)
{
	uint32_t head, written = 1;
	char byte;

	start_vsock();
	send_packet(PRIVATE, HEADER);
	cr_expect(fake_driver_used(&guest.tx, &head, &written));
	cr_expect_eq(written, 0);
	cr_expect_lt(read(app, &byte, 1), 0, "nothing came");
	expect_vsock(false);
}

Test(private_memory, the_data_of_a_packet)
{
	uint32_t head, written;

	start_vsock();
	send_packet(HEADER, PRIVATE);
	cr_expect_not(fake_driver_used(&guest.tx, &head, &written));
	cr_expect(strstr(error_record()->text, "cannot be read"), "%s",
		  error_record()->text);
	expect_vsock(true);
}

Test(private_memory, a_buffer_for_data)
{
	start_vsock();
	hide(&guest.gm, RX_AREA);
	cr_assert_eq(write(app, "text", 4), 4);
	vsock_guest_settle(&guest);
	cr_expect(strstr(error_record()->text, "cannot be written"), "%s",
		  error_record()->text);
	expect_vsock(true);
}

/* An answer that is a header only is lost, and its buffer comes back. */
Test(private_memory, a_buffer_for_a_header)
{
	struct vsock_packet p =
		vsock_guest_packet(VSOCK_OP_REQUEST, GUEST, PORT + 1);
	uint32_t head, written;

	start_vsock();
	hide(&guest.gm, RX_AREA);
	vsock_guest_send(&guest, &p, NULL, 0);
	vsock_guest_settle(&guest);
	cr_expect(fake_driver_used(&guest.rx, &head, &written));
	expect_vsock(false);
}

/* --- the console ------------------------------------------------------ */

#define MULTIPORT  BIT64(1) /* virtio 1.2, 5.3.3 */
#define CONTROL_RX 2U
#define CONTROL_TX 3U

static struct virtio_fixture f;
static int host;           /* our end of port 0 */
static gpa_t private_area; /* AREA bytes */
static unsigned int n_reported;

static void on_report(void *userdata, const void *data, size_t size)
{
	(void)userdata;
	(void)data;
	n_reported += (unsigned int)size;
}

/* Port 0 has a socket, port 1 a callback. */
static void start_console(void)
{
	struct virtio_console_port_config ports[2] = {
		{.name = "console", .is_console = true, .in_fd = -1},
		{.name = "report",
		 .received = on_report,
		 .in_fd = -1,
		 .out_fd = -1},
	};
	struct virtio_dev *dev = NULL;
	int fds[2];

	virtio_fixture_init(&f);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	cr_assert_eq(fd_set_nonblock(fds[0], true), 0);
	host = fds[0];
	ports[0].out_fd = fds[1];
	cr_assert_eq(virtio_console_new(&f.gm, &f.loop, ports, 2, &dev), 0);
	virtio_fixture_attach(&f, dev);
	virtio_fixture_start(&f, MULTIPORT);
	private_area = virtio_fixture_alloc(&f, 2 * AREA);
	private_area = (private_area + AREA - 1) / AREA * AREA;
	hide(&f.gm, private_area);
}

static void stop_console(void)
{
	cr_expect_not(f.dev->broken, "%s", error_record()->text);
	show();
	virtio_fixture_fini(&f);
	(void)close(host);
}

/* What can be read arrives, in order; the rest is dropped. */
static void send_output(unsigned int q)
{
	const struct fake_desc parts[3] = {
		{.addr = virtio_fixture_put(&f, "one", 3), .len = 3},
		{.addr = private_area, .len = AREA},
		{.addr = virtio_fixture_put(&f, "two", 3), .len = 3},
	};
	uint32_t written = 1;

	(void)virtio_fixture_send(&f, q, parts, 3);
	cr_assert(virtio_fixture_wait(&f, q, &written));
	cr_expect_eq(written, 0);
}

Test(private_memory, output_for_a_descriptor)
{
	char text[16] = "";

	start_console();
	send_output(1);
	cr_expect_eq(read(host, text, sizeof(text)), 6);
	cr_expect_str_eq(text, "onetwo");
	stop_console();
}

Test(private_memory, output_for_the_vmm)
{
	start_console();
	send_output(5);
	cr_expect_eq(n_reported, 6);
	stop_console();
}

/* What the driver says; @gpa: where its message is. */
static void say(gpa_t gpa)
{
	const struct fake_desc message = {.addr = gpa, .len = 8};
	uint32_t written;

	(void)virtio_fixture_send(&f, CONTROL_TX, &message, 1);
	cr_assert(virtio_fixture_wait(&f, CONTROL_TX, &written));
}

/* What it is told into a buffer at @gpa; bytes, or -1 for nothing. */
static int hear(gpa_t gpa)
{
	const struct fake_desc buf = {
		.addr = gpa, .len = 64, .flags = FAKE_WRITE};
	uint32_t head, written;

	(void)virtio_fixture_send(&f, CONTROL_RX, &buf, 1);
	virtio_fixture_settle(&f);
	return fake_driver_used(&f.queues[CONTROL_RX], &head, &written)
		       ? (int)written
		       : -1;
}

/* "The driver is ready", which makes the device tell of its ports. */
static const unsigned char ready[8] = {[6] = 1};

Test(private_memory, what_the_driver_says)
{
	start_console();
	say(private_area);
	cr_expect_eq(hear(virtio_fixture_alloc(&f, 64)), -1);
	/* the same where it can be read: into the buffer that waits */
	say(virtio_fixture_put(&f, ready, sizeof(ready)));
	cr_expect_eq(hear(virtio_fixture_alloc(&f, 64)), 8);
	stop_console();
}

/* It has had its buffer: it is not told again. */
Test(private_memory, what_the_driver_is_told)
{
	start_console();
	say(virtio_fixture_put(&f, ready, sizeof(ready)));
	cr_expect_eq(hear(private_area), 0, "nothing is in it");
	cr_expect_eq(hear(virtio_fixture_alloc(&f, 64)), 8, "the next port");
	stop_console();
}
