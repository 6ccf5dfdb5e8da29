/*
 * The guest physical address space, arm64. RAM, serial line and clock are where
 * AVF has them, so that its bare-metal guests find theirs.
 *
 *	0x000003f8	serial line, a 16550
 *	0x00002000	real-time clock, a PL031
 *	0x10000000	ECAM, bus 0
 *	0x20000000	window for BARs of PCI devices
 *	0x3c000000	GICv3 and its ITS or frame, in the kernel's
 *			hands (hv/gic_arm64.h)
 *	0x80000000	RAM
 */
#pragma once

#define MACHINE_SERIAL_BASE 0x000003f8ULL
#define MACHINE_SERIAL_LINE 0U
#define MACHINE_RTC_BASE    0x00002000ULL
#define MACHINE_ECAM_BASE   0x10000000ULL
#define MACHINE_ECAM_SIZE   0x00100000ULL
#define MACHINE_MMIO32_BASE 0x20000000ULL
#define MACHINE_MMIO32_SIZE 0x10000000ULL
#define MACHINE_RAM_BASE    0x80000000ULL
