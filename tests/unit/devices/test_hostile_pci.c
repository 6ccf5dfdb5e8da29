/*
 * Every device behind its transport, as a guest reaches it: registers and
 * configuration of any width at any place, BARs that go away under requests,
 * resets at any time. An honest driver is served afterwards.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "support/fake_pci_guest.h"
#include "support/models.h"
#include "virtio/pci.h"

#define DEVICE     0x2000U /* the device's configuration, in its BAR */
#define BAR_SIZE   0x4000U
#define MSIX_BAR   2U
#define EVERYTHING UINT64_MAX

static struct fake_machine m;
static struct fake_guest g;
static struct virtio_pci *vp;
static struct virtio_dev *dev;
static int host = -1;

TestSuite(hostile_pci, .timeout = 60);

static struct virtio_dev *make_blk(void)
{
	return model_blk(&m.gm, &m.loop);
}

static struct virtio_dev *make_console(void)
{
	return model_console(&m.gm, &m.loop, &host);
}

static struct virtio_dev *make_rng(void)
{
	return model_rng(&m.gm);
}

static struct virtio_dev *make_vsock(void)
{
	return model_vsock(&m.gm, &m.loop);
}

static const struct {
	const char *what;
	struct virtio_dev *(*make)(void);
} models[] = {
	{"disk", make_blk},
	{"console", make_console},
	{"entropy", make_rng},
	{"vsock", make_vsock},
};

static void start(size_t model)
{
	fake_machine_init(&m);
	dev = models[model].make();
	cr_assert_eq(virtio_pci_new(dev, &m.pci, &m.loop, &m.hv.hv, NULL, &vp),
		     0);
	fake_guest_init(&g, &m, 1);
}

static void stop(void)
{
	virtio_pci_free(vp);
	cr_expect_eq(m.hv.n_ioeventfds, 0U);
	cr_expect_eq(fake_hv_n_routes(&m.hv), 0U);
	fake_machine_fini(&m);
	fd_close(host);
	host = -1;
}

/* All queues, and a driver that is ready. */
static void run_driver(const char *what)
{
	struct fake_driver drv;

	cr_assert(fake_guest_negotiate(&g, EVERYTHING), "%s", what);
	for (uint16_t q = 0; q < dev->n_queues; q++) {
		(void)fake_driver_init(&drv, &m.gm, 0x10000 + q * 0x2000ULL,
				       16);
		fake_guest_set_queue(&g, q, &drv);
	}
	fake_guest_driver_ok(&g);
	cr_expect_eq(fake_guest_get(&g, C_STATUS), 15U, "%s", what);
	cr_expect(dev->active, "%s", what);
}

/* Inside it reads as the model says, elsewhere and across its end as ones;
 * no write of any width changes a byte (no model has a writable one). */
Test(hostile_pci, configuration_of_every_device_at_every_offset)
{
	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		uint8_t model[64];
		uint32_t size;

		start(i);
		size = dev->ops->config_size;
		cr_assert_leq(size, sizeof(model) - 8);
		memset(model, 0xff, sizeof(model));
		if (size > 0)
			dev->ops->config_read(dev, 0, model, size);
		for (uint32_t at = 0; at < sizeof(model) - 8; at++) {
			for (uint32_t n = 1; n <= 8; n *= 2) {
				uint64_t gpa = g.common + DEVICE + at;
				uint64_t want = UINT64_MAX >> (64 - 8 * n);

				fake_guest_write(&g, gpa, EVERYTHING, n);
				fake_guest_write(&g, gpa, 0, n);
				if (at + n <= size)
					memcpy(&want, model + at, n);
				cr_expect_eq(fake_guest_read(&g, gpa, n), want,
					     "%s: %u bytes at %u",
					     models[i].what, n, at);
			}
		}
		run_driver(models[i].what);
		stop();
	}
}

/* Every byte of both BARs, read and written in every width, while the device
 * is in use: at worst it is reset, or wants to be. */
