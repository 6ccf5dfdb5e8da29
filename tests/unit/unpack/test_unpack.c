/* Every format: round trips, limits to the byte, damage at every place. */
#include <string.h>

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <criterion/criterion.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "unpack/unpack.h"

#define LZ4_BLOCK (8U << 20)
#define PACKED    (1U << 20)

struct packed {
	unsigned char *data;
	size_t size;
};

typedef struct packed pack_fn(const void *data, size_t size);

static struct packed room(void)
{
	struct packed p = {calloc(1, PACKED), PACKED};

	cr_assert_not_null(p.data);
	return p;
}

static struct packed pack_gzip(const void *data, size_t size)
{
	struct packed p = room();
	z_stream z = {0};

	cr_assert_eq(
		deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
		Z_OK);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)size;
	z.next_out = p.data;
	z.avail_out = (uInt)p.size;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	p.size = z.total_out;
	(void)deflateEnd(&z);
	return p;
}

static struct packed pack_xz(const void *data, size_t size)
{
	struct packed p = room();
	size_t used = 0;

	cr_assert_eq(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, data,
					     size, p.data, &used, p.size),
		     LZMA_OK);
	p.size = used;
	return p;
}

static struct packed pack_lz4(const void *data, size_t size)
{
	static const unsigned char magic[] = {0x02, 0x21, 0x4c, 0x18};
	struct packed p = room();
	size_t used = sizeof(magic);
	const char *in = data;
	size_t step;
	le32 head;
	int n;

	memcpy(p.data, magic, sizeof(magic));
	for (; size > 0; size -= step, in += step) {
		step = MIN(size, LZ4_BLOCK);
		n = LZ4_compress_default(in, (char *)p.data + used + 4,
					 (int)step, (int)(p.size - used - 4));
		cr_assert_gt(n, 0);
		head = le32_make((uint32_t)n);
		memcpy(p.data + used, &head, sizeof(head));
		used += 4 + (size_t)n;
	}
	p.size = used;
	return p;
}

static struct packed pack_zstd(const void *data, size_t size)
{
	struct packed p = room();

	p.size = ZSTD_compress(p.data, p.size, data, size, 3);
	cr_assert(!ZSTD_isError(p.size));
	return p;
}

static const struct {
	const char *what;
	enum unpack_format format;
	pack_fn *pack;
} formats[] = {
	{"gzip", UNPACK_GZIP, pack_gzip},
	{"xz", UNPACK_XZ, pack_xz},
	{"lz4", UNPACK_LZ4_LEGACY, pack_lz4},
	{"zstd", UNPACK_ZSTD, pack_zstd},
};

/* Compresses well, and yet no two blocks are the same. */
static unsigned char *sample(size_t size)
{
	unsigned char *data = malloc(size);

	cr_assert_not_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (unsigned char)(i >> 8 ^ i >> 16);
	return data;
}

Test(unpack, names_and_detects)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct packed p = formats[i].pack("abc", 3);

		cr_expect_eq(unpack_detect(p.data, p.size), formats[i].format,
			     "%s", formats[i].what);
		cr_expect_str_eq(unpack_format_name(formats[i].format),
				 formats[i].what);
		cr_expect_eq(unpack_detect(p.data, 2), UNPACK_NONE, "%s",
			     formats[i].what);
		free(p.data);
	}
	cr_expect_str_eq(unpack_format_name((enum unpack_format)99), "none");
}

Test(unpack, gives_back_what_was_packed)
{
	const size_t sizes[] = {1, 4096, LZ4_BLOCK, LZ4_BLOCK + 1,
				2 * LZ4_BLOCK + 77};
	unsigned char *data = sample(sizes[4]);

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(sizes); j++) {
			struct packed p = formats[i].pack(data, sizes[j]);
			struct unpack_buffer b = {0};

			/* the limit is the exact size: it is allowed */
			cr_assert_eq(unpack(p.data, p.size, sizes[j], &b), 0,
				     "%s of %zu bytes: %s", formats[i].what,
				     sizes[j], error_record()->text);
			cr_expect_eq(b.size, sizes[j]);
			cr_expect_eq(memcmp(b.data, data, sizes[j]), 0, "%s",
				     formats[i].what);
			unpack_buffer_fini(&b);
			cr_expect_null(b.data);
			free(p.data);
		}
	}
	free(data);
}

