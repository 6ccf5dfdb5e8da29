/*
 * Loading an arm64 kernel as a boot loader would (Documentation/arch/arm64/
 * booting.rst of Linux): an Image, plain or compressed, initrd, and a device
 * tree that describes the machine. Pure, and built on every host.
 *
 *	RAM base		device tree, BOOT_ARM64_DTREE_SIZE
 *	RAM base + 2 MiB	kernel
 *	...
 *	below the bounce pool	initrd, at the top
 *	end of RAM		bounce pool, in a protected VM
 *
 * Kernel, initrd and overlay are hostile files, as in boot.h.
 */
#pragma once

#include "boot/boot.h"

#define BOOT_ARM64_MAX_VCPUS  64U
#define BOOT_ARM64_DTREE_SIZE 0x200000ULL
#define BOOT_ARM64_SEED_SIZE  32U

struct boot_arm64_input {
	/* Fresh memory: what is not loaded must read as zero. Borrowed. */
	const struct gmem *gm;
	int kernel_fd;       /* borrowed */
	int initrd_fd;       /* borrowed; -1: none */
	int overlay_fd;      /* of the device tree; borrowed; -1: none */
	const char *cmdline; /* NULL: empty */
	unsigned int n_vcpus;
	struct boot_range ram;    /* 2 MiB aligned */
	struct boot_range ecam;   /* bus 0 */
	struct boot_range mmio32; /* for PCI BARs */
	struct boot_range gic_dist, gic_redist;
	struct boot_range gic_its; /* size 0: none, but a frame for MSIs */
	struct boot_range gic_frame;
	uint32_t frame_first, frame_count; /* its interrupt ids */
	struct boot_range serial;          /* a 16550 */
	uint32_t serial_spi;               /* its shared interrupt, from 0 */
	struct boot_range rtc;             /* a PL031 without an interrupt */
	uint64_t bounce_size;              /* of the pool for DMA; 0: none */
	/* For the kernel's random numbers and its address. */
	unsigned char seed[BOOT_ARM64_SEED_SIZE];
};

struct boot_arm64_state {
	gpa_t entry;
	uint64_t kernel_size; /* bytes, without its BSS */
	gpa_t dtree;          /* x0 */
};

/** Put everything into guest memory. Errors: as boot_load(). */
int boot_arm64_load(const struct boot_arm64_input *input,
		    struct boot_arm64_state *ret_state) MUST_CHECK;
