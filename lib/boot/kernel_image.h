/* A kernel's bytes, in a file or unpacked in memory, read with bounds. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct kernel_image {
	int fd;                     /* borrowed; -1: use @bytes */
	const unsigned char *bytes; /* borrowed */
	uint64_t size;
};

/** View the file behind @fd, which is borrowed. Errors: fd_file_size()'s. */
int kernel_image_from_fd(int fd, struct kernel_image *ret_image) MUST_CHECK;

/** View bytes in memory, which are borrowed. */
struct kernel_image kernel_image_from_bytes(const void *bytes, size_t size);

/**
 * Copy @len bytes at @offset to @data. @what names them in the error.
 * Errors: AVF_ERR_FORMAT when the image ends before them.
 */
int kernel_image_read(const struct kernel_image *image, uint64_t offset,
		      void *data, size_t len, const char *what) MUST_CHECK;
