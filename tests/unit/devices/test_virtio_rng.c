/* The entropy device: how much it answers, and to whom it does not. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/checked.h"
#include "devices/virtio_rng.h"
#include "support/fake_driver.h"
#include "support/fake_pci_guest.h"
#include "virtio/pci.h"

#define RAM     0x400000ULL
#define RINGS   0x1000ULL
#define BUF     0x100000ULL
#define MAX_BUF 4
#define W       FAKE_WRITE
#define LIMIT   VIRTIO_RNG_MAX_REQUEST

static struct gmem gm;
static struct fake_driver drv;
static struct virtio_dev *rng;
static int n_later;

static void interrupt_queue(void *transport, unsigned int q)
{
	(void)transport;
	(void)q;
}

static void interrupt_config(void *transport)
{
	(void)transport;
}

static void kick_later(void *transport, unsigned int q)
{
	(void)transport;
	(void)q;
	n_later++;
}

static const struct virtio_transport_ops transport = {
	.interrupt_queue = interrupt_queue,
	.interrupt_config = interrupt_config,
	.kick_later = kick_later,
};

static void setup(void)
{
	gmem_init(&gm);
	cr_assert_eq(gmem_add_anonymous(&gm, 0, RAM), 0);
	cr_assert_eq(virtio_rng_new(&gm, &rng), 0);
	virtio_dev_attach(rng, &transport, NULL, NULL);
	(void)fake_driver_init(&drv, &gm, RINGS, 64);
	fake_driver_place(&drv, &rng->queues[0]);
	cr_assert_eq(virtq_start(&rng->queues[0], 0), 0);
	virtio_dev_activate(rng, VIRTIO_F_VERSION_1);
}

static void teardown(void)
{
	virtio_dev_free(rng);
	gmem_fini(&gm);
}

TestSuite(virtio_rng, .init = setup, .fini = teardown);

static const struct {
	const char *what;
	struct fake_desc bufs[MAX_BUF];
	unsigned int n;
	uint32_t written;
	bool breaks;
} rows[] = {
	{"one byte", {{BUF, 1, W, 0}}, 1, 1, false},
	{"a small buffer", {{BUF, 64, W, 0}}, 1, 64, false},
	{"many buffers",
	 {{BUF, 1, W, 0}, {BUF + 8, 7, W, 0}, {BUF + 64, 300, W, 0}},
	 3,
	 308,
	 false},
	{"just the limit", {{BUF, LIMIT, W, 0}}, 1, LIMIT, false},
	{"one byte more", {{BUF, LIMIT + 1, W, 0}}, 1, LIMIT, false},
	{"nearly all of RAM", {{BUF, 0x300000, W, 0}}, 1, LIMIT, false},
	{"the limit over two buffers",
	 {{BUF, LIMIT - 1, W, 0}, {BUF + LIMIT, 9, W, 0}},
	 2,
	 LIMIT,
	 false},
	{"beyond the limit in a later buffer",
	 {{BUF, LIMIT, W, 0}, {BUF + LIMIT, 9, W, 0}},
	 2,
	 LIMIT,
	 false},
	{"over its own rings' end: own harm",
	 {{BUF - 8, 16, W, 0}},
	 1,
	 16,
	 false},
	{"4 GiB", {{BUF, UINT32_MAX, W, 0}}, 1, 0, true},
	{"no bytes", {{BUF, 0, W, 0}}, 1, 0, true},
	{"a readable buffer", {{BUF, 16, 0, 0}}, 1, 0, true},
	{"readable, then writable",
	 {{BUF, 16, 0, 0}, {BUF, 16, W, 0}},
	 2,
	 0,
	 true},
	{"outside of RAM", {{RAM, 16, W, 0}}, 1, 0, true},
};

/* Bytes of the guest's that are not the zero they were. */
static uint64_t touched(void)
{
	struct gmem_slice s;
	uint64_t n = 0;

	cr_assert_eq(gmem_map(&gm, BUF, RAM - BUF, &s), 0);
	for (uint64_t i = 0; i < s.size; i++)
		n += s.host[i] != 0;
	memset(s.host, 0, s.size);
	return n;
}

