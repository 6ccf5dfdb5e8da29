/*
 * Only the payload of a bzImage is used: an ELF kernel, compressed. The
 * real-mode code and the decompressor in it never run, so nothing else of the
 * setup header matters. Compressed bytes are hostile; unpack/ bounds what
 * becomes of them.
 */
#include "boot/bzimage.h"

#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/cleanup.h"

#define SETUP_MAGIC_OFFSET 0x202U
#define SETUP_MAGIC        "HdrS"
#define SECTOR             512U

/* setup_sects = 0 means this many, for kernels of the last century */
#define SETUP_SECTS_DEFAULT 4U

/* The first protocol that has payload_offset and payload_length. */
#define PROTOCOL_PAYLOAD 0x0208U

/* The setup header's fields that we read, at their offsets in the file. */
struct setup_header {
	unsigned char skipped0[0x1f1];
	unsigned char setup_sects;
	unsigned char skipped1[SETUP_MAGIC_OFFSET - 0x1f2];
	unsigned char magic[4];
	le16 version;
	unsigned char skipped2[0x248 - 0x208];
	le32 payload_offset;
	le32 payload_length;
	unsigned char skipped3[BZIMAGE_HEAD_BYTES - 0x250];
};
_Static_assert(sizeof(struct setup_header) == BZIMAGE_HEAD_BYTES,
	       "setup header layout");

bool bzimage_detect(const void *head, size_t size)
{
	if (size < SETUP_MAGIC_OFFSET + strlen(SETUP_MAGIC))
		return false;
	return memcmp((const char *)head + SETUP_MAGIC_OFFSET, SETUP_MAGIC,
		      strlen(SETUP_MAGIC)) == 0;
}

int bzimage_unpack_at(const struct kernel_image *image, uint64_t offset,
		      uint64_t len, struct unpack_buffer *ret_kernel)
{
	CLEANUP(free_p) void *packed = NULL;
	int rc;

	/* also keeps a lying length from becoming an allocation */
	if (offset > image->size || len > image->size - offset)
		return fail(AVF_ERR_FORMAT, "kernel: truncated at the payload");
	if (len == 0 || len > BZIMAGE_MAX_KERNEL)
		return fail(AVF_ERR_LIMIT,
			    "kernel: payload is empty or above %zu MiB",
			    BZIMAGE_MAX_KERNEL >> 20);
	packed = malloc((size_t)len);
	if (!packed)
		return fail(AVF_ERR_NO_MEMORY, "kernel: payload");
	rc = kernel_image_read(image, offset, packed, (size_t)len,
			       "the payload");
	if (rc < 0)
		return rc;
	rc = unpack(packed, (size_t)len, BZIMAGE_MAX_KERNEL, ret_kernel);
	return rc < 0 ? error_prefix("kernel") : 0;
}

int bzimage_unpack(const struct kernel_image *image,
		   struct unpack_buffer *ret_kernel)
{
	struct setup_header h;
	uint64_t sectors;
	uint64_t offset;
	int rc;

	rc = kernel_image_read(image, 0, &h, sizeof(h), "the setup header");
	if (rc < 0)
		return rc;
	if (!bzimage_detect(&h, sizeof(h)))
		return fail(AVF_ERR_FORMAT, "kernel: no bzImage");
	if (le16_get(h.version) < PROTOCOL_PAYLOAD)
		return fail(AVF_ERR_UNSUPPORTED,
			    "kernel: boot protocol 0x%x is older than 0x%x",
			    le16_get(h.version), PROTOCOL_PAYLOAD);
	/*
	 * payload_offset counts from the protected-mode code, which is behind
	 * the boot sector and the setup sectors (boot.rst)
	 */
	sectors = h.setup_sects ? h.setup_sects : SETUP_SECTS_DEFAULT;
	/* both are small: the sum of 32-bit numbers in 64 bits */
	offset = (sectors + 1) * SECTOR + le32_get(h.payload_offset);
	return bzimage_unpack_at(image, offset, le32_get(h.payload_length),
				 ret_kernel);
}
