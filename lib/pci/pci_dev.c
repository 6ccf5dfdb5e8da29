/*
 * One function's configuration space: 256 bytes and a mask of what the guest
 * may change. All registers that a guest writes go through that mask, byte by
 * byte, so that read-only fields need no code. After a write, the three who may
 * care are told in order: the bus (BARs, command), MSI-X, the device.
 */
#include <assert.h>
#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "pci/msix.h"
#include "pci/pci.h"

/* Type 0 header, PCI 3.0, 6.1. */
#define REG_STATUS        0x06
#define REG_REVISION      0x08
#define REG_CLASS         0x09
#define REG_SUBSYSTEM     0x2c
#define REG_CAPABILITIES  0x34
#define REG_INTERRUPT     0x3c
#define HEADER_END        0x40
#define STATUS_HAS_CAPS   0x10
#define BAR_MEMORY_64     0x04
#define COMMAND_WRITABLE  0x06 /* memory, bus master */
#define COMMAND_WRITABLE1 0x04 /* INTx disable, in the upper byte */

/* At any alignment: the structure is bytes. */
static void put16(uint8_t *at, uint16_t value)
{
	const le16 raw = le16_make(value);

	memcpy(at, &raw, sizeof(raw));
}

void pci_dev_init(struct pci_dev *dev, const struct pci_dev_ops *ops,
		  const struct pci_ids *ids)
{
	memset(dev, 0, sizeof(*dev));
	dev->ops = ops;
	put16(dev->config, ids->vendor);
	put16(dev->config + 2, ids->device);
	dev->config[REG_REVISION] = ids->revision;
	dev->config[REG_CLASS] = (uint8_t)ids->class_code;
	put16(dev->config + REG_CLASS + 1, (uint16_t)(ids->class_code >> 8));
	put16(dev->config + REG_SUBSYSTEM, ids->subsystem_vendor);
	put16(dev->config + REG_SUBSYSTEM + 2, ids->subsystem);
	dev->writable[PCI_REG_COMMAND] = COMMAND_WRITABLE;
	dev->writable[PCI_REG_COMMAND + 1] = COMMAND_WRITABLE1;
	/* scratch for the guest's use; there is no wired interrupt */
	dev->writable[REG_INTERRUPT] = 0xff;
	dev->cap_end = HEADER_END;
	dev->cap_last = REG_CAPABILITIES;
}

void pci_dev_fini(struct pci_dev *dev)
{
	msix_free(dev->msix);
	dev->msix = NULL;
}

/*
 * From the MMIO bus to the device: the opaque pointer is the BAR, whose index
 * is its place in the array.
 */
static void bar_read(void *opaque, uint64_t offset, void *data, uint32_t size)
{
	struct pci_bar *bar = opaque;

	bar->dev->ops->bar_read(bar->dev, (unsigned int)(bar - bar->dev->bars),
				offset, data, size);
}

static void bar_write(void *opaque, uint64_t offset, const void *data,
		      uint32_t size)
{
	struct pci_bar *bar = opaque;

	bar->dev->ops->bar_write(bar->dev, (unsigned int)(bar - bar->dev->bars),
				 offset, data, size);
}

static const struct bus_ops bar_ops = {.read = bar_read, .write = bar_write};

void pci_dev_add_bar(struct pci_dev *dev, unsigned int bar, uint64_t size)
{
	uint32_t reg = PCI_REG_BAR0 + 4 * bar;
	/* sizing (6.2.5.1) works by itself: the low bits cannot be written */
	const le64 mask = le64_make(~(size - 1));

	assert(bar + 1 < PCI_BARS && bar % 2 == 0);
	assert(size >= 16 && (size & (size - 1)) == 0);
	dev->bars[bar] = (struct pci_bar){
		.range = {.size = size,
			  .ops = &bar_ops,
			  .opaque = &dev->bars[bar]},
		.dev = dev,
		.size = size,
	};
	dev->config[reg] = BAR_MEMORY_64;
	memcpy(&dev->writable[reg], &mask, sizeof(mask));
}

/*
 * The list is made before the device is on a bus and never changes, so a driver
 * that walks it cannot be led in a circle.
 */
uint32_t pci_dev_add_cap(struct pci_dev *dev, uint8_t id, uint32_t len)
{
	uint32_t at = dev->cap_end;

	assert(len >= 2 && at + len <= PCI_CONFIG_SIZE);
	dev->config[REG_STATUS] |= STATUS_HAS_CAPS;
	dev->config[dev->cap_last] = (uint8_t)at;
	dev->config[at] = id;
	dev->cap_last = at + 1;
	dev->cap_end = (at + len + 3) & ~3U; /* 6.7: on a 4-byte border */
	return at;
}

uint64_t pci_dev_bar_address(const struct pci_dev *dev, unsigned int bar)
{
	le64 raw;

	if (dev->bars[bar].size == 0)
		return 0;
	memcpy(&raw, &dev->config[PCI_REG_BAR0 + 4 * bar], sizeof(raw));
	return le64_get(raw) & ~15ULL;
}

void pci_dev_config_read(struct pci_dev *dev, uint32_t reg, void *data,
			 uint32_t size)
{
	/* behind 256 bytes lies an extended space without capabilities */
	memset(data, 0, size);
	if (reg >= PCI_CONFIG_SIZE)
		return;
	size = MIN(size, PCI_CONFIG_SIZE - reg);
	if (dev->ops && dev->ops->config_read)
		dev->ops->config_read(dev, reg, size);
	memcpy(data, &dev->config[reg], size);
}

void pci_dev_config_write(struct pci_dev *dev, uint32_t reg, const void *data,
			  uint32_t size)
{
	const uint8_t *bytes = data;

	if (reg >= PCI_CONFIG_SIZE)
		return;
	size = MIN(size, PCI_CONFIG_SIZE - reg);
	for (uint32_t i = 0; i < size; i++) {
		uint8_t mask = dev->writable[reg + i];
		uint8_t *at = &dev->config[reg + i];

		*at = (uint8_t)((*at & ~mask) | (bytes[i] & mask));
	}
	/* header registers only: nothing above moves a BAR */
	if (dev->bus && reg < PCI_REG_BAR_END)
		pci_bus_refresh(dev->bus);
	/* cheap enough to ask after every write, and no bit is forgotten */
	if (dev->msix)
		msix_control_written(dev->msix);
	if (dev->ops && dev->ops->config_written)
		dev->ops->config_written(dev, reg, size);
}
