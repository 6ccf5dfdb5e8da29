/*
 * Every queue of every device against every way of breaking a ring (virtio
 * 1.2, 2.7), with and without the features of rings. The device asks for a
 * reset, once, touches nothing, and is as good as new after it.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/fd.h"
#include "devices/virtio_vsock.h"
#include "devices/vsock_wire.h"
#include "support/models.h"
#include "support/virtio_fixture.h"

#define VICTIM (5U << 20) /* the buffers of an attack */
#define TABLE  (6U << 20) /* its indirect tables */
#define TOUCH  65536U     /* bytes of the victim that are looked at */
#define N      FAKE_NEXT
#define W      FAKE_WRITE
#define I      FAKE_INDIRECT

/* Linux's headers of these two have our VIRTIO_F_... as bit numbers. */
#define VIRTIO_BLK_S_OK             0
#define VIRTIO_CONSOLE_DEVICE_READY 0

static struct virtio_fixture f;
static int host = -1; /* our end of the console's port 0 */

TestSuite(hostile_rings, .timeout = 60);

/* --- the devices, and how an honest driver uses them -------------------- */

static struct virtio_dev *make_blk(void)
{
	return model_blk(&f.gm, &f.loop);
}

static struct virtio_dev *make_console(void)
{
	return model_console(&f.gm, &f.loop, &host);
}

static struct virtio_dev *make_rng(void)
{
	return model_rng(&f.gm);
}

static struct virtio_dev *make_vsock(void)
{
	return model_vsock(&f.gm, &f.loop);
}

static void offer(unsigned int q, const void *data, uint32_t size)
{
	const struct fake_desc buf = {
		.addr = virtio_fixture_put(&f, data, size), .len = size};

	(void)virtio_fixture_send(&f, q, &buf, 1);
}

static gpa_t give(unsigned int q, uint32_t size)
{
	const struct fake_desc buf = {.addr = virtio_fixture_alloc(&f, size),
				      .len = size,
				      .flags = W};

	(void)virtio_fixture_send(&f, q, &buf, 1);
	return buf.addr;
}

static bool honest_blk(void)
{
	static const char read_first[16] = {0}; /* type 0, sector 0 */
	struct fake_desc bufs[3] = {
		{.addr = virtio_fixture_put(&f, read_first, 16), .len = 16},
		{.addr = virtio_fixture_alloc(&f, 512), 512, W, 0},
		{.addr = virtio_fixture_put(&f, "\xee", 1), 1, W, 0},
	};
	uint32_t written;

	(void)virtio_fixture_send(&f, 0, bufs, 3);
	return virtio_fixture_wait(&f, 0, &written) && written == 513 &&
	       *virtio_fixture_host(&f, bufs[2].addr) == VIRTIO_BLK_S_OK;
}

static bool honest_console(void)
{
	uint32_t written;
	char text[3] = "";

	while (read(host, text, sizeof(text)) > 0)
		;
	offer(1, "ok", 2);
	return virtio_fixture_wait(&f, 1, &written) &&
	       read(host, text, sizeof(text)) == 2 &&
	       memcmp(text, "ok", 2) == 0;
}

static bool honest_rng(void)
{
	uint32_t written;

	(void)give(0, 16);
	return virtio_fixture_wait(&f, 0, &written) && written == 16;
}

static void send_packet(uint16_t op)
{
	const struct vsock_hdr hdr = {
		.src_cid = le64_make(MODELS_CID),
		.dst_cid = le64_make(VSOCK_CID_HOST),
		.src_port = le32_make(1000),
		.dst_port = le32_make(7),
		.type = le16_make(VSOCK_TYPE_STREAM),
		.op = le16_make(op),
	};

	offer(1, &hdr, sizeof(hdr));
}

/* Nobody listens: an answer all the same. */
static bool honest_vsock(void)
{
	const gpa_t rx = give(0, 256);
	struct vsock_hdr hdr;
	uint32_t written;

	send_packet(VSOCK_OP_REQUEST);
	if (!virtio_fixture_wait(&f, 0, &written) || written != sizeof(hdr))
		return false;
	cr_assert_eq(gmem_read(&f.gm, rx, &hdr, sizeof(hdr)), 0);
	return le16_get(hdr.op) == VSOCK_OP_RST;
}

/* --- what makes a device look at a queue that it fills ------------------ */

static void type_something(void)
{
	cr_assert_eq(write(host, "typed", 5), 5);
}

static void ask_for_ports(void)
{
	static const unsigned char ready[8] = {
		0, 0, 0, 0, VIRTIO_CONSOLE_DEVICE_READY, 0, 1, 0};

	offer(3, ready, sizeof(ready));
}

static void call_nobody(void)
{
	send_packet(VSOCK_OP_REQUEST);
}

