/*
 * The header and the placing of an arm64 Image (booting.rst, section 4). The
 * file is hostile: a size or an offset in it decides where it goes and how much
 * is kept free for its BSS, but never how much is copied, which is the file's
 * size.
 */
#include "boot/arm64_image.h"

#include <inttypes.h>
#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"

/*
 * The 64 bytes that every Image begins with, little-endian whatever the kernel
 * is.
 */
struct header {
	le32 code[2];
	le64 text_offset; /* from a 2 MiB boundary */
	le64 image_size;  /* with BSS; 0 before Linux 3.17 */
	le64 flags;
	le64 reserved[3];
	unsigned char magic[4];
	le32 pe_offset;
};

_Static_assert(sizeof(struct header) == ARM64_IMAGE_HEADER_SIZE, "layout");

#define FLAG_BIG_ENDIAN BIT(0)
#define ALIGNMENT       0x200000ULL

bool arm64_image_detect(const void *head, size_t size)
{
	const size_t at = offsetof(struct header, magic);

	return size >= sizeof(struct header) &&
	       memcmp((const char *)head + at, "ARM\x64", 4) == 0;
}

/* drivers/firmware/efi/libstub/zboot-header.S of Linux */
struct zboot {
	unsigned char dos[4]; /* "MZ" */
	unsigned char kind[4];
	le32 payload_offset;
	le32 payload_size;
};

bool arm64_image_packed(const void *head, size_t size, uint64_t *ret_offset,
			uint64_t *ret_len)
{
	struct zboot z;

	if (size < sizeof(z))
		return false;
	memcpy(&z, head, sizeof(z));
	if (memcmp(z.dos, "MZ", 2) != 0 || memcmp(z.kind, "zimg", 4) != 0)
		return false;
	*ret_offset = le32_get(z.payload_offset);
	*ret_len = le32_get(z.payload_size);
	return true;
}

/* What the header asks for, checked. */
static int place(const struct header *h, uint64_t file_size,
		 struct boot_range room, struct boot_range *ret_range)
{
	const uint64_t offset = le64_get(h->text_offset);
	/*
	 * An old kernel says 0, a lying one less than the file has: neither may
	 * make the copy reach over the end of the room.
	 */
	const uint64_t size = MAX(le64_get(h->image_size), file_size);

	if (le64_get(h->flags) & FLAG_BIG_ENDIAN)
		return fail(AVF_ERR_UNSUPPORTED,
			    "kernel: a big-endian arm64 Image");
	/*
	 * The offset is counted from a 2 MiB border. Larger ones would be legal
	 * by the letter; no kernel has one, and room.base is such a border.
	 */
	if (offset >= ALIGNMENT)
		return fail(AVF_ERR_FORMAT,
			    "kernel: text offset 0x%" PRIx64 " of its Image",
			    offset);
	if (size > room.size || offset > room.size - size)
		return fail(AVF_ERR_LIMIT,
			    "kernel: %" PRIu64 " MiB do not fit into the "
			    "%" PRIu64 " MiB of memory",
			    (size >> 20) + 1, room.size >> 20);
	ret_range->base = room.base + offset;
	ret_range->size = size;
	return 0;
}

int arm64_image_load(const struct kernel_image *image, const struct gmem *gm,
		     struct boot_range room, struct boot_range *ret_range)
{
	struct boot_range range;
	struct gmem_slice s;
	struct header h;
	int rc = kernel_image_read(image, 0, &h, sizeof(h), "its header");

	if (rc < 0)
		return rc;
	rc = place(&h, image->size, room, &range);
	if (rc < 0)
		return rc;
	rc = gmem_map(gm, range.base, image->size, &s);
	if (rc < 0)
		return fail_as(AVF_ERR_INVALID);
	rc = kernel_image_read(image, 0, s.host, (size_t)s.size, "its code");
	if (rc < 0)
		return rc;
	*ret_range = range;
	return 0;
}
