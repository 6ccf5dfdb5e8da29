/* An ELF64 x86-64 kernel: checked, copied into guest memory. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/kernel_image.h"
#include "gmem/gmem.h"

#define ELF_MAX_HEADERS    64U      /* program headers */
#define ELF_MAX_NOTE_BYTES 0x10000U /* of one PT_NOTE */

/* What loading found. */
struct elf_kernel {
	gpa_t entry; /* 64-bit entry, physical; 0 with @has_pvh */
	bool has_pvh;
	uint32_t pvh_entry; /* 32-bit entry, physical */
	gpa_t end;          /* first byte behind the highest segment */
};

/** Whether @head (of @size bytes) begins an ELF file. */
bool elf_detect(const void *head, size_t size);

/** Whether that one is for x86-64. */
bool elf_is_x86(const void *head, size_t size);

/**
 * Copy the loadable segments of @image to their physical addresses, which
 * must lie in [LAYOUT_KERNEL_MIN, @ram_end). What a segment has beyond its
 * file bytes is left as it is: guest memory starts as zero.
 * Errors: AVF_ERR_FORMAT, AVF_ERR_UNSUPPORTED (not x86-64), AVF_ERR_LIMIT
 * (does not fit into RAM).
 */
int elf_load(const struct kernel_image *image, const struct gmem *gm,
	     uint64_t ram_end, struct elf_kernel *ret_kernel) MUST_CHECK;