Test(unpack, stops_one_byte_above_the_limit)
{
	const size_t sizes[] = {1, 4096, LZ4_BLOCK + 1};
	unsigned char *data = sample(sizes[2]);
	struct unpack_buffer b = {0};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(sizes); j++) {
			struct packed p = formats[i].pack(data, sizes[j]);

			cr_expect_eq(unpack(p.data, p.size, sizes[j] - 1, &b),
				     AVF_ERR_LIMIT, "%s of %zu bytes",
				     formats[i].what, sizes[j]);
			free(p.data);
		}
	}
	cr_expect_null(b.data, "nothing is returned on failure");
	free(data);
}

Test(unpack, a_bomb_ends_at_the_limit)
{
	const size_t size = 64U << 20;
	unsigned char *zeros = calloc(1, size);
	struct unpack_buffer b = {0};

	cr_assert_not_null(zeros);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct packed p = formats[i].pack(zeros, size);

		cr_expect_eq(unpack(p.data, p.size, 1U << 20, &b),
			     AVF_ERR_LIMIT, "%s", formats[i].what);
		free(p.data);
	}
	free(zeros);
}

Test(unpack, ignores_the_size_that_a_bzimage_puts_behind)
{
	unsigned char *data = sample(5000);
	struct unpack_buffer b = {0};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct packed p = formats[i].pack(data, 5000);
		le32 size = le32_make(5000);

		memcpy(p.data + p.size, &size, sizeof(size));
		cr_assert_eq(unpack(p.data, p.size + 4, 5000, &b), 0, "%s: %s",
			     formats[i].what, error_record()->text);
		cr_expect_eq(b.size, 5000);
		unpack_buffer_fini(&b);
		free(p.data);
	}
	free(data);
}

/* lz4's legacy frame has no end mark: a cut between blocks looks whole. */
Test(unpack, refuses_data_cut_at_any_place)
{
	unsigned char *data = sample(5000);
	struct unpack_buffer b = {0};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct packed p = formats[i].pack(data, 5000);

		for (size_t cut = 0; cut < p.size; cut++) {
			/* an exact copy, so that a sanitizer sees overreads */
			unsigned char *part = malloc(cut ? cut : 1);

			memcpy(part, p.data, cut);
			if (formats[i].format != UNPACK_LZ4_LEGACY ||
			    (cut != 4 && cut != 8))
				cr_expect_eq(unpack(part, cut, 6000, &b),
					     AVF_ERR_FORMAT, "%s at %zu",
					     formats[i].what, cut);
			free(part);
		}
		free(p.data);
	}
	free(data);
}

Test(unpack, survives_a_flipped_bit_at_any_place)
{
	unsigned char *data = sample(3000);

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct packed p = formats[i].pack(data, 3000);

		for (size_t at = 0; at < p.size * 8; at++) {
			struct unpack_buffer b = {0};

			p.data[at / 8] ^= (unsigned char)(1U << at % 8);
			if (unpack(p.data, p.size, 6000, &b) == 0)
				cr_expect_leq(b.size, 6000);
			unpack_buffer_fini(&b);
			p.data[at / 8] ^= (unsigned char)(1U << at % 8);
		}
		free(p.data);
	}
	free(data);
}

static const struct {
	const char *what;
	const char *data;
	size_t size;
	size_t limit;
	int rc;
} bad[] = {
	{"no bytes at all", "", 0, 100, AVF_ERR_FORMAT},
	{"text", "hello, world", 12, 100, AVF_ERR_FORMAT},
	{"a gzip magic of another method", "\x1f\x8b\x07\0\0\0\0\0", 8, 100,
	 AVF_ERR_FORMAT},
	{"an lz4 block above what 8 MiB can become",
	 "\x02\x21\x4c\x18\xff\xff\xff\x7f....", 12, 100, AVF_ERR_FORMAT},
	{"an lz4 block longer than the data", "\x02\x21\x4c\x18\x05\0\0\0....",
	 12, 100, AVF_ERR_FORMAT},
	{"an lz4 block of no bytes", "\x02\x21\x4c\x18\0\0\0\0....", 12, 100,
	 AVF_ERR_FORMAT},
	{"a limit beyond what the decoders count",
	 "\x02\x21\x4c\x18\x05\0\0\0....", 12, UNPACK_MAX_BYTES + 1,
	 AVF_ERR_LIMIT},
};

Test(unpack, refuses)
{
	struct unpack_buffer b = {0};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_expect_eq(unpack(bad[i].data, bad[i].size, bad[i].limit, &b),
			     bad[i].rc, "%s", bad[i].what);
		cr_expect_null(b.data);
	}
}
