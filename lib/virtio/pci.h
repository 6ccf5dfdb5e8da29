/*
 * The virtio-pci transport, modern only (virtio 1.2, 4.1).
 *
 * BAR 0 holds the four structures, a page each; BAR 2 the MSI-X table. Kicks
 * come as ioeventfds where the hypervisor has them, else as MMIO exits, and
 * either way end at an eventfd that the VM's loop watches: a vCPU thread
 * never does a device's work. There is no wired interrupt.
 */
#pragma once

#include "base/log.h"
#include "base/loop.h"
#include "hv/hv.h"
#include "pci/pci.h"
#include "virtio/device.h"

struct virtio_pci;

/**
 * Put @dev on the PCI @bus. Takes @dev, also on failure; borrows the rest.
 * Before the loop runs, or with its lock held.
 * Errors: AVF_ERR_LIMIT (bus full, no fds), AVF_ERR_NO_MEMORY, AVF_ERR_IO.
 */
int virtio_pci_new(struct virtio_dev *dev, struct pci_bus *bus,
		   struct loop *loop, struct hv *hv, const struct log *log,
		   struct virtio_pci **ret) MUST_CHECK;

/** The device that it carries; borrowed. */
const struct virtio_dev *virtio_pci_dev(const struct virtio_pci *vp);

/** Reset the device, unplug and free it. NULL is a no-op. */
void virtio_pci_free(struct virtio_pci *vp);
