/* PCI through ECAM, bus 0. */
#pragma once

#include "runtime.h"

/** Address of the configuration space of function 0 of @device. */
uint64_t pci_config(unsigned int device);

/** The @index-th device of @vendor and @device; 0 when there is none. */
uint64_t pci_find(uint16_t vendor, uint16_t device, unsigned int index);

/** Give every memory BAR an address and let the device use the bus. */
void pci_enable(uint64_t config);

/** Address that a BAR decodes. */
uint64_t pci_bar(uint64_t config, unsigned int bar);

/** The next capability of id @id behind @after (0: the first); 0: none. */
uint64_t pci_capability(uint64_t config, uint64_t after, uint8_t id);
