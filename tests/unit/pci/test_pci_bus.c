/* Reaching functions by ECAM and ports, and where BARs may go. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/checked.h"
#include "pci/pci.h"
#include "support/fake_hv.h"

#define ECAM           0xe0000000ULL
#define WINDOW         0xc0000000ULL
#define W_SIZE         0x1000000ULL
#define OTHER          (WINDOW + 0x800000) /* a platform device in the window */
#define REG(slot, reg) (ECAM + ((uint64_t)(slot) << 15) + (reg))

static struct bus mmio, pio;
static struct fake_hv hv;
static struct pci_bus bus;
static struct pci_dev dev, dev2;
static uint64_t mapped_at[2]; /* as the callback told, BAR 0 of each */
static char who;

static void bar_read(struct pci_dev *d, unsigned int bar, uint64_t offset,
		     void *data, uint32_t size)
{
	(void)bar;
	(void)offset;
	memset(data, d == &dev ? 1 : 2, size);
}

static void bar_write(struct pci_dev *d, unsigned int bar, uint64_t offset,
		      const void *data, uint32_t size)
{
	(void)bar;
	(void)offset;
	(void)data;
	(void)size;
	who = d == &dev ? 1 : 2;
}

static void bar_mapped(struct pci_dev *d, unsigned int bar, uint64_t gpa)
{
	if (bar == 0)
		mapped_at[d == &dev2] = gpa;
}

static const struct pci_dev_ops ops = {
	.bar_read = bar_read, .bar_write = bar_write, .bar_mapped = bar_mapped};
static const struct pci_ids ids = {.vendor = 0x1234,
				   .device = 0x5678,
				   .class_code = 0x010203,
				   .revision = 7};
static const struct bus_ops other_ops = {NULL, NULL};
static struct bus_range other = {OTHER, 0x1000, &other_ops, NULL, false};

static void setup(void)
{
	bus_init(&mmio, "mmio");
	bus_init(&pio, "pio");
	fake_hv_init(&hv);
	cr_assert_eq(
		pci_bus_init(&bus, &mmio, &pio, &hv.hv, ECAM, WINDOW, W_SIZE),
		0);
	cr_assert_eq(bus_add(&mmio, &other), 0);
	pci_dev_init(&dev, &ops, &ids);
	pci_dev_add_bar(&dev, 0, 0x1000);
	pci_dev_add_bar(&dev, 2, 0x10000);
	cr_assert_eq(pci_bus_add(&bus, &dev), 0);
	pci_dev_init(&dev2, &ops, &ids);
	pci_dev_add_bar(&dev2, 0, 0x4000);
	cr_assert_eq(pci_bus_add(&bus, &dev2), 0);
}

TestSuite(pci_bus, .init = setup);

static uint32_t get32(uint64_t gpa)
{
	uint32_t v;

	(void)bus_read(&mmio, gpa, &v, 4);
	return v;
}

static void put32(uint64_t gpa, uint32_t v)
{
	(void)bus_write(&mmio, gpa, &v, 4);
}

static void set_bar(unsigned int slot, uint64_t gpa)
{
	put32(REG(slot, 0x10), (uint32_t)gpa);
	put32(REG(slot, 0x14), (uint32_t)(gpa >> 32));
}

Test(pci_bus, devices_are_ready_without_firmware)
{
	cr_expect_eq(get32(REG(0, 0)), 0x00081b36U);
	cr_expect_eq(get32(REG(0, 8)) >> 8, 0x060000U);
	cr_expect_eq(get32(REG(1, 0)), 0x56781234U);
	cr_expect_eq(get32(REG(1, 8)), 0x01020307U);
	cr_expect_eq(get32(REG(1, 4)) & 0xffff, 6U);
	cr_expect_eq(get32(REG(1, 0x10)), (uint32_t)WINDOW | 4);
	cr_expect_eq(get32(REG(1, 0x18)), (uint32_t)WINDOW + 0x10000 + 4,
		     "aligned to its size");
	cr_expect_eq(mapped_at[0], WINDOW);
	cr_expect_eq(get32(WINDOW), 0x01010101U);
	put32(mapped_at[1], 0);
	cr_expect_eq(who, 2);
}

