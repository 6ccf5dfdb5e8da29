/* A file whose bytes the kernel can hand out without waiting. */
#pragma once

#include <stdint.h>

/**
 * An unnamed file of @size bytes, each sector filled with its number plus 1,
 * all of it in the page cache. -1 when the file system of the current
 * directory cannot read without waiting (RWF_NOWAIT), as tmpfs.
 */
int cached_file(uint64_t size);
