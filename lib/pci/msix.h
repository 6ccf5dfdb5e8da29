/*
 * MSI-X (PCI 3.0, 6.8.2): a table of messages and a bit array of pending
 * vectors in a BAR of their own. A vector gets its eventfd and its route in
 * the hypervisor when it is first delivered, and a new message when the guest
 * changed it since.
 *
 * Thread rule: the machine's lock.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "pci/pci.h"

#define MSIX_MAX_VECTORS 64
#define MSIX_BAR_SIZE    0x1000ULL
#define MSIX_PBA         0x800ULL

/**
 * Give @dev @n vectors, in its BAR @bar, which this adds. The device's ops
 * forward that BAR's accesses to msix_read() and msix_write().
 * Errors: AVF_ERR_NO_MEMORY.
 */
int msix_add(struct pci_dev *dev, unsigned int bar, unsigned int n) MUST_CHECK;

/** Free routes and eventfds. For pci_dev_fini(); takes NULL. */
void msix_free(struct msix *msix);

unsigned int pci_msix_vectors(const struct pci_dev *dev);

/**
 * Deliver @vector, or remember it while it is masked. A vector that does not
 * exist is ignored.
 */
void pci_msix_signal(struct pci_dev *dev, unsigned int vector);

void msix_read(struct msix *msix, uint64_t offset, void *data, uint32_t size);
void msix_write(struct msix *msix, uint64_t offset, const void *data,
		uint32_t size);

/** The control word in configuration space may have changed. */
void msix_control_written(struct msix *msix);
