/* Bounded reads out of files and memory. */
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/checked.h"
#include "boot/kernel_image.h"
#include "support/fake_kernel.h"

static const struct {
	const char *what;
	uint64_t offset;
	size_t len;
	int rc;
} rows[] = {
	{"all", 0, 10, 0},
	{"the last byte", 9, 1, 0},
	{"nothing at the end", 10, 0, 0},
	{"one byte too many", 0, 11, AVF_ERR_FORMAT},
	{"one byte behind the end", 10, 1, AVF_ERR_FORMAT},
	{"nothing behind the end", 11, 0, AVF_ERR_FORMAT},
	{"an offset that wraps", UINT64_MAX, 2, AVF_ERR_FORMAT},
	{"a length that wraps", 1, SIZE_MAX, AVF_ERR_FORMAT},
};

Test(kernel_image, reads_inside_only)
{
	struct kernel_image images[2];
	char data[16];
	int rc;

	images[0] = kernel_image_from_bytes("0123456789", 10);
	cr_assert_eq(
		kernel_image_from_fd(fake_file("0123456789", 10), &images[1]),
		0);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		rc = kernel_image_read(&images[i % 2], rows[i / 2].offset, data,
				       rows[i / 2].len, "its middle");
		cr_expect_eq(rc, rows[i / 2].rc, "%s", rows[i / 2].what);
		if (rc < 0)
			cr_expect_str_eq(error_record()->text,
					 "kernel: truncated at its middle");
	}
	cr_assert_eq(kernel_image_read(&images[1], 3, data, 4, "x"), 0);
	cr_expect_eq(memcmp(data, "3456", 4), 0);
}

Test(kernel_image, notices_a_file_that_shrinks)
{
	int fd = fake_file("0123456789", 10);
	struct kernel_image image;
	char data[10];

	cr_assert_eq(kernel_image_from_fd(fd, &image), 0);
	cr_assert_eq(ftruncate(fd, 5), 0);
	cr_expect_eq(kernel_image_read(&image, 0, data, 10, "x"),
		     AVF_ERR_FORMAT);
}

Test(kernel_image, wants_a_file)
{
	struct kernel_image image;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_expect_eq(kernel_image_from_fd(fds[0], &image), AVF_ERR_INVALID);
	cr_expect_lt(kernel_image_from_fd(-1, &image), 0);
}