Test(virtio_rng, requests)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t head;
		uint32_t written = 0;
		uint64_t n;

		teardown();
		setup();
		(void)fake_driver_add(&drv, rows[i].bufs, rows[i].n);
		virtio_dev_kick(rng, 0);
		cr_expect_eq(rng->broken, rows[i].breaks, "%s", rows[i].what);
		cr_expect_eq(fake_driver_used(&drv, &head, &written),
			     !rows[i].breaks, "%s", rows[i].what);
		cr_expect_eq(written, rows[i].written, "%s: %u", rows[i].what,
			     written);
		n = touched();
		cr_expect_leq(n, rows[i].written, "%s", rows[i].what);
		if (rows[i].written >= 64)
			cr_expect_geq(n, rows[i].written / 2,
				      "%s: that is not random", rows[i].what);
	}
}

Test(virtio_rng, two_answers_differ)
{
	const struct fake_desc buf[] = {{BUF, 16, W, 0}, {BUF + 16, 16, W, 0}};
	struct gmem_slice s;

	(void)fake_driver_add(&drv, &buf[0], 1);
	(void)fake_driver_add(&drv, &buf[1], 1);
	virtio_dev_kick(rng, 0);
	cr_assert_eq(gmem_map(&gm, BUF, 32, &s), 0);
	cr_expect_neq(memcmp(s.host, s.host + 16, 16), 0);
}

Test(virtio_rng, a_greedy_driver_waits_its_turn)
{
	const struct fake_desc buf = {BUF, 16, W, 0};
	uint32_t head;
	uint32_t written;
	int n = 0;

	for (int i = 0; i < 64; i++)
		(void)fake_driver_add(&drv, &buf, 1);
	virtio_dev_kick(rng, 0);
	while (fake_driver_used(&drv, &head, &written))
		n++;
	cr_expect_lt(n, 64);
	cr_expect_eq(n_later, 1);
	for (int i = 0; i < 8; i++)
		virtio_dev_kick(rng, 0);
	while (fake_driver_used(&drv, &head, &written))
		n++;
	cr_expect_eq(n, 64);
}

Test(virtio_rng, over_pci)
{
	const struct fake_desc buf = {0x100000, 32, W, 0};
	struct fake_machine m;
	struct fake_guest g;
	struct virtio_dev *dev;
	struct virtio_pci *vp;
	uint32_t head;
	uint32_t written;
	int n = 0;

	fake_machine_init(&m);
	cr_assert_eq(virtio_rng_new(&m.gm, &dev), 0);
	cr_assert_eq(virtio_pci_new(dev, &m.pci, &m.loop, &m.hv.hv, NULL, &vp),
		     0);
	fake_guest_init(&g, &m, 1);
	cr_expect_eq(g.device, 0U, "it has no configuration");
	(void)fake_driver_init(&drv, &m.gm, RINGS, 64);
	cr_assert(fake_guest_negotiate(&g, VIRTIO_F_EVENT_IDX));
	fake_guest_enable_msix(&g, 2);
	fake_guest_set_queue(&g, 0, &drv);
	fake_guest_driver_ok(&g);
	for (int i = 0; i < 64; i++)
		(void)fake_driver_add(&drv, &buf, 1);
	fake_guest_kick(&g, 0);
	while (fake_driver_used(&drv, &head, &written))
		n += written == 32;
	cr_expect_eq(n, 64, "one kick, all answers: %d", n);
	cr_expect_eq(fake_guest_interrupts(&g, 1), 1U, "used_event is 0");
	cr_expect_eq(fake_driver_avail_event(&drv), 64);
	virtio_pci_free(vp);
	fake_machine_fini(&m);
}
