/* The PVH entry in an ELF kernel's notes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/**
 * Search the notes in @notes (@size bytes, fields padded to @align: 4 or 8)
 * for XEN_ELFNOTE_PHYS32_ENTRY. Returns 1 with *@ret_entry set, or 0.
 * Errors: AVF_ERR_FORMAT (a note runs past the end, an entry above 4 GiB).
 */
int elf_note_find_pvh(const unsigned char *notes, size_t size, size_t align,
		      uint32_t *ret_entry) MUST_CHECK;
