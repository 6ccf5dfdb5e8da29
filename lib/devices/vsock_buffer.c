/*
 * Bytes from the guest that an application has not taken yet: a ring that grows
 * by doubling and is freed when it is empty. Two bounds hold whatever guests
 * send: VSOCK_BUF_ALLOC for a connection, which is the credit that the guest
 * was given (virtio 1.2, 5.10.6.3), and VSOCK_MAX_BUFFERED for all of a VM,
 * which @total counts.
 */
#include "devices/vsock_buffer.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "devices/virtio_vsock.h"
#include "virtio/queue.h"

#define SMALLEST 4096U /* bytes */

_Static_assert((VSOCK_BUF_ALLOC & (VSOCK_BUF_ALLOC - 1)) == 0,
	       "the ring's size is a power of two");

void vsock_buffer_init(struct vsock_buffer *b, uint64_t *total)
{
	memset(b, 0, sizeof(*b));
	b->total = total;
}

/* Called again and again in a connection's life: it becomes usable anew. */
void vsock_buffer_fini(struct vsock_buffer *b)
{
	free(b->data);
	*b->total -= b->size;
	vsock_buffer_init(b, b->total);
}

unsigned int vsock_buffer_parts(const struct vsock_buffer *b,
				struct iovec ret_parts[2])
{
	uint32_t first = MIN(b->used, b->size - b->head);

	if (b->used == 0)
		return 0;
	ret_parts[0].iov_base = b->data + b->head;
	ret_parts[0].iov_len = first;
	if (first == b->used)
		return 1;
	ret_parts[1].iov_base = b->data;
	ret_parts[1].iov_len = b->used - first;
	return 2;
}

/* Room for @need bytes in all, what is held moved to the front. */
static int grow(struct vsock_buffer *b, uint32_t need)
{
	uint32_t size = MAX(b->size, SMALLEST);
	struct iovec held[2];
	unsigned int n;
	char *data;

	while (size < need)
		size *= 2;
	/* a power of two never above VSOCK_BUF_ALLOC: the caller checked */
	if (size == b->size)
		return 0;
	if (*b->total + (size - b->size) > VSOCK_MAX_BUFFERED)
		return fail(AVF_ERR_LIMIT, "vsock: too much data waits for "
					   "slow applications");
	data = malloc(size);
	if (!data)
		return fail(AVF_ERR_NO_MEMORY, "vsock: buffer");
	n = vsock_buffer_parts(b, held);
	(void)iov_read(held, n, 0, data, b->used);
	free(b->data);
	*b->total += size - b->size;
	b->data = data;
	b->size = size;
	b->head = 0;
	return 0;
}

int vsock_buffer_append(struct vsock_buffer *b, const struct iovec *parts,
			unsigned int n, uint64_t offset, uint32_t len)
{
	uint32_t tail, first;
	int rc;

	if (len > VSOCK_BUF_ALLOC - b->used)
		return fail(AVF_ERR_LIMIT, "vsock: buffer of a connection");
	rc = grow(b, b->used + len);
	if (rc < 0)
		return rc;
	/* at most two pieces: up to the end of the ring, then from its start */
	tail = (b->head + b->used) & (b->size - 1);
	first = MIN(len, b->size - tail);
	if (iov_read(parts, n, offset, b->data + tail, first) != first ||
	    iov_read(parts, n, offset + first, b->data, len - first) !=
		    len - first)
		return fail(AVF_ERR_PROTOCOL,
			    "vsock: the guest's buffer cannot be read");
	b->used += len;
	return 0;
}

void vsock_buffer_consume(struct vsock_buffer *b, uint32_t len)
{
	b->used -= len;
	if (b->used == 0)
		vsock_buffer_fini(b); /* an idle connection holds nothing */
	else
		b->head = (b->head + len) & (b->size - 1);
}
