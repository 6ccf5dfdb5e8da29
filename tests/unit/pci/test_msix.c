/* MSI-X: masks, pending bits, routes made late, and odd accesses. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/checked.h"
#include "pci/msix.h"
#include "support/fake_hv.h"

#define WINDOW   0xc0000000ULL
#define N        3
#define ADDR     0xfee00000U
#define MASK_ALL 0xc000
#define ENABLE   0x8000

static struct bus mmio;
static struct fake_hv hv;
static struct pci_bus bus;
static struct pci_dev dev;

static void bar_read(struct pci_dev *d, unsigned int bar, uint64_t offset,
		     void *data, uint32_t size)
{
	(void)bar;
	msix_read(d->msix, offset, data, size);
}

static void bar_write(struct pci_dev *d, unsigned int bar, uint64_t offset,
		      const void *data, uint32_t size)
{
	(void)bar;
	msix_write(d->msix, offset, data, size);
}

static const struct pci_dev_ops ops = {.bar_read = bar_read,
				       .bar_write = bar_write};
static const struct pci_ids ids = {.vendor = 0x1af4};

static void put32(uint64_t offset, uint32_t v)
{
	(void)bus_write(&mmio, WINDOW + offset, &v, 4);
}

static uint32_t get32(uint64_t offset)
{
	uint32_t v = 0;

	(void)bus_read(&mmio, WINDOW + offset, &v, 4);
	return v;
}

static void control(uint16_t v)
{
	pci_dev_config_write(&dev, 0x42, &v, 2);
}

static void setup(void)
{
	bus_init(&mmio, "mmio");
	fake_hv_init(&hv);
	cr_assert_eq(pci_bus_init(&bus, &mmio, NULL, &hv.hv, 0xe0000000, WINDOW,
				  0x100000),
		     0);
	pci_dev_init(&dev, &ops, &ids);
	cr_assert_eq(msix_add(&dev, 0, N), 0);
	cr_assert_eq(pci_bus_add(&bus, &dev), 0);
	for (uint32_t i = 0; i < N; i++) {
		put32(16 * i, ADDR);
		put32(16 * i + 8, 0x30 + i);
		put32(16 * i + 12, 0);
	}
	control(ENABLE);
}

static void teardown(void)
{
	pci_bus_remove(&dev);
	pci_dev_fini(&dev);
	cr_expect_eq(fake_hv_n_routes(&hv), 0U, "routes left behind");
}

TestSuite(msix, .init = setup, .fini = teardown);

Test(msix, delivers_and_makes_routes_late)
{
	cr_expect_eq(fake_hv_n_routes(&hv), 0U);
	pci_msix_signal(&dev, 1);
	cr_expect_eq(fake_hv_n_routes(&hv), 1U);
	cr_expect_eq(fake_hv_delivered(&hv, ADDR, 0x31), 1U);
	pci_msix_signal(&dev, 1);
	pci_msix_signal(&dev, 1);
	cr_expect_eq(fake_hv_n_routes(&hv), 1U);
	cr_expect_eq(fake_hv_delivered(&hv, ADDR, 0x31), 2U);
	cr_expect_eq(get32(MSIX_PBA), 0U);
}

Test(msix, a_changed_message)
{
	pci_msix_signal(&dev, 0);
	put32(8, 0x98);
	pci_msix_signal(&dev, 0);
	cr_expect_geq(fake_hv_delivered(&hv, ADDR, 0x98), 1U, "data alone");
	put32(0, ADDR + 0x1000);
	put32(4, 1);
	put32(8, 0x99);
	pci_msix_signal(&dev, 0);
	cr_expect_eq(fake_hv_n_routes(&hv), 1U);
	cr_expect_geq(
		fake_hv_delivered(&hv, 0x100000000ULL + ADDR + 0x1000, 0x99),
		1U);
}

Test(msix, a_masked_vector_waits)
{
	put32(16 + 12, 1);
	for (int i = 0; i < 1000; i++)
		pci_msix_signal(&dev, 1);
	cr_expect_eq(get32(MSIX_PBA), 2U);
	cr_expect_eq(fake_hv_n_routes(&hv), 0U);
	put32(16 + 12, 0);
	cr_expect_eq(get32(MSIX_PBA), 0U);
	cr_expect_eq(fake_hv_delivered(&hv, ADDR, 0x31), 1U, "once");
}

Test(msix, a_masked_function_waits)
{
	control(MASK_ALL);
	pci_msix_signal(&dev, 0);
	pci_msix_signal(&dev, 2);
	put32(12, 1);
	cr_expect_eq(get32(MSIX_PBA), 5U);
	control(ENABLE);
	cr_expect_eq(get32(MSIX_PBA), 1U, "its own mask holds");
	cr_expect_eq(fake_hv_delivered(&hv, ADDR, 0x32), 1U);
	cr_expect_eq(fake_hv_delivered(&hv, ADDR, 0x30), 0U);
}

Test(msix, disabled)
{
	control(0);
	pci_msix_signal(&dev, 0);
	cr_expect_eq(fake_hv_n_routes(&hv), 0U);
}

Test(msix, vectors_that_do_not_exist)
{
	pci_msix_signal(&dev, N);
	pci_msix_signal(&dev, 0xffff);
	pci_msix_signal(&dev, UINT32_MAX);
	cr_expect_eq(fake_hv_n_routes(&hv), 0U);
	cr_expect_eq(get32(MSIX_PBA), 0U);
	cr_expect_eq(pci_msix_vectors(&dev), (unsigned int)N);
}

/* Behind the largest table there is nothing of ours. */
Test(msix, the_largest_table_ends)
{
	const uint64_t place = WINDOW + MSIX_BAR_SIZE;
	const uint64_t v = UINT64_MAX;
	struct pci_dev large;
	uint64_t back = 0;

	pci_dev_init(&large, &ops, &ids);
	cr_assert_eq(msix_add(&large, 0, MSIX_MAX_VECTORS), 0);
	cr_assert_eq(pci_bus_add(&bus, &large), 0);
	for (uint64_t at = 16ULL * MSIX_MAX_VECTORS; at < MSIX_PBA; at += 8) {
		(void)bus_write(&mmio, place + at, &v, 8);
		(void)bus_read(&mmio, place + at, &back, 8);
		cr_expect_eq(back, 0, "at %llx", (unsigned long long)at);
	}
	pci_bus_remove(&large);
	pci_dev_fini(&large);
}

