/*
 * The virtio-pci transport as a guest meets it: capabilities, doorbells,
 * interrupts, the window in configuration space, and BARs on the move.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/checked.h"
#include "support/echo_dev.h"
#include "support/fake_pci_guest.h"
#include "virtio/pci.h"

#define N_QUEUES 2
#define NOTIFY   0x3000ULL
#define BUF      0x8000ULL

static struct fake_machine m;
static struct fake_guest g;
static struct fake_driver drv;
static struct echo_dev *echo;
static struct virtio_pci *vp;
static int n_free;

static void setup(void)
{
	fake_machine_init(&m);
	echo = echo_dev_new(&m.gm, N_QUEUES);
	echo->n_free = &n_free;
	cr_assert_eq(virtio_pci_new(&echo->dev, &m.pci, &m.loop, &m.hv.hv, NULL,
				    &vp),
		     0);
	fake_guest_init(&g, &m, 1);
}

static void teardown(void)
{
	virtio_pci_free(vp);
	cr_expect_eq(n_free, 1);
	cr_expect_eq(m.hv.n_ioeventfds, 0U, "doorbells left behind");
	cr_expect_eq(fake_hv_n_routes(&m.hv), 0U, "routes left behind");
	fake_machine_fini(&m);
	virtio_pci_free(NULL);
}

TestSuite(virtio_pci, .init = setup, .fini = teardown);

static void start_at(gpa_t rings)
{
	(void)fake_driver_init(&drv, &m.gm, rings, 16);
	cr_assert(fake_guest_negotiate(&g, 0));
	fake_guest_enable_msix(&g, N_QUEUES + 1);
	fake_guest_set(&g, C_CONFIG_VECTOR, 0);
	fake_guest_set_queue(&g, 0, &drv);
	fake_guest_driver_ok(&g);
	cr_assert_eq(fake_guest_get(&g, C_STATUS), 15U);
}

static void start(void)
{
	start_at(0x1000);
}

static void add(uint32_t len)
{
	const struct fake_desc buf = {BUF, len, 0, 0};

	(void)fake_driver_add(&drv, &buf, 1);
}

static uint32_t answered(void)
{
	uint32_t head;
	uint32_t written = 0;

	return fake_driver_used(&drv, &head, &written) ? written : 0;
}

Test(virtio_pci, what_a_driver_finds)
{
	cr_expect_eq(fake_guest_config(&g, 0, 4), 0x10431af4U);
	cr_expect_eq(fake_guest_config(&g, 8, 4), 0x07800001U);
	cr_expect_eq(fake_guest_config(&g, 0x2c, 4), 0x10431af4U);
	cr_expect_eq(fake_guest_config(&g, 0x3d, 1), 0U, "no wired interrupt");
	cr_expect_neq(g.device, 0U);
	cr_expect_neq(g.pci_cfg, 0U);
	cr_expect_eq(g.multiplier, 4U);
	cr_expect_eq(m.hv.n_ioeventfds, 0U, "no queue is in use yet");
}

Test(virtio_pci, a_request_and_its_interrupt)
{
	start();
	add(77);
	fake_guest_kick(&g, 0);
	cr_expect_eq(answered(), 77U);
	cr_expect_eq(fake_guest_interrupts(&g, 1), 1U);
	cr_expect_eq(fake_guest_interrupts(&g, 0), 0U);
	cr_expect_eq(fake_guest_read(&g, g.isr, 1), 1U);
	cr_expect_eq(fake_guest_read(&g, g.isr, 1), 0U, "read clears");
}

Test(virtio_pci, a_kick_by_exit)
{
	const uint16_t zero = 0;

	start();
	add(5);
	/* an access that the hypervisor did not take */
	(void)bus_write(&m.mmio, g.notify, &zero, 2);
	cr_expect_eq(echo->n_requests, 0, "not on the CPU's thread");
	fake_machine_run(&m);
	cr_expect_eq(answered(), 5U);
}

