/*
 * The common structure and the status machine, driven as a guest would:
 * through ECAM and BAR accesses.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/checked.h"
#include "support/echo_dev.h"
#include "support/fake_pci_guest.h"
#include "virtio/pci.h"

#define N_QUEUES 2
#define OFFERED                                                       \
	(ECHO_FEATURE | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | \
	 VIRTIO_F_EVENT_IDX)

static struct fake_machine m;
static struct fake_guest g;
static struct fake_driver drv;
static struct echo_dev *echo;
static struct virtio_pci *vp;

static void setup(void)
{
	fake_machine_init(&m);
	echo = echo_dev_new(&m.gm, N_QUEUES);
	cr_assert_eq(virtio_pci_new(&echo->dev, &m.pci, &m.loop, &m.hv.hv, NULL,
				    &vp),
		     0);
	fake_guest_init(&g, &m, 1);
	(void)fake_driver_init(&drv, &m.gm, 0x1000, 16);
}

static void teardown(void)
{
	virtio_pci_free(vp);
	fake_machine_fini(&m);
}

TestSuite(pci_common, .init = setup, .fini = teardown);

static const struct {
	const char *what;
	uint32_t select;
	uint32_t word;
} offers[] = {
	{"word 0", 0, (uint32_t)OFFERED},
	{"word 1", 1, (uint32_t)(OFFERED >> 32)},
	{"word 2", 2, 0},
	{"word 32: no shift by 1024", 32, 0},
	{"the last word", UINT32_MAX, 0},
};

Test(pci_common, features_offered)
{
	for (size_t i = 0; i < ARRAY_SIZE(offers); i++) {
		fake_guest_set(&g, C_DEVICE_SELECT, offers[i].select);
		cr_expect_eq(fake_guest_get(&g, C_DEVICE_FEATURE),
			     offers[i].word, "%s", offers[i].what);
		fake_guest_set(&g, C_DEVICE_FEATURE, UINT32_MAX);
		cr_expect_eq(fake_guest_get(&g, C_DEVICE_FEATURE),
			     offers[i].word, "%s: read only", offers[i].what);
	}
}

static void accept_word(uint32_t select, uint32_t word)
{
	fake_guest_set(&g, C_DRIVER_SELECT, select);
	fake_guest_set(&g, C_DRIVER_FEATURE, word);
}

static const struct {
	const char *what;
	uint64_t features;
	uint32_t select; /* an extra word is written there */
	uint32_t word;
	bool ok;
} accepts[] = {
	{"version 1 only", VIRTIO_F_VERSION_1, 2, 0, true},
	{"all that is offered", OFFERED, 2, 0, true},
	{"words that do not exist are ignored", OFFERED, 2, UINT32_MAX, true},
	{"nor the last one", OFFERED, UINT32_MAX, UINT32_MAX, true},
	{"no version 1", ECHO_FEATURE, 2, 0, false},
	{"nothing", 0, 2, 0, false},
	{"a bit that is not offered", OFFERED | BIT64(0), 2, 0, false},
	{"the highest bit", OFFERED | BIT64(63), 2, 0, false},
	{"packed rings", OFFERED | BIT64(34), 2, 0, false},
	{"notification data", OFFERED | BIT64(38), 2, 0, false},
	{"reset of single queues", OFFERED | BIT64(40), 2, 0, false},
	{"single root I/O virtualization", OFFERED | BIT64(37), 2, 0, false},
	{"everything", UINT64_MAX, 2, 0, false},
};

Test(pci_common, features_accepted)
{
	for (size_t i = 0; i < ARRAY_SIZE(accepts); i++) {
		uint32_t want = accepts[i].ok ? 11 : 3;

		fake_guest_set(&g, C_STATUS, 0);
		fake_guest_set(&g, C_STATUS, 3);
		accept_word(0, (uint32_t)accepts[i].features);
		accept_word(1, (uint32_t)(accepts[i].features >> 32));
		accept_word(accepts[i].select, accepts[i].word);
		fake_guest_set(&g, C_STATUS, 11);
		cr_expect_eq(fake_guest_get(&g, C_STATUS), want, "%s",
			     accepts[i].what);
		fake_guest_set(&g, C_STATUS, 15);
		cr_expect_eq(echo->dev.active, accepts[i].ok, "%s",
			     accepts[i].what);
		if (accepts[i].ok)
			cr_expect_eq(echo->dev.features_accepted,
				     accepts[i].features, "%s",
				     accepts[i].what);
	}
}

