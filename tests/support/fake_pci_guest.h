/*
 * A guest that drives one virtio device over PCI, by accesses to the buses
 * as its CPU would make them: finds the capabilities through ECAM, negotiates,
 * sets queues up. For tests of the transport and of whole devices.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "bus/bus.h"
#include "pci/pci.h"
#include "support/fake_driver.h"
#include "support/fake_hv.h"

#define GUEST_RAM         0x200000ULL
#define GUEST_ECAM        0xe0000000ULL
#define GUEST_WINDOW      0xc0000000ULL
#define GUEST_WINDOW_SIZE 0x1000000ULL
#define GUEST_MSI         0xfee00000U
#define GUEST_VECTOR      0x40U /* data of MSI-X vector n is this + n */

/* Offsets in the common structure (virtio 1.2, 4.1.4.3). */
enum guest_common {
	C_DEVICE_SELECT = 0x00,
	C_DEVICE_FEATURE = 0x04,
	C_DRIVER_SELECT = 0x08,
	C_DRIVER_FEATURE = 0x0c,
	C_CONFIG_VECTOR = 0x10,
	C_NUM_QUEUES = 0x12,
	C_STATUS = 0x14,
	C_GENERATION = 0x15,
	C_QUEUE_SELECT = 0x16,
	C_QUEUE_SIZE = 0x18,
	C_QUEUE_VECTOR = 0x1a,
	C_QUEUE_ENABLE = 0x1c,
	C_QUEUE_NOTIFY_OFF = 0x1e,
	C_QUEUE_DESC = 0x20,
	C_QUEUE_DRIVER = 0x28,
	C_QUEUE_DEVICE = 0x30,
};

/* The machine that a test builds around a device. */
struct fake_machine {
	struct gmem gm;
	struct bus mmio, pio;
	struct fake_hv hv;
	struct pci_bus pci;
	struct loop loop;
};

struct fake_guest {
	struct fake_machine *machine; /* borrowed */
	unsigned int slot;
	uint64_t common, notify, isr,
		device; /* gpa, or 0: no such capability */
	uint32_t multiplier;
	uint32_t pci_cfg; /* register of that capability */
	uint32_t msix;    /* register of that capability */
};

void fake_machine_init(struct fake_machine *m);
void fake_machine_fini(struct fake_machine *m);

/** Let the loop serve what is waiting. */
void fake_machine_run(struct fake_machine *m);

/** Find the device in @slot. Aborts when there is none. */
void fake_guest_init(struct fake_guest *g, struct fake_machine *m,
		     unsigned int slot);

uint64_t fake_guest_read(struct fake_guest *g, uint64_t gpa, uint32_t size);
void fake_guest_write(struct fake_guest *g, uint64_t gpa, uint64_t value,
		      uint32_t size);

/* The configuration space, through ECAM. */
uint32_t fake_guest_config(struct fake_guest *g, uint32_t reg, uint32_t size);
void fake_guest_set_config(struct fake_guest *g, uint32_t reg, uint32_t value,
			   uint32_t size);

/* The common structure; the field says how wide. */
uint32_t fake_guest_get(struct fake_guest *g, enum guest_common field);
void fake_guest_set(struct fake_guest *g, enum guest_common field,
		    uint32_t value);

/** Unmask MSI-X vectors 0 to @n - 1 and enable them. */
void fake_guest_enable_msix(struct fake_guest *g, unsigned int n);

/** How often vector @n came since the last question. */
uint64_t fake_guest_interrupts(struct fake_guest *g, unsigned int n);

/**
 * Reset, acknowledge, accept @features (of those offered; VERSION_1 always),
 * FEATURES_OK. Returns whether it stuck.
 */
bool fake_guest_negotiate(struct fake_guest *g, uint64_t features);

/** Queue @q gets the rings of @drv and MSI-X vector @q + 1. */
void fake_guest_set_queue(struct fake_guest *g, uint16_t q,
			  const struct fake_driver *drv);

void fake_guest_driver_ok(struct fake_guest *g);

/** Ring the doorbell of queue @q and let the loop run. */
void fake_guest_kick(struct fake_guest *g, uint16_t q);
