/* Copying from and to the parts of a request. */
#include "base/checked.h"
#include "gmem/guest_access.h"
#include "virtio/queue.h"

unsigned int iov_slice(const struct iovec *parts, unsigned int n,
		       uint64_t offset, uint64_t size, struct iovec *ret_parts)
{
	unsigned int n_out = 0;

	for (unsigned int i = 0; i < n && size > 0; i++) {
		size_t take;

		if (offset >= parts[i].iov_len) {
			offset -= parts[i].iov_len;
			continue;
		}
		take = (size_t)MIN(parts[i].iov_len - offset, size);
		ret_parts[n_out].iov_base = (char *)parts[i].iov_base + offset;
		ret_parts[n_out].iov_len = take;
		n_out++;
		size -= take;
		offset = 0;
	}
	return n_out;
}

size_t iov_read(const struct iovec *parts, unsigned int n, uint64_t offset,
		void *data, size_t size)
{
	struct iovec piece;
	size_t done = 0;

	for (unsigned int i = 0; i < n && done < size; i++) {
		if (offset >= parts[i].iov_len) {
			offset -= parts[i].iov_len;
			continue;
		}
		(void)iov_slice(&parts[i], 1, offset, size - done, &piece);
		if (guest_copy((char *)data + done, piece.iov_base,
			       piece.iov_len) < 0)
			break;
		done += piece.iov_len;
		offset = 0;
	}
	return done;
}

size_t iov_write(const struct iovec *parts, unsigned int n, uint64_t offset,
		 const void *data, size_t size)
{
	struct iovec piece;
	size_t done = 0;

	for (unsigned int i = 0; i < n && done < size; i++) {
		if (offset >= parts[i].iov_len) {
			offset -= parts[i].iov_len;
			continue;
		}
		(void)iov_slice(&parts[i], 1, offset, size - done, &piece);
		if (guest_copy(piece.iov_base, (const char *)data + done,
			       piece.iov_len) < 0)
			break;
		done += piece.iov_len;
		offset = 0;
	}
	return done;
}
