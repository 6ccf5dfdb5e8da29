/*
 * The single place where kernel files are read. Callers pass offsets and
 * lengths from the file itself, so they are checked here, without sums that
 * could wrap.
 */
#include "boot/kernel_image.h"

#include <string.h>

#include "base/fd.h"

int kernel_image_from_fd(int fd, struct kernel_image *ret_image)
{
	uint64_t size;
	int rc = fd_file_size(fd, "kernel", &size);

	if (rc < 0)
		return rc;
	*ret_image = (struct kernel_image){.fd = fd, .size = size};
	return 0;
}

struct kernel_image kernel_image_from_bytes(const void *bytes, size_t size)
{
	return (struct kernel_image){.fd = -1, .bytes = bytes, .size = size};
}

int kernel_image_read(const struct kernel_image *image, uint64_t offset,
		      void *data, size_t len, const char *what)
{
	ssize_t n;

	if (offset > image->size || len > image->size - offset)
		return fail(AVF_ERR_FORMAT, "kernel: truncated at %s", what);
	if (image->fd < 0) {
		memcpy(data, image->bytes + offset, len);
		return 0;
	}
	n = fd_pread_all(image->fd, data, len, offset);
	if (n < 0)
		return (int)n;
	/* the file shrank since its size was taken */
	if ((size_t)n < len)
		return fail(AVF_ERR_FORMAT, "kernel: truncated at %s", what);
	return 0;
}
