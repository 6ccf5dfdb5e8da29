#include "pci.h"

#define PCI_ID           0x00
#define PCI_COMMAND      0x04
#define PCI_BAR0         0x10
#define PCI_CAPABILITIES 0x34

#define COMMAND_MEMORY_MASTER 0x06U
#define BAR_TYPE_64           0x4U
#define N_BARS                6U
#define N_DEVICES             32U
#define N_CAPABILITIES        48U

uint64_t pci_config(unsigned int device)
{
	return cmdline_number("ecam", BARE_ECAM) + device * 0x8000ULL;
}

uint64_t pci_find(uint16_t vendor, uint16_t device, unsigned int index)
{
	const uint32_t id = (uint32_t)device << 16 | vendor;

	for (unsigned int i = 0; i < N_DEVICES; i++) {
		uint64_t config = pci_config(i);

		if (mmio_read32(config + PCI_ID) == id && index-- == 0)
			return config;
	}
	return 0;
}

/* Returns how many BAR slots this one takes. */
static unsigned int place_bar(uint64_t at, uint64_t *window)
{
	uint32_t old = mmio_read32(at);
	uint32_t mask;
	uint64_t size;

	mmio_write32(at, UINT32_MAX);
	mask = mmio_read32(at);
	mmio_write32(at, old);
	if (mask & ~0xfU && !(mask & 1) && !(old & ~0xfU)) {
		size = (uint32_t)(~(mask & ~0xfU)) + 1ULL;
		*window = (*window + size - 1) & ~(size - 1);
		mmio_write32(at, (uint32_t)*window);
		*window += size;
	}
	if ((mask & 0x7) != BAR_TYPE_64)
		return 1;
	if (!(old & ~0xfU))
		mmio_write32(at + 4, 0);
	return 2;
}

void pci_enable(uint64_t config)
{
	static uint64_t window;

	if (!window)
		window = cmdline_number("mmio32", BARE_WINDOW);
	for (unsigned int i = 0; i < N_BARS;)
		i += place_bar(config + PCI_BAR0 + i * 4, &window);
	mmio_write16(config + PCI_COMMAND, COMMAND_MEMORY_MASTER);
}

uint64_t pci_bar(uint64_t config, unsigned int bar)
{
	const uint64_t at = config + PCI_BAR0 + bar * 4;
	uint64_t base = mmio_read32(at);

	if ((base & 0x7) == BAR_TYPE_64)
		base |= (uint64_t)mmio_read32(at + 4) << 32;
	return base & ~0xfULL;
}

uint64_t pci_capability(uint64_t config, uint64_t after, uint8_t id)
{
	uint8_t next =
		mmio_read8(after ? after + 1 : config + PCI_CAPABILITIES);

	for (unsigned int i = 0; next && i < N_CAPABILITIES; i++) {
		if (mmio_read8(config + next) == id)
			return config + next;
		next = mmio_read8(config + next + 1);
	}
	return 0;
}