/* Of a device that cannot reach all of the guest's memory. */
Test(pci_common, a_driver_that_refuses_access_platform)
{
	static const struct {
		const char *what;
		uint64_t features;
		bool ok;
	} rows[] = {
		{"version 1 only", VIRTIO_F_VERSION_1, false},
		{"all but that", OFFERED, false},
		{"that alone", VIRTIO_F_ACCESS_PLATFORM, false},
		{"both", VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM, true},
	};

	echo->dev.features_offered |= VIRTIO_F_ACCESS_PLATFORM;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_guest_set(&g, C_STATUS, 0);
		fake_guest_set(&g, C_STATUS, 3);
		accept_word(0, (uint32_t)rows[i].features);
		accept_word(1, (uint32_t)(rows[i].features >> 32));
		fake_guest_set(&g, C_STATUS, 15);
		cr_expect_eq(fake_guest_get(&g, C_STATUS), rows[i].ok ? 15 : 3,
			     "%s", rows[i].what);
		cr_expect_eq(echo->dev.active, rows[i].ok, "%s", rows[i].what);
	}
}

Test(pci_common, features_are_final)
{
	cr_assert(fake_guest_negotiate(&g, 0));
	accept_word(0, UINT32_MAX);
	fake_guest_driver_ok(&g);
	cr_expect_eq(echo->dev.features_accepted, VIRTIO_F_VERSION_1);
}

static const struct {
	const char *what;
	uint8_t writes[4]; /* up to the first 0 */
	uint8_t status;
} orders[] = {
	{"in order", {1, 3, 11, 15}, 15},
	{"all at once", {15}, 15},
	{"driver without acknowledge", {2}, 0},
	{"features without driver", {1, 9}, 1},
	{"DRIVER_OK first", {4}, 0},
	{"DRIVER_OK without FEATURES_OK", {1, 3, 7}, 3},
	{"a cleared bit stays", {1, 3, 11, 8}, 11},
	{"DRIVER_OK twice", {15, 15}, 15},
	{"the device's own bit", {1, 3, 0x43}, 3},
	{"reserved bits", {1, 3, 0x33}, 3},
	{"failed", {1, 0x81}, 0x81},
	{"all bits", {0xff}, 0x8f},
};

Test(pci_common, status_orders)
{
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		fake_guest_set(&g, C_STATUS, 0);
		cr_expect_eq(fake_guest_get(&g, C_STATUS), 0U);
		accept_word(0, 0);
		accept_word(1, 1);
		for (int k = 0; k < 4 && orders[i].writes[k]; k++)
			fake_guest_set(&g, C_STATUS, orders[i].writes[k]);
		cr_expect_eq(fake_guest_get(&g, C_STATUS), orders[i].status,
			     "%s: %x", orders[i].what,
			     fake_guest_get(&g, C_STATUS));
		cr_expect_eq(echo->dev.active, (orders[i].status & 4) != 0,
			     "%s", orders[i].what);
	}
}

Test(pci_common, queues_that_do_not_exist)
{
	static const uint32_t selects[] = {N_QUEUES, 32, 33, 0x7fff, 0xffff};

	cr_expect_eq(fake_guest_get(&g, C_NUM_QUEUES), (uint32_t)N_QUEUES);
	cr_assert(fake_guest_negotiate(&g, 0));
	for (size_t i = 0; i < ARRAY_SIZE(selects); i++) {
		uint32_t s = selects[i];

		fake_guest_set(&g, C_QUEUE_SELECT, s);
		cr_expect_eq(fake_guest_get(&g, C_QUEUE_SELECT), s);
		for (uint32_t f = C_QUEUE_SIZE; f < 0x38; f += 2) {
			fake_guest_write(&g, g.common + f, 1, 2);
			fake_guest_write(&g, g.common + f, 1, 4);
			cr_expect_eq(fake_guest_read(&g, g.common + f, 2),
				     f == C_QUEUE_VECTOR ? 0xffffU : 0U,
				     "queue %u, field %x", s, f);
		}
	}
	cr_expect_not(echo->dev.broken);
}

