/*
 * One PCI bus: 32 devices with function 0 only, reached through ECAM and,
 * where there are ports, through 0xcf8/0xcfc.
 *
 * How it works: a device owns 256 bytes of configuration space and a mask of
 * the bits that the guest may change. BARs are 64-bit memory BARs; whenever a
 * write touches one of them or the command register, all BARs of the bus are
 * looked at again, and each is a range on the MMIO bus exactly while memory
 * decoding is on, it lies inside the bridge's window and overlaps nothing.
 * A guest that puts a BAR elsewhere only loses its own device.
 *
 * No firmware runs: pci_bus_add() places the BARs and turns decoding on.
 *
 * Thread rule: everything under the machine's lock once vCPUs run.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "bus/bus.h"
#include "hv/hv.h"

#define PCI_SLOTS       32
#define PCI_CONFIG_SIZE 256
#define PCI_ECAM_SIZE   0x100000ULL /* bus 0: 32 x 8 functions x 4 KiB */
#define PCI_BARS        6

/* Registers and bits of the type 0 header that more than one file names. */
#define PCI_REG_COMMAND 0x04
#define PCI_REG_BAR0    0x10
#define PCI_REG_BAR_END 0x28
#define PCI_COMMAND_MEM 0x0002
#define PCI_CAP_VENDOR  0x09
#define PCI_CAP_MSIX    0x11

struct pci_dev;
struct msix;

/* What a device does behind its header. */
struct pci_dev_ops {
	/** An access to a BAR, inside its size. 1, 2, 4 or 8 bytes. */
	void (*bar_read)(struct pci_dev *dev, unsigned int bar, uint64_t offset,
			 void *data, uint32_t size);
	void (*bar_write)(struct pci_dev *dev, unsigned int bar,
			  uint64_t offset, const void *data, uint32_t size);
	/** @bar is now at @gpa, or nowhere: 0. NULL: nothing to do. */
	void (*bar_mapped)(struct pci_dev *dev, unsigned int bar, uint64_t gpa);
	/** [@reg, @reg + @len) is about to be read: bring it up to date. */
	void (*config_read)(struct pci_dev *dev, uint32_t reg, uint32_t len);
	/** [@reg, @reg + @len) was written through the mask. */
	void (*config_written)(struct pci_dev *dev, uint32_t reg, uint32_t len);
};

struct pci_bar {
	struct bus_range range;
	struct pci_dev *dev;
	uint64_t size; /* bytes, a power of two; 0: no such BAR */
};

struct pci_ids {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint32_t class_code; /* 24 bits */
	uint8_t revision;
};

struct pci_dev {
	const struct pci_dev_ops *ops; /* NULL: header only */
	struct pci_bus *bus;           /* borrowed; NULL while not on a bus */
	unsigned int slot;             /* on @bus */
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
	uint32_t cap_end;  /* first free byte behind the capabilities */
	uint32_t cap_last; /* of the link to the next one */
	struct pci_bar bars[PCI_BARS];
	struct msix *msix; /* owned, or NULL */
};

struct pci_bus {
	struct bus *mmio; /* borrowed */
	struct bus *pio;  /* borrowed; NULL: no port access */
	struct hv *hv;    /* borrowed */
	uint64_t window_base, window_size, window_used;
	struct bus_range ecam, ports;
	uint32_t port_address;              /* 0xcf8 */
	struct pci_dev *devices[PCI_SLOTS]; /* borrowed */
	struct pci_dev bridge;              /* 00:00.0 */
};

/**
 * An empty bus with its host bridge. ECAM appears at @ecam_base; BARs live in
 * the window. @pio may be NULL.
 * Errors: as bus_add().
 */
int pci_bus_init(struct pci_bus *bus, struct bus *mmio, struct bus *pio,
		 struct hv *hv, uint64_t ecam_base, uint64_t window_base,
		 uint64_t window_size) MUST_CHECK;

/** The devices have left already. */
void pci_bus_fini(struct pci_bus *bus);

/**
 * Plug a device into the next free slot and place its BARs.
 * Errors: AVF_ERR_LIMIT (no slot, window full).
 */
int pci_bus_add(struct pci_bus *bus, struct pci_dev *dev) MUST_CHECK;

/** Unplug. No-op when it is on no bus. */
void pci_bus_remove(struct pci_dev *dev);

/** Bring the MMIO bus in line with the BARs. For pci_dev.c. */
void pci_bus_refresh(struct pci_bus *bus);

/** A device without BARs and capabilities. @ops is borrowed. */
void pci_dev_init(struct pci_dev *dev, const struct pci_dev_ops *ops,
		  const struct pci_ids *ids);

/** Free what the device collected (MSI-X), after pci_bus_remove(). */
void pci_dev_fini(struct pci_dev *dev);

/** BAR @bar (0, 2 or 4; it takes two) of @size bytes, a power of two. */
void pci_dev_add_bar(struct pci_dev *dev, unsigned int bar, uint64_t size);

/**
 * Append a capability of @len bytes, the two of its header included.
 * Returns where it is; its body is zero and not writable.
 */
uint32_t pci_dev_add_cap(struct pci_dev *dev, uint8_t id, uint32_t len);

/** The address in a BAR, whether it is decoded or not. */
uint64_t pci_dev_bar_address(const struct pci_dev *dev, unsigned int bar);

/** One access to the configuration space; any register, 1 to 8 bytes. */
void pci_dev_config_read(struct pci_dev *dev, uint32_t reg, void *data,
			 uint32_t size);
void pci_dev_config_write(struct pci_dev *dev, uint32_t reg, const void *data,
			  uint32_t size);