static const struct {
	const char *what;
	struct virtio_dev *(*make)(void);
	bool (*honest)(void);
	unsigned int q;
	void (*provoke)(void); /* NULL: a kick is enough */
	bool unused;           /* nobody ever looks at it */
} victims[] = {
	{"disk", make_blk, honest_blk, 0, NULL, false},
	{"console input", make_console, honest_console, 0, type_something,
	 false},
	{"console output", make_console, honest_console, 1, NULL, false},
	{"console control, to the guest", make_console, honest_console, 2,
	 ask_for_ports, false},
	{"console control, from the guest", make_console, honest_console, 3,
	 NULL, false},
	{"entropy", make_rng, honest_rng, 0, NULL, false},
	{"vsock to the guest", make_vsock, honest_vsock, 0, call_nobody, false},
	{"vsock from the guest", make_vsock, honest_vsock, 1, NULL, false},
	{"vsock events", make_vsock, honest_vsock, 2, NULL, true},
};

/* --- the attacks -------------------------------------------------------- */

#define LAST (FIXTURE_MEMORY - 1U)

static const struct {
	const char *what;
	struct fake_desc d[3]; /* the table from descriptor 0 */
	struct fake_desc t[3]; /* the indirect table at TABLE */
	uint16_t head;
	uint16_t avail_idx; /* 0: one request */
} attacks[] = {
	{"a loop of one", {{VICTIM, 1, N | W, 0}}, {{0}}, 0, 0},
	{"a loop of two",
	 {{VICTIM, 1, N | W, 1}, {VICTIM, 1, N | W, 0}},
	 {{0}},
	 0,
	 0},
	{"next behind the table",
	 {{VICTIM, 64, N | W, FIXTURE_RING}},
	 {{0}},
	 0,
	 0},
	{"next 65535", {{VICTIM, 64, N | W, 0xffff}}, {{0}}, 0, 0},
	{"head behind the table", {{VICTIM, 64, W, 0}}, {{0}}, FIXTURE_RING, 0},
	{"head 65535", {{VICTIM, 64, W, 0}}, {{0}}, 0xffff, 0},
	{"index ahead of the ring",
	 {{VICTIM, 64, W, 0}},
	 {{0}},
	 0,
	 FIXTURE_RING + 1},
	{"index backwards", {{VICTIM, 64, W, 0}}, {{0}}, 0, 0xffff},
	{"no bytes", {{VICTIM, 0, W, 0}}, {{0}}, 0, 0},
	{"4 GiB less one", {{VICTIM, UINT32_MAX, W, 0}}, {{0}}, 0, 0},
	{"across the end of RAM", {{LAST, 2, W, 0}}, {{0}}, 0, 0},
	{"outside RAM", {{0xd0000000, 64, W, 0}}, {{0}}, 0, 0},
	{"an address that wraps", {{UINT64_MAX - 7, 16, W, 0}}, {{0}}, 0, 0},
	{"good, then bad",
	 {{VICTIM, 64, N | W, 1}, {LAST + 1ULL, 1, W, 0}},
	 {{0}},
	 0,
	 0},
	{"readable after writable",
	 {{VICTIM, 64, N | W, 1}, {VICTIM, 64, 0, 0}},
	 {{0}},
	 0,
	 0},
	{"a table in a table", {{TABLE, 16, I, 0}}, {{TABLE, 16, I, 0}}, 0, 0},
	{"a table and a next",
	 {{TABLE, 16, I | N, 1}, {VICTIM, 64, W, 0}},
	 {{VICTIM, 64, W, 0}},
	 0,
	 0},
	{"a table of no entry", {{TABLE, 0, I, 0}}, {{0}}, 0, 0},
	{"a table of half an entry", {{TABLE, 8, I, 0}}, {{0}}, 0, 0},
	{"a table outside RAM", {{LAST + 1ULL, 16, I, 0}}, {{0}}, 0, 0},
	{"a loop in a table",
	 {{TABLE, 32, I, 0}},
	 {{VICTIM, 1, N | W, 1}, {VICTIM, 1, N | W, 0}},
	 0,
	 0},
	{"next behind a table",
	 {{TABLE, 32, I, 0}},
	 {{VICTIM, 1, N | W, 2}, {0}, {VICTIM, 1, W, 0}},
	 0,
	 0},
};

static void lay_out(unsigned int q, size_t attack)
{
	struct fake_driver *drv = &f.queues[q];

	memset(virtio_fixture_host(&f, VICTIM), 0xcc, TOUCH);
	for (uint16_t i = 0; i < 3; i++) {
		fake_driver_desc(drv, i, attacks[attack].d[i]);
		fake_driver_indirect(drv, TABLE, i, attacks[attack].t[i]);
	}
	fake_driver_publish(drv, attacks[attack].head);
	if (attacks[attack].avail_idx)
		fake_driver_set_avail_idx(drv, attacks[attack].avail_idx);
}

