/*
 * The bus side of PCI: how configuration accesses find their function, and
 * where BARs are decoded. pci.h tells how it works. Sections are those of PCI
 * Local Bus 3.0. What a guest writes to a BAR is only a wish; wanted() decides
 * what becomes of it, and nothing outside of the bridge's window is ever
 * decoded, so no BAR can shadow RAM or an interrupt controller.
 */
#include <inttypes.h>
#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "pci/pci.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA    4 /* offset of 0xcfc in the range */

/* A function of the bus, or NULL. Only function 0 of bus 0 exists. */
static struct pci_dev *function(const struct pci_bus *bus, uint64_t bdf)
{
	if (bdf & 7 || bdf >> 3 >= PCI_SLOTS)
		return NULL;
	return bus->devices[bdf >> 3];
}

/* The MMIO bus fills reads with ones: what nobody claims stays so. */
static void ecam_read(void *opaque, uint64_t offset, void *data, uint32_t size)
{
	struct pci_dev *dev = function(opaque, offset >> 12);

	/* an access over the end of a function would reach its neighbour */
	if (dev && (offset & 0xfff) + size <= 0x1000)
		pci_dev_config_read(dev, offset & 0xfff, data, size);
}

static void ecam_write(void *opaque, uint64_t offset, const void *data,
		       uint32_t size)
{
	struct pci_dev *dev = function(opaque, offset >> 12);

	if (dev && (offset & 0xfff) + size <= 0x1000)
		pci_dev_config_write(dev, offset & 0xfff, data, size);
}

/*
 * Configuration mechanism #1 (PCI 3.0, 3.2.2.3.2): bit 31 enables, bits 23:8
 * are bus, device and function, 7:2 the register.
 */
static struct pci_dev *selected(const struct pci_bus *bus, uint64_t offset,
				uint32_t *ret_reg)
{
	uint32_t address = bus->port_address;

	if (!(address & BIT(31)) || offset < PORT_DATA)
		return NULL;
	*ret_reg = (address & 0xfc) + (uint32_t)(offset - PORT_DATA);
	return function(bus, address >> 8 & 0xffff);
}

/*
 * Byte and word accesses of the address port are not this mechanism
 * (3.2.2.3.2): they are left to nobody, and read as ones.
 */
static void ports_read(void *opaque, uint64_t offset, void *data, uint32_t size)
{
	const struct pci_bus *bus = opaque;
	const le32 address = le32_make(bus->port_address);
	uint32_t reg;
	struct pci_dev *dev = selected(bus, offset, &reg);

	if (offset == 0 && size == 4)
		memcpy(data, &address, sizeof(address));
	else if (dev)
		pci_dev_config_read(dev, reg, data, size);
}

static void ports_write(void *opaque, uint64_t offset, const void *data,
			uint32_t size)
{
	struct pci_bus *bus = opaque;
	uint32_t reg;
	struct pci_dev *dev = selected(bus, offset, &reg);
	le32 address;

	if (offset == 0 && size == 4) {
		memcpy(&address, data, sizeof(address));
		bus->port_address = le32_get(address) & ~3U;
	} else if (dev) {
		pci_dev_config_write(dev, reg, data, size);
	}
}

static const struct bus_ops ecam_ops = {.read = ecam_read, .write = ecam_write};
static const struct bus_ops ports_ops = {.read = ports_read,
					 .write = ports_write};

int pci_bus_init(struct pci_bus *bus, struct bus *mmio, struct bus *pio,
		 struct hv *hv, uint64_t ecam_base, uint64_t window_base,
		 uint64_t window_size)
{
	/* a generic PCIe host bridge as far as drivers care: none binds */
	static const struct pci_ids bridge = {
		.vendor = 0x1b36, .device = 0x0008, .class_code = 0x060000};
	int rc;

	memset(bus, 0, sizeof(*bus));
	bus->mmio = mmio;
	bus->pio = pio;
	bus->hv = hv;
	bus->window_base = window_base;
	bus->window_size = window_size;
	bus->ecam = (struct bus_range){ecam_base, PCI_ECAM_SIZE, &ecam_ops, bus,
				       false};
	bus->ports =
		(struct bus_range){PORT_ADDRESS, 8, &ports_ops, bus, false};
	pci_dev_init(&bus->bridge, NULL, &bridge);
	bus->bridge.bus = bus;
	bus->devices[0] = &bus->bridge;
	rc = bus_add(mmio, &bus->ecam);
	if (rc < 0)
		return rc;
	rc = pio ? bus_add(pio, &bus->ports) : 0;
	if (rc < 0)
		bus_remove(mmio, &bus->ecam);
	return rc;
}

