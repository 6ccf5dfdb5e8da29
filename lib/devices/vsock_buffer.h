/*
 * Bytes that wait for a socket: a ring that exists only while it holds
 * something, and is charged to a total shared by many.
 */
#pragma once

#include <stdint.h>
#include <sys/uio.h>

#include "base/error.h"

struct vsock_buffer {
	char *data;    /* owned; NULL while empty */
	uint32_t size; /* bytes, 0 or a power of two */
	uint32_t head; /* offset of the first byte */
	uint32_t used;
	uint64_t *total; /* borrowed: bytes allocated by all that share it */
};

/** Empty buffer that is charged to @total (borrowed). */
void vsock_buffer_init(struct vsock_buffer *b, uint64_t *total);
void vsock_buffer_fini(struct vsock_buffer *b);

/**
 * Append @len bytes of @parts, from @offset of them.
 * Errors: AVF_ERR_LIMIT (more than VSOCK_BUF_ALLOC here, or more than
 * VSOCK_MAX_BUFFERED in all), AVF_ERR_NO_MEMORY, AVF_ERR_PROTOCOL when the
 * parts are shorter, or the guest keeps them to itself.
 */
int vsock_buffer_append(struct vsock_buffer *b, const struct iovec *parts,
			unsigned int n, uint64_t offset,
			uint32_t len) MUST_CHECK;

/** What is held, in order, as one or two parts. Returns how many. */
unsigned int vsock_buffer_parts(const struct vsock_buffer *b,
				struct iovec ret_parts[2]);

/** Drop the first @len bytes, which are there. */
void vsock_buffer_consume(struct vsock_buffer *b, uint32_t len);
