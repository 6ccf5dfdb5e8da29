/*
 * Decompression of whole files in memory, bounded: the formats in which Linux
 * kernels and initramfs archives come. The format is found by its magic.
 *
 * Input is hostile. Output lands in one anonymous mapping of the permitted
 * size, of which only touched pages cost memory, so no decoder ever copies or
 * grows a buffer, and a bomb stops at the limit.
 *
 * Bytes behind the end of the compressed stream are ignored: a bzImage has
 * the unpacked size there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The decoders count in int or unsigned int in places. */
#define UNPACK_MAX_BYTES ((size_t)1 << 30)

enum unpack_format {
	UNPACK_NONE = 0, /* not compressed in a way that we know */
	UNPACK_GZIP,
	UNPACK_XZ,
	UNPACK_LZ4_LEGACY,
	UNPACK_ZSTD,
};

/* Owned bytes. All zero is empty. */
struct unpack_buffer {
	char *data;
	size_t size;
	size_t mapped; /* bytes to unmap, >= size */
};

/** What the first bytes of @data say. */
enum unpack_format unpack_detect(const void *data, size_t size);

/** "zstd", "xz", ... for messages. */
const char *unpack_format_name(enum unpack_format format);

/**
 * Unpack @data into a new buffer of at most @limit bytes.
 * Errors: AVF_ERR_FORMAT (unknown, damaged or truncated), AVF_ERR_LIMIT
 * (larger than @limit, or either beyond UNPACK_MAX_BYTES), AVF_ERR_NO_MEMORY.
 */
int unpack(const void *data, size_t size, size_t limit,
	   struct unpack_buffer *ret_buffer) MUST_CHECK;

/** Give the memory back. The buffer is empty afterwards. */
void unpack_buffer_fini(struct unpack_buffer *buffer);
