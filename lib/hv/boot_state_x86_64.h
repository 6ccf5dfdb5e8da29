/* Registers with which the boot CPU begins, x86-64. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hv_boot_state {
	/**
	 * false: 32-bit protected mode, paging off (PVH); rbx is the address
	 * of the start info. true: long mode over identity-mapping page
	 * tables at @page_tables; rsi is the address of the zero page.
	 */
	bool long_mode;
	uint64_t entry;
	uint64_t rbx;
	uint64_t rsi;
	uint64_t page_tables;
	/** GDT with code at 0x10, data at 0x18, a TSS at 0x20. */
	uint64_t gdt;
	uint16_t gdt_limit; /* bytes, last valid one */
};
