/* The PVH start_info (xen/interface/hvm/start_info.h), version 1. */
#pragma once

#include "boot/boot.h"
#include "boot/e820.h"

/* What both boot protocols hand to the kernel. */
struct boot_handover {
	struct e820_map memory;
	struct boot_range initrd;  /* size 0: none */
	struct boot_range cmdline; /* bytes without NUL */
	gpa_t rsdp;
};

/** Write start_info, its module list and its memory map. */
int pvh_write_start_info(const struct gmem *gm,
			 const struct boot_handover *handover) MUST_CHECK;
