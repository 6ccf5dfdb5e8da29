#include <criterion/criterion.h>

#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "boot/arm64_image.h"

#define RAM  0x80000000ULL
#define SIZE (16ULL << 20)

static struct gmem gm;
static const struct boot_range room = {RAM, SIZE};

struct image {
	le32 code[2];
	le64 text_offset, image_size, flags, reserved[3];
	unsigned char magic[4];
	le32 pe;
	unsigned char text[0x100];
};

static struct image good(void)
{
	struct image image = {
		.image_size = le64_make(0x10000),
		.flags = le64_make(0xa),
		.magic = {'A', 'R', 'M', 0x64},
	};

	memset(image.text, 0x5a, sizeof(image.text));
	return image;
}

static int load(const struct image *image, size_t size,
		struct boot_range *ret_range)
{
	const struct kernel_image file = kernel_image_from_bytes(image, size);

	if (gm.n_regions == 0)
		cr_assert_eq(gmem_add_anonymous(&gm, RAM, SIZE), 0);
	return arm64_image_load(&file, &gm, room, ret_range);
}

Test(arm64_image, detect)
{
	const struct image image = good();
	struct image other = good();

	other.magic[3] = 'x';
	cr_expect(arm64_image_detect(&image, 64));
	cr_expect_not(arm64_image_detect(&image, 63));
	cr_expect_not(arm64_image_detect(&image, 0));
	cr_expect_not(arm64_image_detect(&other, sizeof(other)));
}

Test(arm64_image, loads)
{
	const struct image image = good();
	struct boot_range range;
	struct image copy;

	cr_assert_eq(load(&image, sizeof(image), &range), 0);
	cr_expect_eq(range.base, RAM);
	cr_expect_eq(range.size, 0x10000, "with its BSS");
	cr_assert_eq(gmem_read(&gm, RAM, &copy, sizeof(copy)), 0);
	cr_expect_arr_eq(&copy, &image, sizeof(copy));
}

/* Older kernels: an offset, and no size but the file's. */
Test(arm64_image, old_kernel)
{
	struct image image = good();
	struct boot_range range;

	image.text_offset = le64_make(0x80000);
	image.image_size = le64_make(0);
	cr_assert_eq(load(&image, sizeof(image), &range), 0);
	cr_expect_eq(range.base, RAM + 0x80000);
	cr_expect_eq(range.size, sizeof(image));
}

/* 4, 16 and 64 KiB pages, or none told: the CPU decides what it can. */
Test(arm64_image, page_sizes)
{
	struct image image = good();
	struct boot_range range;

	for (uint64_t pages = 0; pages < 4; pages++) {
		image.flags = le64_make(8 | pages << 1);
		cr_expect_eq(load(&image, sizeof(image), &range), 0);
	}
}

Test(arm64_image, bad)
{
	static const struct {
		uint64_t text_offset, image_size, flags;
		int rc;
	} rows[] = {
		{0, 0x10000, 0xb, AVF_ERR_UNSUPPORTED},
		{0x200000, 0x10000, 0xa, AVF_ERR_FORMAT},
		{UINT64_MAX, 0x10000, 0xa, AVF_ERR_FORMAT},
		{0, SIZE + 1, 0xa, AVF_ERR_LIMIT},
		{1, SIZE, 0xa, AVF_ERR_LIMIT},
		{0, UINT64_MAX, 0xa, AVF_ERR_LIMIT},
		{0x1fffff, UINT64_MAX - 0x1ffffe, 0xa, AVF_ERR_LIMIT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct boot_range range = {1, 1};
		struct image image = good();

		image.text_offset = le64_make(rows[i].text_offset);
		image.image_size = le64_make(rows[i].image_size);
		image.flags = le64_make(rows[i].flags);
		cr_expect_eq(load(&image, sizeof(image), &range), rows[i].rc,
			     "row %zu", i);
		cr_expect_eq(range.base, 1, "written on success only");
	}
}

Test(arm64_image, truncated)
{
	const struct image image = good();
	struct boot_range range;

	for (size_t size = 0; size < 64; size++)
		cr_expect_eq(load(&image, size, &range), AVF_ERR_FORMAT);
}
