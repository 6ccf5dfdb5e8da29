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
	/** GDT of four entries: null, null, code (0x10), data (0x18). */
	uint64_t gdt;
};
