/* Configuration space: what the guest can change, and what it cannot. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/checked.h"
#include "pci/pci.h"

static const struct pci_ids ids = {0x1af4, 0x1044, 0x1af4, 0x1044, 0xff0000, 1};
static struct pci_dev dev;

static void setup(void)
{
	pci_dev_init(&dev, NULL, &ids);
	pci_dev_add_bar(&dev, 0, 0x4000);
}

TestSuite(pci_dev, .init = setup);

static const struct {
	const char *what;
	uint32_t reg;
	uint32_t stick; /* of 32 ones */
} masks[] = {
	{"identity", 0x00, 0},
	{"command: memory, master, INTx off; status", 0x04, 0x0406},
	{"class and revision", 0x08, 0},
	{"cache line, latency, type, BIST", 0x0c, 0},
	{"BAR 0, low", 0x10, 0xffffc000},
	{"BAR 0, high", 0x14, 0xffffffff},
	{"BAR 2, which there is not", 0x18, 0},
	{"BAR 5, which there is not", 0x24, 0},
	{"CardBus", 0x28, 0},
	{"subsystem", 0x2c, 0},
	{"expansion ROM", 0x30, 0},
	{"capabilities", 0x34, 0},
	{"reserved", 0x38, 0},
	{"interrupt line only", 0x3c, 0xff},
	{"behind the header", 0x40, 0},
	{"the end", 0xfc, 0},
};

static uint32_t get32(uint32_t reg)
{
	uint32_t v;

	pci_dev_config_read(&dev, reg, &v, 4);
	return v;
}

Test(pci_dev, what_sticks)
{
	const uint32_t ones = UINT32_MAX;
	const uint32_t zero = 0;

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		uint32_t reg = masks[i].reg;
		uint32_t was = get32(reg);

		pci_dev_config_write(&dev, reg, &ones, 4);
		cr_expect_eq(get32(reg), was | masks[i].stick, "%s: %x",
			     masks[i].what, get32(reg));
		pci_dev_config_write(&dev, reg, &zero, 4);
		cr_expect_eq(get32(reg), was & ~masks[i].stick, "%s",
			     masks[i].what);
	}
}

/* Every width at every register against a plain copy of the bytes. */
Test(pci_dev, every_width_at_every_offset)
{
	static const uint32_t sizes[] = {1, 2, 4, 8};
	uint8_t model[PCI_CONFIG_SIZE + 8] = {0};
	uint8_t data[8];

	for (uint32_t i = 0; i < PCI_CONFIG_SIZE; i++)
		dev.config[i] = (uint8_t)(i * 7);
	memset(dev.writable, 0xff, sizeof(dev.writable));
	memcpy(model, dev.config, sizeof(dev.config));
	for (uint32_t reg = 0; reg < 4096; reg++) {
		for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
			uint32_t n = sizes[k];

			memset(data, 0xee, sizeof(data));
			pci_dev_config_read(&dev, reg, data, n);
			for (uint32_t b = 0; b < sizeof(data); b++)
				cr_assert_eq(data[b],
					     b >= n ? 0xee
					     : reg + b < PCI_CONFIG_SIZE
						     ? model[reg + b]
						     : 0,
					     "register %x, %u bytes", reg, n);
			memset(data, (int)(reg + k), sizeof(data));
			pci_dev_config_write(&dev, reg, data, n);
			for (uint32_t b = 0; b < n && reg + b < PCI_CONFIG_SIZE;
			     b++)
				model[reg + b] = data[b];
		}
	}
	cr_expect_eq(memcmp(model, dev.config, PCI_CONFIG_SIZE), 0);
}

Test(pci_dev, one_byte_of_a_bar)
{
	const uint8_t byte = 0xc0;

	pci_dev_config_write(&dev, 0x13, &byte, 1);
	cr_expect_eq(pci_dev_bar_address(&dev, 0), 0xc0000000ULL);
	pci_dev_config_write(&dev, 0x10, &byte, 1);
	cr_expect_eq(get32(0x10), 0xc0000004U);
	cr_expect_eq(pci_dev_bar_address(&dev, 2), 0U);
}

Test(pci_dev, capabilities_are_a_list)
{
	uint32_t a = pci_dev_add_cap(&dev, PCI_CAP_VENDOR, 17);
	uint32_t b = pci_dev_add_cap(&dev, PCI_CAP_MSIX, 12);

	cr_expect_eq(a, 0x40U);
	cr_expect_eq(b, 0x54U, "on a border of four");
	cr_expect_eq(get32(0x34) & 0xff, a);
	cr_expect_eq(get32(a) & 0xffff, 0x5409U);
	cr_expect_eq(get32(b) & 0xffff, 0x0011U);
	cr_expect_eq(get32(4) >> 16, 0x10U, "status says so");
}
