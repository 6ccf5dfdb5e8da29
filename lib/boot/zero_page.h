/*
 * The "zero page" and page tables of the 64-bit Linux boot protocol
 * (Documentation/arch/x86/boot.rst, zero-page.rst).
 */
#pragma once

#include "boot/pvh.h"

/** Write struct boot_params for a kernel that was loaded as an ELF. */
int zero_page_write(const struct gmem *gm,
		    const struct boot_handover *handover) MUST_CHECK;

/** Write page tables that map the first 4 GiB onto themselves. */
int zero_page_write_tables(const struct gmem *gm) MUST_CHECK;