Test(virtio_pci, no_doorbells_in_the_hypervisor)
{
	m.hv.refuse_ioeventfds = true;
	fake_guest_set_config(&g, 4, 0, 2);
	fake_guest_set_config(&g, 4, 6, 2);
	cr_expect_eq(m.hv.n_ioeventfds, 0U);
	start();
	add(5);
	fake_guest_kick(&g, 0);
	cr_expect_eq(answered(), 5U);
}

Test(virtio_pci, kicks_nobody_waits_for)
{
	static const struct {
		const char *what;
		uint64_t at;
		uint32_t size;
	} rows[] = {
		{"a queue that is not set up", NOTIFY + 4, 2},
		{"the first that does not exist", NOTIFY + 8, 2},
		{"the last of the page", NOTIFY + 0xffc, 4},
		{"between two doorbells", NOTIFY + 2, 2},
		{"an odd byte", NOTIFY + 1, 1},
	};

	start();
	echo->n_ready = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_guest_write(&g, g.common + rows[i].at, 0xffff,
				 rows[i].size);
		fake_machine_run(&m);
		cr_expect_eq(echo->n_ready, 0, "%s", rows[i].what);
	}
	cr_expect_eq(fake_guest_read(&g, g.notify, 4), UINT32_MAX);
	for (uint64_t at = NOTIFY + 4; at < NOTIFY + 0x1000; at += 4)
		fake_guest_write(&g, g.common + at, 0, 2);
	fake_machine_run(&m);
	cr_expect_eq(echo->n_ready, 0, "the rest of the page");
}

/* Notification data was not negotiated: the address alone decides (4.1.5.2),
 * whatever index or offset the value claims, in any width. */
Test(virtio_pci, what_a_kick_writes_means_nothing)
{
	static const uint64_t values[] = {1, 0xffff, 0xffff0000, UINT64_MAX};

	start();
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		for (uint32_t size = 1; size <= 8; size *= 2) {
			add(20 + size);
			(void)bus_write(&m.mmio, g.notify, &values[i], size);
			fake_machine_run(&m);
			cr_expect_eq(answered(), 20 + size, "%llx, %u bytes",
				     (unsigned long long)values[i], size);
		}
	}
	cr_expect_eq(fake_guest_get(&g, C_STATUS), 15U);
}

Test(virtio_pci, kicks_before_driver_ok_and_after_reset)
{
	(void)fake_driver_init(&drv, &m.gm, 0x1000, 16);
	cr_assert(fake_guest_negotiate(&g, 0));
	fake_guest_set_queue(&g, 0, &drv);
	add(3);
	fake_guest_kick(&g, 0);
	cr_expect_eq(echo->n_ready, 0);
	fake_guest_driver_ok(&g);
	cr_expect_eq(answered(), 3U, "looked at when the driver is ready");
	add(4);
	fake_guest_set(&g, C_STATUS, 0);
	fake_guest_kick(&g, 0);
	cr_expect_eq(answered(), 0U);
}

Test(virtio_pci, a_storm_of_kicks)
{
	start();
	echo->n_ready = 0;
	for (int i = 0; i < 10000; i++)
		fake_guest_write(&g, g.notify, 0, 2);
	fake_machine_run(&m);
	cr_expect_eq(echo->n_ready, 1, "%d", echo->n_ready);
}

Test(virtio_pci, a_broken_ring_needs_a_reset)
{
	start();
	fake_driver_set_avail_idx(&drv, 1000);
	fake_guest_kick(&g, 0);
	cr_expect_eq(fake_guest_get(&g, C_STATUS), 15U | 64U);
	cr_expect_eq(fake_guest_interrupts(&g, 0), 1U, "told by interrupt");
	cr_expect_eq(fake_guest_read(&g, g.isr, 1), 2U);
	fake_guest_kick(&g, 0);
	cr_expect_eq(echo->n_ready, 2, "quiet: %d", echo->n_ready);
	start();
	add(9);
	fake_guest_kick(&g, 0);
	cr_expect_eq(answered(), 9U);
}

