/*
 * Loading a Linux kernel the way a boot loader and a firmware would: kernel,
 * initrd, command line and tables go into guest memory, and out come the
 * register values of the boot CPU. Pure: nothing here knows a hypervisor.
 *
 * x86-64: an uncompressed ELF is entered by its PVH note, or without one at
 * its 64-bit entry with a zero page. A bzImage (or a compressed ELF) is
 * unpacked on the host first. The machine is described by ACPI only.
 *
 * Kernel and initrd are hostile files: every offset in them is checked, and
 * nothing is placed over the tables below 1 MiB.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "gmem/gmem.h"

#define BOOT_MAX_VCPUS 254U /* xAPIC ids; 255 is the broadcast */

/* A range of guest physical addresses; size 0 is none. */
struct boot_range {
	gpa_t base;
	uint64_t size;
};

struct boot_input {
	/* Fresh memory: what is not loaded must read as zero. Borrowed. */
	const struct gmem *gm;
	int kernel_fd;       /* borrowed */
	int initrd_fd;       /* borrowed; -1: none */
	const char *cmdline; /* NULL: empty */
	unsigned int n_vcpus;
	uint64_t low_ram_size;    /* RAM from 0, below the PCI hole */
	uint64_t high_ram_size;   /* RAM from 4 GiB; may be 0 */
	struct boot_range ecam;   /* 1 MiB per bus, from bus 0 */
	struct boot_range mmio32; /* for PCI BARs */
	struct boot_range mmio64; /* for PCI BARs; may be none */
};

enum boot_mode {
	BOOT_PVH32,  /* 32-bit protected mode, paging off; ebx: start_info */
	BOOT_LONG64, /* long mode, identity mapping; rsi: zero page */
};

/* A flat segment: base 0, present, privilege level 0. */
struct boot_segment {
	uint16_t selector;
	uint8_t type;   /* the four type bits of the descriptor */
	bool system;    /* a TSS, not code or data */
	bool long_mode; /* L */
	bool big;       /* D/B */
	bool granular;  /* G */
	uint32_t limit; /* bytes, last valid one */
};

/* The boot CPU's registers. Everything not named here is 0, rflags is 2. */
struct boot_cpu_state {
	enum boot_mode mode;
	gpa_t entry;           /* rip */
	gpa_t boot_info_gpa;   /* rbx of BOOT_PVH32, rsi of BOOT_LONG64 */
	gpa_t page_tables_gpa; /* cr3; 0 with paging off */
	uint64_t cr0;
	uint64_t cr4;
	uint64_t efer;
	gpa_t gdt_gpa;
	uint16_t gdt_limit; /* bytes, last valid one */
	struct boot_segment code;
	struct boot_segment data; /* ds, es, fs, gs, ss */
	struct boot_segment task;
};

/**
 * Put everything into guest memory. Blocks for the time of reading the files.
 * Errors: AVF_ERR_FORMAT (kernel), AVF_ERR_UNSUPPORTED (kernel for another
 * machine), AVF_ERR_LIMIT (does not fit, or unpacks to too much),
 * AVF_ERR_INVALID (command line, layout), AVF_ERR_NO_MEMORY, AVF_ERR_IO.
 */
int boot_load(const struct boot_input *input,
	      struct boot_cpu_state *ret_state) MUST_CHECK;
