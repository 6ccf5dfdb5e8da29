#include <criterion/criterion.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "image/kernel.h"

/* A bzImage of two sectors of setup and @payload; one field is patched. */
struct row {
	const char *what;
	size_t size;
	size_t at;
	uint32_t value; /* little-endian, 4 bytes at @at */
	int expected;
};

static const struct row rows[] = {
	{"too short for a header", 0x24f, 0, 0, AVF_ERR_FORMAT},
	{"no magic number", 4096, 0x202, 0, AVF_ERR_FORMAT},
	{"a protocol before 2.08", 4096, 0x206, 0x0207, AVF_ERR_FORMAT},
	{"a payload behind the end", 4096, 0x248, 4096, AVF_ERR_FORMAT},
	{"a payload offset that wraps", 4096, 0x248, UINT32_MAX,
	 AVF_ERR_FORMAT},
	{"a payload longer than the file", 4096, 0x24c, 4096, AVF_ERR_FORMAT},
	{"the longest payload", 4096, 0x24c, UINT32_MAX, AVF_ERR_FORMAT},
	{"a payload that is not compressed", 4096, 0x24c, 16, AVF_ERR_FORMAT},
	{"no payload at all", 4096, 0x24c, 0, AVF_ERR_FORMAT},
};

static void put32(unsigned char *image, size_t at, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		image[at + i] = (unsigned char)(value >> (8 * i));
}

static void write_image(const char *path, const struct row *row)
{
	static unsigned char image[4096];
	FILE *file = fopen(path, "w");

	memset(image, 0, sizeof(image));
	image[0x1f1] = 1;
	memcpy(image + 0x202, "HdrS", 4);
	image[0x206] = 0x0f;
	image[0x207] = 0x02;
	put32(image, 0x24c, 64);
	if (row->at)
		put32(image, row->at, row->value);
	cr_assert_eq(fwrite(image, 1, row->size, file), row->size);
	cr_assert_eq(fclose(file), 0);
}

Test(kernel, hostile_images)
{
	char path[] = "/tmp/avf-kernel-XXXXXX";
	struct unpack_buffer elf = {0};

	fd_close(mkstemp(path));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		write_image(path, &rows[i]);
		cr_expect_eq(kernel_unpack(path, &elf), rows[i].expected,
			     "%s: %s", rows[i].what, error_record()->text);
	}
	(void)unlink(path);
}

Test(kernel, missing_package)
{
	struct kernel_tree tree;

	cr_expect_eq(kernel_extract("/nonexistent.deb", "/tmp", &tree),
		     AVF_ERR_NOT_FOUND);
}

Test(kernel, a_package_that_is_none)
{
	char dir[] = "/tmp/avf-kernel-XXXXXX";
	struct kernel_tree tree;

	cr_assert_not_null(mkdtemp(dir));
	cr_expect_eq(kernel_extract("/etc/passwd", dir, &tree), AVF_ERR_IO);
	(void)rmdir(dir);
}
