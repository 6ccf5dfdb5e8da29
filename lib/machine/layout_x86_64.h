/*
 * The guest physical address space, x86-64.
 *
 *	0		low RAM, up to MACHINE_LOW_RAM_MAX
 *	0xc0000000	window for BARs of PCI devices
 *	0xe0000000	ECAM, bus 0
 *	0xfec00000	IOAPIC and local APIC, in the kernel's hands
 *	0x100000000	the rest of RAM
 */
#pragma once

#define MACHINE_LOW_RAM_MAX 0xc0000000ULL
#define MACHINE_MMIO32_BASE 0xc0000000ULL
#define MACHINE_MMIO32_SIZE 0x20000000ULL
#define MACHINE_ECAM_BASE   0xe0000000ULL
#define MACHINE_ECAM_SIZE   0x00100000ULL
#define MACHINE_HIGH_RAM    0x100000000ULL
#define MACHINE_COM1_PORT   0x3f8
#define MACHINE_COM1_LINE   4