static const struct {
	const char *what;
	uint16_t size;
	uint64_t desc;
	bool ok;
} set_ups[] = {
	{"as offered", ECHO_QUEUE_SIZE, 0x1000, true},
	{"smaller", 2, 0x1000, true},
	{"size 0", 0, 0x1000, false},
	{"not a power of two", 48, 0x1000, false},
	{"above the maximum", 2 * ECHO_QUEUE_SIZE, 0x1000, false},
	{"32768", 32768, 0x1000, false},
	{"misaligned", 16, 0x1004, false},
	{"outside RAM", 16, GUEST_RAM, false},
	{"in the upper half of nowhere", 16, 0x100000001000, false},
};

Test(pci_common, queue_set_up)
{
	for (size_t i = 0; i < ARRAY_SIZE(set_ups); i++) {
		const char *what = set_ups[i].what;
		struct fake_driver d = drv;

		cr_assert(fake_guest_negotiate(&g, 0));
		fake_guest_set(&g, C_QUEUE_SELECT, 0);
		cr_expect_eq(fake_guest_get(&g, C_QUEUE_SIZE),
			     (uint32_t)ECHO_QUEUE_SIZE, "after reset: %s",
			     what);
		d.size = set_ups[i].size;
		d.desc = set_ups[i].desc;
		d.avail = 0x4000;
		d.used = 0x5000;
		fake_guest_set_queue(&g, 0, &d);
		cr_expect_eq(fake_guest_get(&g, C_QUEUE_ENABLE), 1U, "%s",
			     what);
		cr_expect_eq(echo->dev.queues[0].started, set_ups[i].ok, "%s",
			     what);
		cr_expect_eq(fake_guest_get(&g, C_STATUS),
			     set_ups[i].ok ? 11U : 75U, "%s", what);
		fake_guest_driver_ok(&g);
		cr_expect_eq(echo->dev.active, set_ups[i].ok, "%s", what);
	}
}

Test(pci_common, an_enabled_queue_stays_as_it_is)
{
	cr_assert(fake_guest_negotiate(&g, 0));
	fake_guest_set_queue(&g, 0, &drv);
	fake_guest_set(&g, C_QUEUE_SIZE, 8);
	fake_guest_set(&g, C_QUEUE_DESC, 0x9000);
	fake_guest_set(&g, C_QUEUE_DRIVER, 0x9000);
	fake_guest_set(&g, C_QUEUE_DEVICE, 0x9000);
	fake_guest_set(&g, C_QUEUE_ENABLE, 0);
	fake_guest_set(&g, C_QUEUE_ENABLE, 1);
	cr_expect_eq(fake_guest_get(&g, C_QUEUE_SIZE), 16U);
	cr_expect_eq(fake_guest_get(&g, C_QUEUE_DESC), drv.desc);
	cr_expect_eq(fake_guest_get(&g, C_QUEUE_DRIVER), drv.avail);
	cr_expect_eq(fake_guest_get(&g, C_QUEUE_DEVICE), drv.used);
	cr_expect_eq(fake_guest_get(&g, C_QUEUE_ENABLE), 1U);
	cr_expect_eq(echo->dev.queues[0].desc, drv.desc);
}

Test(pci_common, enabling_before_the_features_are_settled)
{
	fake_guest_set(&g, C_STATUS, 3);
	fake_guest_set_queue(&g, 0, &drv);
	cr_expect_eq(fake_guest_get(&g, C_QUEUE_ENABLE), 0U);
	cr_expect_not(echo->dev.queues[0].started);
	cr_assert(fake_guest_negotiate(&g, 0));
	fake_guest_set(&g, C_QUEUE_ENABLE, 2);
	cr_expect_eq(fake_guest_get(&g, C_QUEUE_ENABLE), 0U, "1 or nothing");
}

