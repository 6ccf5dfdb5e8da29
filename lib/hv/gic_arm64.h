/*
 * Where a GICv3 and its ITS, both in the kernel's hands, appear in the guest's
 * address space. The machine leaves the room; the device tree names them.
 */
#pragma once

#define HV_GIC_DIST_BASE   0x3fff0000ULL
#define HV_GIC_DIST_SIZE   0x10000ULL
#define HV_GIC_ITS_BASE    0x3ffd0000ULL
#define HV_GIC_ITS_SIZE    0x20000ULL
#define HV_GIC_REDIST_BASE 0x3c000000ULL
#define HV_GIC_REDIST_SIZE 0x20000ULL /* of each vCPU */

/* Interrupt ids below this are private to a CPU; line n is id 32 + n. */
#define HV_GIC_FIRST_SPI 32U
