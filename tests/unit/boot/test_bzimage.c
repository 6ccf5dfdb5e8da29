/* Setup headers that lie about their payload. */
#include <string.h>

#include <zstd.h>

#include <criterion/criterion.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "boot/bzimage.h"

#define SECTOR   512U
#define SECTORS  2U /* setup_sects */
#define START    ((SECTORS + 1) * SECTOR)
#define OFFSET   0x40U /* payload_offset */
#define CONTENT  "the kernel itself"
#define MAX_SIZE 4096U

struct image {
	unsigned char bytes[MAX_SIZE];
	size_t size;
	size_t payload; /* bytes */
};

static void put32(struct image *m, size_t at, uint32_t value)
{
	le32 v = le32_make(value);

	memcpy(m->bytes + at, &v, sizeof(v));
}

static void image_init(struct image *m)
{
	memset(m, 0, sizeof(*m));
	m->bytes[0x1f1] = SECTORS;
	memcpy(m->bytes + 0x202, "HdrS", 4);
	m->bytes[0x206] = 0x0f;
	m->bytes[0x207] = 0x02;
	m->payload = ZSTD_compress(m->bytes + START + OFFSET, 1024, CONTENT,
				   sizeof(CONTENT), 1);
	cr_assert(!ZSTD_isError(m->payload));
	put32(m, START + OFFSET + m->payload, sizeof(CONTENT));
	m->payload += 4;
	put32(m, 0x248, OFFSET);
	put32(m, 0x24c, (uint32_t)m->payload);
	m->size = START + OFFSET + m->payload;
}

static int try_unpack(const struct image *m, struct unpack_buffer *ret_buffer)
{
	void *copy = malloc(m->size ? m->size : 1);
	struct kernel_image k;
	int rc;

	memcpy(copy, m->bytes, m->size);
	k = kernel_image_from_bytes(copy, m->size);
	rc = bzimage_unpack(&k, ret_buffer);
	free(copy);
	return rc;
}

static void expect_content(const struct image *m, const char *what)
{
	struct unpack_buffer b = {0};

	cr_assert_eq(try_unpack(m, &b), 0, "%s: %s", what,
		     error_record()->text);
	cr_expect_eq(b.size, sizeof(CONTENT), "%s", what);
	cr_expect_str_eq(b.data, CONTENT, "%s", what);
	unpack_buffer_fini(&b);
}

Test(bzimage, unpacks_the_payload)
{
	struct image m;

	image_init(&m);
	cr_expect(bzimage_detect(m.bytes, m.size));
	expect_content(&m, "as it is");
	m.bytes[0x1f1] = 0; /* means 4 */
	put32(&m, 0x248, OFFSET - 2 * SECTOR);
	cr_expect_eq(try_unpack(&m, &(struct unpack_buffer){0}), AVF_ERR_FORMAT,
		     "the offset is unsigned");
	memmove(m.bytes + 5 * SECTOR, m.bytes + START + OFFSET, m.payload);
	put32(&m, 0x248, 0);
	m.size = 5 * SECTOR + m.payload;
	expect_content(&m, "setup_sects 0");
}

static const struct {
	const char *what;
	size_t at;
	uint32_t value;
	int rc;
	const char *text;
} rows[] = {
	{"no signature", 0x202, 0x12345678, AVF_ERR_FORMAT, "no bzImage"},
	{"protocol 2.07", 0x206, 0x0207, AVF_ERR_UNSUPPORTED, "0x207"},
	{"offset of 4 GiB", 0x248, 0xffffffff, AVF_ERR_FORMAT,
	 "truncated at the payload"},
	{"length of 4 GiB", 0x24c, 0xffffffff, AVF_ERR_FORMAT,
	 "truncated at the payload"},
	{"length 0", 0x24c, 0, AVF_ERR_LIMIT, "empty"},
	{"length of the magic only", 0x24c, 4, AVF_ERR_FORMAT, "kernel: zstd"},
	{"offset into the padding", 0x248, 0, AVF_ERR_FORMAT,
	 "kernel: not gzip"},
	{"the most sectors there can be", 0x1f1, 0xff, AVF_ERR_FORMAT,
	 "truncated at the payload"},
};

Test(bzimage, refuses)
{
	struct unpack_buffer b = {0};
	struct image m;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		image_init(&m);
		put32(&m, rows[i].at, rows[i].value);
		cr_expect_eq(try_unpack(&m, &b), rows[i].rc, "%s",
			     rows[i].what);
		cr_expect_not_null(strstr(error_record()->text, rows[i].text),
				   "%s: \"%s\"", rows[i].what,
				   error_record()->text);
		cr_expect_null(b.data);
	}
}

Test(bzimage, refuses_a_file_cut_at_any_place)
{
	struct unpack_buffer b = {0};
	struct image m;

	image_init(&m);
	while (m.size-- > 0)
		cr_expect_eq(try_unpack(&m, &b), AVF_ERR_FORMAT, "at %zu",
			     m.size);
}

Test(bzimage, a_short_head_is_none)
{
	struct image m;

	image_init(&m);
	cr_expect(bzimage_detect(m.bytes, 0x206));
	cr_expect_not(bzimage_detect(m.bytes, 0x205));
}
