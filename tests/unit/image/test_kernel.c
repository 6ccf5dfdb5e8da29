#include <criterion/criterion.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "image/kernel.h"
#include "image/tool.h"

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

static const struct arch *x86_64(void)
{
	return arch_find(AVF_ARCHITECTURE_X86_64);
}

static const struct arch *arm64(void)
{
	return arch_find(AVF_ARCHITECTURE_ARM64);
}

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
		cr_expect_eq(kernel_unpack(x86_64(), path, &elf),
			     rows[i].expected, "%s: %s", rows[i].what,
			     error_record()->text);
	}
	(void)unlink(path);
}

/* A user's directory may have any name; its wildcards are letters. */
Test(kernel, a_directory_is_not_a_pattern)
{
	static const char *const names[] = {"[1]", "*", "a?", "b\\c", "[z"};
	char root[] = "/tmp/avf-kernel-XXXXXX";
	char dir[64], file[80], found[PATH_MAX];

	cr_assert_not_null(mkdtemp(root));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(dir, sizeof(dir), "%s/%s", root, names[i]);
		cr_assert_eq(mkdir(dir, 0700), 0);
		(void)snprintf(file, sizeof(file), "%s/x.deb", dir);
		write_image(file, &rows[0]);
		cr_expect_eq(kernel_find_file(dir, "*.deb", found), 0, "%s: %s",
			     dir, error_record()->text);
		cr_expect_str_eq(found, file);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(dir, sizeof(dir), "%s/%s", root, names[i]);
		(void)snprintf(file, sizeof(file), "%s/x.deb", dir);
		(void)unlink(file);
		(void)rmdir(dir);
	}
	(void)rmdir(root);
}

/* The smallest thing that says that it is an arm64 Image, and its end. */
static const char image[72] = {[0x38] = 'A', 'R', 'M', 0x64, [71] = 7};

static void write_bytes(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(data, 1, size, file), size);
	cr_assert_eq(fclose(file), 0);
}

Test(kernel, an_arm64_image_is_taken_as_it_is)
{
	char path[] = "/tmp/avf-kernel-XXXXXX";
	struct unpack_buffer kernel = {0};

	fd_close(mkstemp(path));
	write_bytes(path, image, sizeof(image));
	cr_assert_eq(kernel_unpack(arm64(), path, &kernel), 0, "%s",
		     error_record()->text);
	cr_assert_eq(kernel.size, sizeof(image));
	cr_expect_arr_eq(kernel.data, image, sizeof(image));
	unpack_buffer_fini(&kernel);
	(void)unlink(path);
}

Test(kernel, a_compressed_arm64_image)
{
	char path[] = "/tmp/avf-kernel-XXXXXX";
	const char *const gzip[] = {"gzip", "-n", path, NULL};
	char packed[sizeof(path) + 3];
	struct unpack_buffer kernel = {0};

	fd_close(mkstemp(path));
	write_bytes(path, image, sizeof(image));
	cr_assert_eq(tool_run(gzip, NULL, NULL, 0), 0);
	(void)snprintf(packed, sizeof(packed), "%s.gz", path);
	cr_assert_eq(kernel_unpack(arm64(), packed, &kernel), 0, "%s",
		     error_record()->text);
	cr_assert_eq(kernel.size, sizeof(image));
	cr_expect_arr_eq(kernel.data, image, sizeof(image));
	unpack_buffer_fini(&kernel);
	(void)unlink(packed);
}

/* Any size of a header that is not all there, and one byte of the magic. */
Test(kernel, hostile_arm64_images)
{
	char path[] = "/tmp/avf-kernel-XXXXXX";
	struct unpack_buffer kernel = {0};
	char changed[sizeof(image)];

	fd_close(mkstemp(path));
	for (size_t size = 0; size < 0x40; size++) {
		write_bytes(path, image, size);
		cr_expect_eq(kernel_unpack(arm64(), path, &kernel),
			     AVF_ERR_FORMAT, "%zu bytes", size);
	}
	memcpy(changed, image, sizeof(image));
	changed[0x3b]++;
	write_bytes(path, changed, sizeof(changed));
	cr_expect_eq(kernel_unpack(arm64(), path, &kernel), AVF_ERR_FORMAT);
	/* gzip's magic, and nothing that unpacks */
	memcpy(changed, "\x1f\x8b\x08", 3);
	write_bytes(path, changed, sizeof(changed));
	cr_expect_eq(kernel_unpack(arm64(), path, &kernel), AVF_ERR_FORMAT);
	cr_expect_null(kernel.data, "no output on failure");
	(void)unlink(path);
}

Test(kernel, the_kernel_of_the_other_architecture_is_named)
{
	static const struct row good = {"a bzImage", 4096, 0, 0, 0};
	char path[] = "/tmp/avf-kernel-XXXXXX";
	struct unpack_buffer kernel = {0};

	fd_close(mkstemp(path));
	write_image(path, &good);
	cr_expect_eq(kernel_unpack(arm64(), path, &kernel), AVF_ERR_FORMAT);
	cr_expect_str_eq(error_record()->text,
			 "the kernel is for x86_64, the image for arm64");
	write_bytes(path, image, sizeof(image));
	cr_expect_eq(kernel_unpack(x86_64(), path, &kernel), AVF_ERR_FORMAT);
	cr_expect_str_eq(error_record()->text,
			 "the kernel is for arm64, the image for x86_64");
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

static const struct {
	const char *what;
	const char *kernel;
	size_t size; /* 0: of the text */
	const char *release;
} releases[] = {
	{"a banner", "..Linux version 6.12.1-avf (root@vm)", 0, "6.12.1-avf"},
	{"a format before it", "Linux version %s\0Linux version 7.2 #1", 38,
	 "7.2"},
	{"none", "LINUX VERSION 6.12.1 ", 0, "unknown"},
	{"nothing at all", "", 0, "unknown"},
	{"no number", "Linux version ", 0, "unknown"},
	{"a format only", "Linux version %s", 0, "unknown"},
	{"the end behind it", "Linux version 6.1", 0, "6.1"},
	{"the end in it", "Linux version 6.12.1", 17, "6.1"},
	{"bytes that are no text", "Linux version 6.1\x01\x02", 0, "6.1"},
	{"bytes above ASCII", "Linux version 6.1\xc3\xa4", 0, "6.1"},
};

Test(kernel, releases)
{
	char release[KERNEL_RELEASE_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
		size_t size = releases[i].size ? releases[i].size
					       : strlen(releases[i].kernel);
		/* on the heap: a read behind the end is seen */
		void *copy = malloc(size ? size : 1);
		struct unpack_buffer kernel = {.data = copy, .size = size};

		cr_assert_not_null(copy);
		memcpy(copy, releases[i].kernel, size);
		kernel_find_release(&kernel, release);
		cr_expect_str_eq(release, releases[i].release, "%s",
				 releases[i].what);
		free(copy);
	}
}

Test(kernel, a_release_without_an_end)
{
	static char text[4096] = "Linux version ";
	const struct unpack_buffer kernel = {.data = text,
					     .size = sizeof(text)};
	char release[KERNEL_RELEASE_SIZE];

	memset(text + 14, '6', sizeof(text) - 14);
	kernel_find_release(&kernel, release);
	cr_expect_eq(strlen(release), KERNEL_RELEASE_SIZE - 1);
}