Test(virtio_pci, reset_with_requests_in_flight)
{
	struct fake_driver old;

	start();
	echo->hold = true;
	add(6);
	fake_guest_kick(&g, 0);
	cr_expect_eq(echo->n_requests, 1);
	old = drv;
	fake_guest_set(&g, C_STATUS, 0);
	virtio_dev_complete(&echo->dev, 0, 0, 6);
	cr_expect_eq(answered(), 0U);
	echo->hold = false;
	start_at(0x4000);
	add(7);
	fake_guest_kick(&g, 0);
	cr_expect_eq(answered(), 7U);
	drv = old;
	cr_expect_eq(answered(), 0U, "the old ring was written");
}

Test(virtio_pci, configuration_changes)
{
	uint32_t was;

	start();
	was = fake_guest_get(&g, C_GENERATION);
	virtio_dev_config_changed(&echo->dev);
	cr_expect_neq(fake_guest_get(&g, C_GENERATION), was);
	cr_expect_eq(fake_guest_interrupts(&g, 0), 1U);
}

Test(virtio_pci, no_vector_no_interrupt)
{
	start();
	fake_guest_set(&g, C_QUEUE_SELECT, 0);
	fake_guest_set(&g, C_QUEUE_VECTOR, 0xffff);
	add(1);
	fake_guest_kick(&g, 0);
	cr_expect_eq(answered(), 1U);
	cr_expect_eq(fake_hv_n_routes(&m.hv), 0U);
}

Test(virtio_pci, unplugged_with_a_kick_on_its_way)
{
	struct echo_dev *e = echo_dev_new(&m.gm, 1);
	struct virtio_pci *second;
	struct fake_guest g2;

	e->n_free = &n_free;
	cr_assert_eq(virtio_pci_new(&e->dev, &m.pci, &m.loop, &m.hv.hv, NULL,
				    &second),
		     0);
	fake_guest_init(&g2, &m, 2);
	fake_guest_write(&g2, g2.notify, 0, 2);
	virtio_pci_free(second);
	fake_machine_run(&m);
	cr_expect_eq(fake_guest_config(&g2, 0, 4), UINT32_MAX);
	cr_expect_eq(fake_guest_read(&g2, g2.common, 4), UINT32_MAX);
	cr_expect_eq(n_free, 1);
	n_free = 0;
}

/* Whoever unplugs a device does it on the loop, with a kick of that device
 * later in the same batch of events. */
static struct virtio_pci *doomed;

static void unplug(struct loop_source *source, uint32_t events)
{
	(void)events;
	loop_remove(&m.loop, source);
	virtio_pci_free(doomed);
	doomed = NULL;
}

Test(virtio_pci, unplugged_in_the_middle_of_a_batch)
{
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	struct echo_dev *e = echo_dev_new(&m.gm, 1);
	struct loop_source source = {0};
	struct fake_guest g2;

	e->n_free = &n_free;
	cr_assert_eq(virtio_pci_new(&e->dev, &m.pci, &m.loop, &m.hv.hv, NULL,
				    &doomed),
		     0);
	fake_guest_init(&g2, &m, 2);
	cr_assert_eq(loop_add(&m.loop, &source, fd, EPOLLIN, unplug), 0);
	fake_guest_write(&g2, g2.notify, 0, 2);
	fake_machine_run(&m);
	cr_expect_null(doomed);
	cr_expect_eq(n_free, 1);
	n_free = 0;
	(void)close(fd);
}

static const struct {
	const char *what;
	uint32_t offset, size;
	uint64_t value;
} configs[] = {
	{"one byte", 0, 1, 0x10},
	{"the last byte", 11, 1, 0x1b},
	{"eight bytes", 0, 8, 0x1716151413121110},
	{"four at an odd place", 3, 4, 0x16151413},
	{"across the end", 10, 4, UINT32_MAX},
	{"across the end, eight", 8, 8, UINT64_MAX},
	{"at the end", 12, 1, 0xff},
	{"far behind", 0xfff, 1, 0xff},
	{"across the page", 0xffc, 8, UINT64_MAX},
};

