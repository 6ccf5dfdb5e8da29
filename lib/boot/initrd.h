/* The initial RAM disk: at the top of low RAM, clear of the kernel. */
#pragma once

#include "boot/boot.h"

/**
 * Copy the file behind @fd (borrowed) to the highest page-aligned address
 * of [@room.base, @room.base + @room.size). Size 0 in *@ret_range: empty file.
 * Errors: AVF_ERR_LIMIT (does not fit), AVF_ERR_IO, AVF_ERR_FORMAT (shrank).
 */
int initrd_load(int fd, const struct gmem *gm, struct boot_range room,
		struct boot_range *ret_range) MUST_CHECK;
