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

/*
 * A protected VM has no ITS: its tables would be in the guest's own memory,
 * which KVM cannot read, and Linux shares them with its host from 6.13 on only.
 * MSIs go to a GICv2m frame instead (Arm SBSA, appendix E): a message to its
 * doorbell is a shared interrupt, whose id is the message's data. Nothing
 * answers at the frame but the device tree, which says all that its registers
 * would.
 */
#define HV_GIC_FRAME_BASE     0x3ffc0000ULL
#define HV_GIC_FRAME_SIZE     0x1000ULL
#define HV_GIC_FRAME_DOORBELL (HV_GIC_FRAME_BASE + 0x40)
/* The ids that are its: behind those of wired interrupts. */
#define HV_GIC_FRAME_FIRST 64U
#define HV_GIC_FRAME_COUNT 128U