Test(pci_common, vectors)
{
	static const struct {
		const char *what;
		uint32_t written, read;
	} rows[] = {
		{"the first", 0, 0},
		{"the last", N_QUEUES, N_QUEUES},
		{"one too many", N_QUEUES + 1, 0xffff},
		{"the table's end", 63, 0xffff},
		{"behind it", 64, 0xffff},
		{"none", 0xffff, 0xffff},
		{"0xfffe", 0xfffe, 0xffff},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_guest_set(&g, C_CONFIG_VECTOR, rows[i].written);
		cr_expect_eq(fake_guest_get(&g, C_CONFIG_VECTOR), rows[i].read,
			     "%s", rows[i].what);
		fake_guest_set(&g, C_QUEUE_SELECT, 1);
		fake_guest_set(&g, C_QUEUE_VECTOR, rows[i].written);
		cr_expect_eq(fake_guest_get(&g, C_QUEUE_VECTOR), rows[i].read,
			     "%s", rows[i].what);
	}
}

/* Reads of any width show the same bytes; odd writes change nothing. */
Test(pci_common, every_width_at_every_offset)
{
	static const uint32_t sizes[] = {1, 2, 4, 8};
	uint8_t bytes[0x40];

	cr_assert(fake_guest_negotiate(&g, 0));
	fake_guest_set_queue(&g, 1, &drv);
	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)fake_guest_read(&g, g.common + i, 1);
	for (uint32_t at = 0; at < 0x38; at++) {
		for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
			uint64_t want = 0;
			uint64_t got;

			got = fake_guest_read(&g, g.common + at, sizes[k]);
			memcpy(&want, bytes + at, MIN(sizes[k], 0x40 - at));
			cr_expect_eq(got, want, "at %x, %u bytes", at,
				     sizes[k]);
		}
	}
	for (uint32_t at = 0x10; at < 0x38; at++) {
		if (at != C_STATUS)
			fake_guest_write(&g, g.common + at, 0, 1);
		fake_guest_write(&g, g.common + at, 0, 8);
		if (at % 2)
			fake_guest_write(&g, g.common + at, 0, 2);
		if (at % 4)
			fake_guest_write(&g, g.common + at, 0, 4);
	}
	for (uint32_t i = 0; i < 0x38; i++)
		cr_expect_eq(fake_guest_read(&g, g.common + i, 1), bytes[i],
			     "byte %x", i);
}

Test(pci_common, reset_forgets_everything)
{
	uint32_t fields[] = {C_DEVICE_SELECT, C_DRIVER_SELECT, C_STATUS,
			     C_QUEUE_SELECT,  C_QUEUE_ENABLE,  C_QUEUE_DESC,
			     C_QUEUE_DRIVER,  C_QUEUE_DEVICE};

	cr_assert(fake_guest_negotiate(&g, ECHO_FEATURE));
	fake_guest_set(&g, C_CONFIG_VECTOR, 0);
	fake_guest_set_queue(&g, 0, &drv);
	fake_guest_driver_ok(&g);
	fake_guest_set(&g, C_STATUS, 0);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		cr_expect_eq(fake_guest_get(&g, fields[i]), 0U, "%x",
			     fields[i]);
	cr_expect_eq(fake_guest_get(&g, C_CONFIG_VECTOR), 0xffffU);
	cr_expect_eq(fake_guest_get(&g, C_QUEUE_VECTOR), 0xffffU);
	cr_expect_eq(fake_guest_get(&g, C_QUEUE_SIZE),
		     (uint32_t)ECHO_QUEUE_SIZE);
	cr_expect_eq(fake_guest_get(&g, C_DRIVER_FEATURE), 0U);
}

Test(pci_common, a_model_that_cannot_start)
{
	fake_guest_enable_msix(&g, 3);
	echo->fail_activate = AVF_ERR_IO;
	cr_assert(fake_guest_negotiate(&g, 0));
	fake_guest_set(&g, C_CONFIG_VECTOR, 0);
	fake_guest_driver_ok(&g);
	cr_expect_eq(fake_guest_get(&g, C_STATUS), 15U | 64U);
	cr_expect_eq(fake_guest_interrupts(&g, 0), 1U);
	echo->fail_activate = 0;
	cr_assert(fake_guest_negotiate(&g, 0));
	fake_guest_driver_ok(&g);
	cr_expect_eq(fake_guest_get(&g, C_STATUS), 15U);
}