Test(virtio_pci, device_configuration)
{
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		uint64_t at = g.device + configs[i].offset;
		uint64_t v = fake_guest_read(&g, at, configs[i].size);

		cr_expect_eq(v, configs[i].value, "%s: %llx", configs[i].what,
			     (unsigned long long)v);
	}
	for (size_t i = 4; i < ARRAY_SIZE(configs); i++)
		fake_guest_write(&g, g.device + configs[i].offset, 0,
				 configs[i].size);
	cr_expect_eq(echo->config[11], 0x1b, "written across the end");
	fake_guest_write(&g, g.device + 11, 0x99, 1);
	cr_expect_eq(echo->config[11], 0x99);
}

static void window(uint32_t bar, uint32_t offset, uint32_t length)
{
	fake_guest_set_config(&g, g.pci_cfg + 4, bar, 1);
	fake_guest_set_config(&g, g.pci_cfg + 8, offset, 4);
	fake_guest_set_config(&g, g.pci_cfg + 12, length, 4);
}

static const struct {
	const char *what;
	uint32_t bar, offset, length;
	bool works;
} windows[] = {
	{"the device's status", 0, C_STATUS, 1, true},
	{"length 0", 0, C_STATUS, 0, false},
	{"length 3", 0, 0x14, 3, false},
	{"length 8", 0, 0x10, 8, false},
	{"length 5", 0, 0x14, 5, false},
	{"length 0xffffffff", 0, 0x14, UINT32_MAX, false},
	{"BAR 1: the upper half of 0", 1, C_STATUS, 1, false},
	{"BAR 2: the MSI-X table", 2, C_STATUS, 1, false},
	{"BAR 6", 6, C_STATUS, 1, false},
	{"BAR 255", 255, C_STATUS, 1, false},
	{"misaligned", 0, C_STATUS + 1, 2, false},
	{"behind the BAR", 0, 0x4000, 1, false},
	{"the end of the address space", 0, UINT32_MAX, 1, false},
	{"wraps", 0, UINT32_MAX - 3, 4, false},
};

Test(virtio_pci, window_in_configuration_space)
{
	for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
		fake_guest_set(&g, C_STATUS, 0);
		window(windows[i].bar, windows[i].offset, windows[i].length);
		fake_guest_set_config(&g, g.pci_cfg + 16, 1, 4);
		cr_expect_eq(fake_guest_get(&g, C_STATUS), windows[i].works,
			     "%s: write", windows[i].what);
		fake_guest_set(&g, C_STATUS, 3);
		cr_expect_eq(fake_guest_config(&g, g.pci_cfg + 16, 4) & 0xff,
			     windows[i].works ? 3U : 1U, "%s: read",
			     windows[i].what);
	}
}

Test(virtio_pci, window_finds_queues_and_rings)
{
	start();
	window(0, C_NUM_QUEUES, 2);
	cr_expect_eq(fake_guest_config(&g, g.pci_cfg + 16, 2),
		     (uint32_t)N_QUEUES);
	add(8);
	window(0, (uint32_t)NOTIFY, 2);
	fake_guest_set_config(&g, g.pci_cfg + 16, 0, 2);
	fake_machine_run(&m);
	cr_expect_eq(answered(), 8U);
	window(0, NOTIFY, 2);
	cr_expect_eq(fake_guest_config(&g, g.pci_cfg + 16, 2), 0xffffU);
}

/* Doorbells are where the BAR is, and nowhere else. */
static void expect_doorbells_at(uint64_t bar, const char *what)
{
	unsigned int n = bar ? 1 : 0; /* start() uses queue 0 only */

	cr_expect_eq(m.hv.n_ioeventfds, n, "%s", what);
	for (unsigned int i = 0; i < m.hv.n_ioeventfds; i++)
		cr_expect_eq(m.hv.ioeventfds[i].gpa & ~7ULL, bar + NOTIFY, "%s",
			     what);
}

