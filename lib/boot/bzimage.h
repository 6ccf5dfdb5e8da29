/*
 * The x86 bzImage: a setup header and a compressed ELF kernel behind it
 * (Documentation/arch/x86/boot.rst of Linux).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/kernel_image.h"
#include "unpack/unpack.h"

/* Bytes that detection wants to see. */
#define BZIMAGE_HEAD_BYTES 0x268U

/* Kernels with debugging on are some 100 MiB. */
#define BZIMAGE_MAX_KERNEL ((size_t)512 << 20)

/** Whether @head (of @size bytes) has the setup header's signature. */
bool bzimage_detect(const void *head, size_t size);

/**
 * Unpack the kernel out of @image.
 * Errors: AVF_ERR_FORMAT, AVF_ERR_UNSUPPORTED (boot protocol before 2.08),
 * AVF_ERR_LIMIT (larger than BZIMAGE_MAX_KERNEL), AVF_ERR_NO_MEMORY.
 */
int bzimage_unpack(const struct kernel_image *image,
		   struct unpack_buffer *ret_kernel) MUST_CHECK;

/** Unpack @len compressed bytes at @offset of @image. Errors: as above. */
int bzimage_unpack_at(const struct kernel_image *image, uint64_t offset,
		      uint64_t len,
		      struct unpack_buffer *ret_kernel) MUST_CHECK;