static const struct {
	const char *what;
	uint64_t gpa;
	uint32_t size;
	uint64_t value; /* all ones: nobody answers */
} ecam[] = {
	{"one byte", REG(1, 0), 1, 0x34},
	{"the last byte of the identity", REG(1, 3), 1, 0x56},
	{"two bytes, unaligned", REG(1, 1), 2, 0x7812},
	{"eight bytes", REG(1, 0), 8, 0x0000000656781234},
	{"the extended space: no capabilities", REG(1, 0x100), 4, 0},
	{"its end", REG(1, 0xffc), 4, 0},
	{"across 256 bytes", REG(1, 0xfe), 4, 0},
	{"an empty slot", REG(3, 0), 4, UINT32_MAX},
	{"the last slot", REG(31, 0), 4, UINT32_MAX},
	{"function 1", REG(1, 0x1000), 4, UINT32_MAX},
	{"function 7", REG(1, 0x7000), 4, UINT32_MAX},
	{"across two functions", REG(1, 0xffe), 4, UINT32_MAX},
	{"across two slots", REG(1, 0x7ffc), 8, UINT64_MAX},
	{"bus 1", REG(32, 0), 4, UINT32_MAX},
	{"the last byte of ECAM and more", REG(32, 0) - 1, 4, UINT32_MAX},
};

Test(pci_bus, ecam_reads)
{
	for (size_t i = 0; i < ARRAY_SIZE(ecam); i++) {
		uint64_t v = 0;

		(void)bus_read(&mmio, ecam[i].gpa, &v, ecam[i].size);
		cr_expect_eq(v, ecam[i].value, "%s: %llx", ecam[i].what,
			     (unsigned long long)v);
		v = UINT64_MAX;
		(void)bus_write(&mmio, ecam[i].gpa, &v, ecam[i].size);
	}
	cr_expect_eq(get32(REG(1, 0)), 0x56781234U, "identity was written");
}

static const struct {
	const char *what;
	uint32_t address;
	uint16_t port;
	uint32_t size;
	uint32_t value;
} ports[] = {
	{"a word", 0x80000800, 0xcfc, 4, 0x56781234},
	{"a half", 0x80000800, 0xcfe, 2, 0x5678},
	{"a byte", 0x80000800, 0xcfd, 1, 0x12},
	{"not enabled", 0x00000800, 0xcfc, 4, UINT32_MAX},
	{"another bus", 0x80010800, 0xcfc, 4, UINT32_MAX},
	{"another function", 0x80000900, 0xcfc, 4, UINT32_MAX},
	{"an empty slot", 0x8000f800, 0xcfc, 4, UINT32_MAX},
	{"a reserved bit set", 0xff000800, 0xcfc, 4, 0x56781234},
	{"across the end of the ports", 0x80000800, 0xcfe, 4, UINT32_MAX},
	{"byte of the address", 0x80000800, 0xcf8, 1, 0xff},
	{"the address back", 0x80000803, 0xcf8, 4, 0x80000800},
	{"between address and data", 0x80000800, 0xcfa, 4, UINT32_MAX},
};

Test(pci_bus, port_reads)
{
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		uint32_t v = 0;

		(void)bus_write(&pio, 0xcf8, &ports[i].address, 4);
		(void)bus_read(&pio, ports[i].port, &v, ports[i].size);
		cr_expect_eq(v, ports[i].value, "%s: %x", ports[i].what, v);
	}
}

Test(pci_bus, port_writes)
{
	uint32_t address = 0x80000804;
	uint16_t command = 0;

	(void)bus_write(&pio, 0xcf8, &address, 4);
	address = 0;
	(void)bus_write(&pio, 0xcf8, &address, 2); /* ignored */
	(void)bus_write(&pio, 0xcfc, &command, 2);
	cr_expect_eq(mapped_at[0], 0U);
	cr_expect_eq(get32(WINDOW), UINT32_MAX, "decoding is off");
}

static const struct {
	const char *what;
	uint64_t gpa;
	bool mapped;
} moves[] = {
	{"elsewhere in the window", WINDOW + 0x100000, true},
	{"the end of the window", WINDOW + W_SIZE - 0x1000, true},
	{"unaligned bits do not stick", WINDOW + 0x100fff, true},
	{"the same place", WINDOW, true},
	{"address 0", 0, false},
	{"RAM", 0x100000, false},
	{"just below the window", WINDOW - 0x1000, false},
	{"just behind the window", WINDOW + W_SIZE, false},
	{"ECAM", ECAM, false},
	{"the local APIC", 0xfee00000, false},
	{"the top of 64 bits", UINT64_MAX, false},
	{"the upper half only", WINDOW | 1ULL << 32, false},
	{"another device's BAR", WINDOW + 0x20000, false},
	{"its own second BAR", WINDOW + 0x10000, false},
	{"a platform device", OTHER, false},
};