Test(msix, no_route_left)
{
	hv.max_routes = 1;
	pci_msix_signal(&dev, 0);
	pci_msix_signal(&dev, 1);
	cr_expect_eq(get32(MSIX_PBA), 2U, "pending, not lost");
	hv.max_routes = 2;
	pci_msix_signal(&dev, 1);
	cr_expect_eq(fake_hv_delivered(&hv, ADDR, 0x31), 1U);
}

static const struct {
	const char *what;
	uint64_t offset;
	uint32_t size;
	uint64_t write;
	uint64_t read;
} accesses[] = {
	{"the address", 0, 4, 0x1000, 0x1000},
	{"its lowest bits", 0, 4, 0x1003, 0x1000},
	{"address, both halves", 0, 8, 0x100002000, 0x100002000},
	{"data and control", 8, 8, 0xffffffff00000042, 0x100000042},
	{"reserved control bits", 12, 4, 0xfffffffe, 0},
	{"the first that is not there", 16 * N, 4, 0x1234, 0},
	{"its control, masked as others begin", 16 * N + 12, 4, 0, 0},
	{"the last word before the PBA", MSIX_PBA - 4, 4, 0x1234, 0},
	{"the PBA cannot be written", MSIX_PBA, 4, 0xffffffff, 0},
	{"nor by eight bytes", MSIX_PBA, 8, UINT64_MAX, 0},
	{"across table and PBA", MSIX_PBA - 4, 8, UINT64_MAX, UINT64_MAX},
	{"behind the PBA", MSIX_PBA + 8, 4, 0xffffffff, 0},
	{"the last word", MSIX_BAR_SIZE - 4, 4, 0xffffffff, 0},
	{"one byte", 0, 1, 0x55, 0xff},
	{"two bytes", 0, 2, 0x5555, 0xffff},
	{"misaligned", 2, 4, 0x55555555, 0xffffffff},
	{"misaligned eight", 4, 8, 0, UINT64_MAX},
};

Test(msix, table_accesses)
{
	for (size_t i = 0; i < ARRAY_SIZE(accesses); i++) {
		uint64_t v = accesses[i].write;
		uint64_t back = 0;

		(void)bus_write(&mmio, WINDOW + accesses[i].offset, &v,
				accesses[i].size);
		(void)bus_read(&mmio, WINDOW + accesses[i].offset, &back,
			       accesses[i].size);
		cr_expect_eq(back, accesses[i].read, "%s: %llx",
			     accesses[i].what, (unsigned long long)back);
	}
	cr_expect_eq(get32(0), 0x2000U);
}

Test(msix, a_new_table_is_masked)
{
	struct pci_dev fresh;
	uint32_t v[4];

	pci_dev_init(&fresh, &ops, &ids);
	cr_assert_eq(msix_add(&fresh, 0, MSIX_MAX_VECTORS), 0);
	msix_read(fresh.msix, 16 * (MSIX_MAX_VECTORS - 1) + 12, v, 4);
	cr_expect_eq(v[0], 1U);
	pci_msix_signal(&fresh, 63);
	msix_read(fresh.msix, MSIX_PBA, v, 8);
	cr_expect_eq(v[0], 0U);
	cr_expect_eq(v[1], 0x80000000U);
	pci_dev_fini(&fresh);
	pci_dev_fini(&fresh);
}

/* Table, masks and control word change all the time: no vector has more than
 * one route, none is asked of the host without a message to deliver. */
Test(msix, a_storm_of_table_writes)
{
	unsigned int most = 0;

	for (uint32_t i = 0; i < 20000; i++) {
		put32(16 * (i % (N + 2)) + 4 * (i / 5 % 4), i * 2654435761U);
		if (i % 7 == 0)
			control((uint16_t)(i % 3 ? ENABLE : MASK_ALL));
		most = MAX(most, fake_hv_n_routes(&hv));
	}
	cr_expect_eq(most, 0U, "routes without a message: %u", most);
	for (uint32_t i = 0; i < 20000; i++) {
		put32(16 * (i % N) + 4 * (i / 5 % 4), i * 2654435761U);
		pci_msix_signal(&dev, i % (N + 2));
		if (i % 7 == 0)
			control((uint16_t)(i % 3 ? ENABLE : MASK_ALL));
		most = MAX(most, fake_hv_n_routes(&hv));
	}
	cr_expect_eq(most, (unsigned int)N, "%u routes", most);
}