static bool untouched(void)
{
	const char *p = virtio_fixture_host(&f, VICTIM);

	for (uint32_t i = 0; i < TOUCH; i++) {
		if (p[i] != (char)0xcc)
			return false;
	}
	return true;
}

static void strike(size_t victim, size_t attack, uint64_t features)
{
	const unsigned int q = victims[victim].q;
	uint32_t head, written;
	char what[160];

	(void)snprintf(what, sizeof(what), "%s: %s, features %llx",
		       victims[victim].what, attacks[attack].what,
		       (unsigned long long)features);
	virtio_dev_reset(f.dev);
	virtio_fixture_start(&f, VIRTIO_F_VERSION_1 | features);
	f.config_interrupts = 0;
	lay_out(q, attack);
	virtio_dev_kick(f.dev, q);
	if (victims[victim].provoke)
		victims[victim].provoke();
	for (int i = 0; i < 3; i++)
		cr_assert_eq(loop_run_once(&f.loop, 0), 0);
	cr_expect_eq(f.dev->broken, !victims[victim].unused, "%s", what);
	cr_expect_eq(f.config_interrupts, victims[victim].unused ? 0U : 1U,
		     "%s: told %u times", what, f.config_interrupts);
	if (attacks[attack].avail_idx == 0)
		cr_expect_not(fake_driver_used(&f.queues[q], &head, &written),
			      "%s: answered", what);
	cr_expect(untouched(), "%s: memory was written", what);
	virtio_dev_reset(f.dev);
	virtio_fixture_start(&f, VIRTIO_F_VERSION_1 | features);
	cr_expect(victims[victim].honest(), "%s: then an honest driver", what);
}

Test(hostile_rings, every_queue_against_every_attack)
{
	static const uint64_t features[] = {
		0, VIRTIO_F_INDIRECT_DESC, VIRTIO_F_EVENT_IDX,
		VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX};

	for (size_t v = 0; v < ARRAY_SIZE(victims); v++) {
		virtio_fixture_init(&f);
		virtio_fixture_attach(&f, victims[v].make());
		for (size_t a = 0; a < ARRAY_SIZE(attacks); a++) {
			for (size_t k = 0; k < ARRAY_SIZE(features); k++)
				strike(v, a, features[k]);
		}
		virtio_fixture_fini(&f);
		fd_close(host);
		host = -1;
	}
}

/* A kick of a queue that is not there, or not set up, of every device. */
Test(hostile_rings, kicks_of_other_queues)
{
	static const unsigned int others[] = {63, 64, 0x7fffffff, UINT32_MAX};

	for (size_t v = 0; v < ARRAY_SIZE(victims); v++) {
		virtio_fixture_init(&f);
		virtio_fixture_attach(&f, victims[v].make());
		virtio_fixture_start(&f, VIRTIO_F_VERSION_1);
		for (size_t i = 0; i < ARRAY_SIZE(others); i++)
			virtio_dev_kick(f.dev, others[i]);
		virtio_dev_kick(f.dev, f.dev->n_queues);
		virtio_dev_reset(f.dev);
		for (unsigned int q = 0; q < f.dev->n_queues; q++)
			virtio_dev_kick(f.dev, q); /* before DRIVER_OK */
		cr_expect_not(f.dev->broken, "%s", victims[v].what);
		virtio_fixture_start(&f, VIRTIO_F_VERSION_1);
		cr_expect(victims[v].honest(), "%s", victims[v].what);
		virtio_fixture_fini(&f);
		fd_close(host);
		host = -1;
	}
}

/* Reset while there is work on every queue, and rings elsewhere after it. */
Test(hostile_rings, reset_with_work_on_every_queue)
{
	for (size_t v = 0; v < ARRAY_SIZE(victims); v++) {
		virtio_fixture_init(&f);
		virtio_fixture_attach(&f, victims[v].make());
		for (unsigned int round = 0; round < 20; round++) {
			virtio_fixture_start(&f, VIRTIO_F_VERSION_1);
			for (unsigned int q = 0; q < f.dev->n_queues; q++)
				(void)give(q, 64 + round);
			if (victims[v].provoke)
				victims[v].provoke();
			virtio_dev_reset(f.dev);
			memset(virtio_fixture_host(&f, 0), 0xcc, VICTIM);
			cr_assert_eq(loop_run_once(&f.loop, 0), 0);
			for (uint32_t at = 0; at < VICTIM; at += 64)
				cr_assert_eq(
					(uint8_t)*virtio_fixture_host(&f, at),
					0xcc, "%s: 0x%x was written",
					victims[v].what, at);
		}
		virtio_fixture_start(&f, VIRTIO_F_VERSION_1);
		cr_expect(victims[v].honest(), "%s", victims[v].what);
		virtio_fixture_fini(&f);
		fd_close(host);
		host = -1;
	}
}