Test(hostile_pci, every_byte_of_every_bar)
{
	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		uint64_t msix;

		start(i);
		msix = fake_guest_config(&g, 0x10 + 4 * MSIX_BAR, 4) & ~15U;
		run_driver(models[i].what);
		for (uint32_t at = 0; at < BAR_SIZE; at++) {
			for (uint32_t n = 1; n <= 8; n *= 2) {
				uint64_t v = at % 3 ? EVERYTHING : at;

				(void)fake_guest_read(&g, g.common + at, n);
				fake_guest_write(&g, g.common + at, v, n);
				(void)fake_guest_read(&g, msix + at % 0x1000,
						      n);
				fake_guest_write(&g, msix + at % 0x1000, v, n);
			}
		}
		fake_machine_run(&m);
		run_driver(models[i].what);
		stop();
	}
}

/* Nobody offers a function level reset: no PCI Express capability, and what
 * a guest writes where one would be stays without effect. */
Test(hostile_pci, there_is_no_function_level_reset)
{
	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		uint32_t at;

		start(i);
		run_driver(models[i].what);
		at = fake_guest_config(&g, 0x34, 1);
		for (; at != 0; at = fake_guest_config(&g, at + 1, 1)) {
			uint32_t id = fake_guest_config(&g, at, 1);

			cr_expect(id == 0x09 || id == 0x11, "%s: capability %x",
				  models[i].what, id);
			/* initiate FLR, had it been device control */
			if (id == 0x09 && at != g.pci_cfg)
				fake_guest_set_config(&g, at + 8, 0x8000, 2);
		}
		fake_guest_set_config(&g, 0xf8, 0x8000, 2);
		cr_expect(dev->active, "%s", models[i].what);
		cr_expect_eq(fake_guest_get(&g, C_STATUS), 15U, "%s",
			     models[i].what);
		stop();
	}
}

/* Memory decoding off, the BAR over RAM and back, while queues are set up:
 * the device keeps its state, and nothing is decoded where RAM is. */
Test(hostile_pci, bars_that_go_away_in_use)
{
	static const uint32_t places[] = {0, 0x100000, 0xdffff000, 0xe0000000,
					  0xfee00000};

	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		uint32_t home;

		start(i);
		home = fake_guest_config(&g, 0x10, 4);
		run_driver(models[i].what);
		for (size_t k = 0; k < ARRAY_SIZE(places); k++) {
			fake_guest_set_config(&g, 0x10, places[k], 4);
			cr_expect_eq(m.hv.n_ioeventfds, 0U, "%s at %x",
				     models[i].what, places[k]);
			cr_expect_eq(fake_guest_get(&g, C_STATUS), 0xffU);
			fake_guest_set_config(&g, 4, 0, 2);
			fake_guest_set_config(&g, 0x10, home, 4);
			cr_expect_eq(fake_guest_get(&g, C_STATUS), 0xffU);
			fake_guest_set_config(&g, 4, 6, 2);
			cr_expect_eq(fake_guest_get(&g, C_STATUS), 15U, "%s",
				     models[i].what);
			cr_expect_eq(m.hv.n_ioeventfds, dev->n_queues, "%s",
				     models[i].what);
		}
		stop();
	}
}

/* Rings that change their place with every reset, faster than the loop. */
Test(hostile_pci, resets_faster_than_the_loop)
{
	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		start(i);
		for (unsigned int round = 0; round < 200; round++) {
			struct fake_driver drv;

			cr_assert(fake_guest_negotiate(&g, EVERYTHING));
			(void)fake_driver_init(&drv, &m.gm,
					       0x10000 + round % 7 * 0x4000ULL,
					       16);
			fake_guest_set_queue(
				&g, (uint16_t)(round % dev->n_queues), &drv);
			fake_guest_set(&g, C_STATUS, 15);
			fake_guest_write(&g, g.notify, 0, 2);
			if (round % 3)
				fake_guest_set(&g, C_STATUS, 0);
		}
		fake_machine_run(&m);
		run_driver(models[i].what);
		stop();
	}
}