Test(pci_bus, bar_moves)
{
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		uint64_t gpa = moves[i].gpa & ~0xfffULL;

		set_bar(1, moves[i].gpa);
		cr_expect_eq(mapped_at[0], moves[i].mapped ? gpa : 0, "%s",
			     moves[i].what);
		cr_expect_eq(mapped_at[1], WINDOW + 0x20000, "%s",
			     moves[i].what);
		cr_expect_eq(get32(mapped_at[1]), 0x02020202U, "%s",
			     moves[i].what);
		if (moves[i].mapped)
			cr_expect_eq(get32(gpa), 0x01010101U, "%s",
				     moves[i].what);
		set_bar(1, WINDOW);
		cr_expect_eq(mapped_at[0], WINDOW, "back from %s",
			     moves[i].what);
	}
}

Test(pci_bus, the_one_in_the_way_moves_off)
{
	set_bar(1, WINDOW + 0x20000);
	cr_expect_eq(mapped_at[0], 0U);
	set_bar(2, WINDOW + 0x40000);
	cr_expect_eq(mapped_at[0], WINDOW + 0x20000);
	cr_expect_eq(mapped_at[1], WINDOW + 0x40000);
}

Test(pci_bus, half_of_a_bar)
{
	put32(REG(1, 0x14), 1);
	cr_expect_eq(mapped_at[0], 0U, "above the window");
	put32(REG(1, 0x14), 0);
	cr_expect_eq(mapped_at[0], WINDOW);
	put32(REG(1, 0x10), UINT32_MAX);
	cr_expect_eq(get32(REG(1, 0x10)), 0xfffff004U, "sizing");
	put32(REG(1, 0x14), UINT32_MAX);
	cr_expect_eq(get32(REG(1, 0x14)), UINT32_MAX);
	cr_expect_eq(mapped_at[0], 0U);
	set_bar(1, WINDOW);
	cr_expect_eq(mapped_at[0], WINDOW);
}

Test(pci_bus, memory_enable)
{
	put32(REG(1, 4), 4);
	cr_expect_eq(mapped_at[0], 0U);
	cr_expect_eq(get32(WINDOW), UINT32_MAX);
	set_bar(1, WINDOW + 0x100000);
	cr_expect_eq(mapped_at[0], 0U);
	put32(REG(1, 4), 2);
	cr_expect_eq(mapped_at[0], WINDOW + 0x100000);
}

Test(pci_bus, unplugging)
{
	uint64_t was = mapped_at[0];

	pci_bus_remove(&dev);
	pci_bus_remove(&dev);
	cr_expect_eq(mapped_at[0], 0U);
	cr_expect_eq(get32(was), UINT32_MAX);
	cr_expect_eq(get32(REG(1, 0)), UINT32_MAX);
	cr_expect_eq(get32(REG(2, 0)), 0x56781234U);
	pci_bus_remove(&dev2);
	bus_remove(&mmio, &other);
	pci_bus_fini(&bus);
	cr_expect_eq(mmio.n_ranges, 0U);
	cr_expect_eq(pio.n_ranges, 0U);
}

Test(pci_bus, limits)
{
	static struct pci_dev many[PCI_SLOTS], big;

	pci_dev_init(&big, &ops, &ids);
	pci_dev_add_bar(&big, 0, W_SIZE);
	cr_expect_eq(pci_bus_add(&bus, &big), AVF_ERR_LIMIT, "window");
	for (unsigned int i = 3; i < PCI_SLOTS; i++) {
		pci_dev_init(&many[i], &ops, &ids);
		cr_assert_eq(pci_bus_add(&bus, &many[i]), 0);
	}
	pci_dev_init(&many[0], &ops, &ids);
	cr_expect_eq(pci_bus_add(&bus, &many[0]), AVF_ERR_LIMIT, "slots");
}

Test(pci_bus, ecam_on_top_of_something)
{
	static struct pci_bus second;

	cr_expect_eq(pci_bus_init(&second, &mmio, NULL, &hv.hv, ECAM, WINDOW,
				  W_SIZE),
		     AVF_ERR_INVALID);
	cr_expect_eq(pci_bus_init(&second, &mmio, &pio, &hv.hv, ECAM * 2,
				  WINDOW, W_SIZE),
		     AVF_ERR_INVALID, "ports are taken");
	cr_expect_not(second.ecam.added);
}