Test(virtio_pci, doorbells_of_queues_in_use_only)
{
	fake_guest_set_config(&g, 4, 0, 2);
	fake_guest_set_config(&g, 4, 6, 2);
	expect_doorbells_at(0, "the BAR was probed, no driver is there");
	(void)fake_driver_init(&drv, &m.gm, 0x1000, 16);
	cr_assert(fake_guest_negotiate(&g, 0));
	fake_guest_set_queue(&g, 0, &drv);
	fake_guest_set_config(&g, 4, 0, 2);
	fake_guest_set_config(&g, 4, 6, 2);
	expect_doorbells_at(0, "the driver is not ready");
	start();
	expect_doorbells_at(g.common, "the driver is ready");
	fake_guest_set_config(&g, 4, 0, 2);
	expect_doorbells_at(0, "its memory is off");
	fake_guest_set_config(&g, 4, 6, 2);
	expect_doorbells_at(g.common, "its memory is on");
	fake_guest_set(&g, C_STATUS, 0);
	expect_doorbells_at(0, "reset");
	start();
	expect_doorbells_at(g.common, "a second driver");
}

Test(virtio_pci, the_bar_moves)
{
	uint64_t to = GUEST_WINDOW + 0x200000;

	start();
	expect_doorbells_at(g.common, "at first");
	fake_guest_set_config(&g, 0x10, (uint32_t)to, 4);
	expect_doorbells_at(to, "moved");
	add(4);
	fake_guest_kick(&g, 0); /* the old place: nobody there */
	cr_expect_eq(answered(), 0U);
	g.common = to;
	g.notify = to + NOTIFY;
	fake_guest_kick(&g, 0);
	cr_expect_eq(answered(), 4U);
	fake_guest_set_config(&g, 0x10, 0x100000, 4);
	expect_doorbells_at(0, "over RAM");
	fake_guest_set_config(&g, 0x10, fake_guest_config(&g, 0x18, 4), 4);
	expect_doorbells_at(0, "over its own table");
	fake_guest_set_config(&g, 0x10, (uint32_t)to, 4);
	expect_doorbells_at(to, "back");
	fake_guest_set_config(&g, 0x14, 1, 4);
	expect_doorbells_at(0, "half of it above 4 GiB");
	fake_guest_set_config(&g, 0x14, 0, 4);
	fake_guest_set_config(&g, 4, 0, 2);
	expect_doorbells_at(0, "memory decoding off");
	cr_expect_eq(fake_guest_get(&g, C_STATUS), 0xffU);
	fake_guest_set_config(&g, 4, 6, 2);
	expect_doorbells_at(to, "and on");
	cr_expect_eq(fake_guest_get(&g, C_STATUS), 15U);
}

Test(virtio_pci, gaps_in_the_bar)
{
	static const uint32_t at[] = {0x38,   0xfff,  0x1001, 0x1ffc,
				      0x200c, 0x2ffc, 0x3000, 0x3ffc};

	start();
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		for (uint32_t n = 1; n <= 8; n *= 2) {
			(void)fake_guest_read(&g, g.common + at[i], n);
			fake_guest_write(&g, g.common + at[i], UINT64_MAX, n);
		}
	}
	fake_machine_run(&m);
	cr_expect_eq(fake_guest_get(&g, C_STATUS), 15U);
	cr_expect_eq(fake_guest_read(&g, g.common + 0x4000 - 1, 2), 0xffffU);
}

Test(virtio_pci, a_full_bus_takes_the_device_all_the_same)
{
	struct virtio_pci *many[PCI_SLOTS] = {NULL};
	struct virtio_pci *none = NULL;
	unsigned int n = 0;
	struct echo_dev *e;
	int freed = 0;
	int rc = 0;

	while (rc == 0 && n < PCI_SLOTS) {
		e = echo_dev_new(&m.gm, 1);
		e->n_free = &freed;
		rc = virtio_pci_new(&e->dev, &m.pci, &m.loop, &m.hv.hv, NULL,
				    rc == 0 ? &many[n] : &none);
		n += rc == 0;
	}
	cr_expect_eq(rc, AVF_ERR_LIMIT);
	cr_expect_eq(n, 30U, "%u", n);
	cr_expect_eq(freed, 1, "the refused one");
	while (n > 0)
		virtio_pci_free(many[--n]);
	cr_expect_eq(freed, 31);
}