void pci_bus_fini(struct pci_bus *bus)
{
	if (!bus->mmio)
		return;
	bus_remove(bus->mmio, &bus->ecam);
	if (bus->pio)
		bus_remove(bus->pio, &bus->ports);
	bus->mmio = NULL;
}

/* Where a BAR should be decoded now; 0: nowhere. */
static uint64_t wanted(const struct pci_bus *bus, const struct pci_dev *dev,
		       unsigned int bar)
{
	uint64_t gpa = pci_dev_bar_address(dev, bar);
	uint64_t size = dev->bars[bar].size;

	if (size == 0 || !(dev->config[PCI_REG_COMMAND] & PCI_COMMAND_MEM))
		return 0;
	if (gpa < bus->window_base || size > bus->window_size ||
	    gpa - bus->window_base > bus->window_size - size)
		return 0;
	return gpa;
}

/* Tells the device where its BAR is; the host bridge has no ops. */
static void mapped(struct pci_dev *dev, unsigned int bar, uint64_t gpa)
{
	if (dev->ops && dev->ops->bar_mapped)
		dev->ops->bar_mapped(dev, bar, gpa);
}

/* Takes away every BAR of @dev that is not where the guest wants it. */
static void unmap_moved(struct pci_bus *bus, struct pci_dev *dev)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &dev->bars[i];

		if (!bar->range.added || bar->range.base == wanted(bus, dev, i))
			continue;
		bus_remove(bus->mmio, &bar->range);
		mapped(dev, i, 0);
	}
}

/* Puts back what unmap_moved() took away and what was off before. */
static void map_waiting(struct pci_bus *bus, struct pci_dev *dev)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &dev->bars[i];
		uint64_t gpa = wanted(bus, dev, i);

		if (bar->range.added || gpa == 0)
			continue;
		bar->range.base = gpa;
		/* on top of another range: not decoded until one moves */
		if (bus_add(bus->mmio, &bar->range) == 0)
			mapped(dev, i, gpa);
	}
}

void pci_bus_refresh(struct pci_bus *bus)
{
	/* all that left first: BARs may trade places */
	for (unsigned int i = 0; i < PCI_SLOTS; i++) {
		if (bus->devices[i])
			unmap_moved(bus, bus->devices[i]);
	}
	for (unsigned int i = 0; i < PCI_SLOTS; i++) {
		if (bus->devices[i])
			map_waiting(bus, bus->devices[i]);
	}
}

/* Addresses from the window, each aligned to its size. */
static int place_bars(struct pci_bus *bus, struct pci_dev *dev)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		uint64_t size = dev->bars[i].size;
		uint64_t gpa;
		le64 raw;

		if (size == 0)
			continue;
		if (ckd_add(&gpa, bus->window_base,
			    bus->window_used + (size - 1)))
			return fail(AVF_ERR_LIMIT, "PCI window wraps");
		gpa &= ~(size - 1);
		if (size > bus->window_size ||
		    gpa - bus->window_base > bus->window_size - size)
			return fail(AVF_ERR_LIMIT,
				    "no room for a BAR of 0x%" PRIx64 " bytes",
				    size);
		bus->window_used = gpa - bus->window_base + size;
		raw = le64_make(gpa | dev->config[PCI_REG_BAR0 + 4 * i]);
		memcpy(&dev->config[PCI_REG_BAR0 + 4 * i], &raw, sizeof(raw));
	}
	return 0;
}

int pci_bus_add(struct pci_bus *bus, struct pci_dev *dev)
{
	unsigned int slot = 1;
	int rc;

	while (slot < PCI_SLOTS && bus->devices[slot])
		slot++;
	if (slot == PCI_SLOTS)
		return fail(AVF_ERR_LIMIT, "more than %d PCI devices",
			    PCI_SLOTS - 1);
	rc = place_bars(bus, dev);
	if (rc < 0)
		return rc;
	dev->bus = bus;
	dev->slot = slot;
	dev->config[PCI_REG_COMMAND] = PCI_COMMAND_MEM | 0x04; /* master */
	bus->devices[slot] = dev;
	pci_bus_refresh(bus);
	return 0;
}

void pci_bus_remove(struct pci_dev *dev)
{
	struct pci_bus *bus = dev->bus;

	if (!bus)
		return;
	dev->config[PCI_REG_COMMAND] = 0;
	unmap_moved(bus, dev);
	for (unsigned int i = 0; i < PCI_SLOTS; i++) {
		if (bus->devices[i] == dev)
			bus->devices[i] = NULL;
	}
	dev->bus = NULL;
}
