/* The arm64 kernel image (Documentation/arch/arm64/booting.rst). */
#pragma once

#include <stdbool.h>

#include "boot/boot.h"
#include "boot/kernel_image.h"

#define ARM64_IMAGE_HEADER_SIZE 64U

/** Whether @head (of @size bytes) has the header's magic. */
bool arm64_image_detect(const void *head, size_t size);

/**
 * Whether @head begins an EFI program that carries a compressed Image, which is
 * how some distributions install theirs; *@ret_offset and *@ret_len become
 * where the file says that it is.
 */
bool arm64_image_packed(const void *head, size_t size, uint64_t *ret_offset,
			uint64_t *ret_len);

/**
 * Copy @image into @room, whose base is 2 MiB aligned. *@ret_range becomes
 * what the kernel occupies, its BSS included; it is entered at the base.
 * Errors: AVF_ERR_FORMAT (truncated), AVF_ERR_UNSUPPORTED (big endian),
 * AVF_ERR_LIMIT (does not fit).
 */
int arm64_image_load(const struct kernel_image *image, const struct gmem *gm,
		     struct boot_range room,
		     struct boot_range *ret_range) MUST_CHECK;
