#include <lz4.h>

#include "base/byteorder.h"
#include "unpack/unpack_internal.h"

/*
 * The legacy lz4 frame (lz4_Frame_format.md, "Legacy frame"): the magic, then
 * blocks of { le32 size, bytes } that unpack to 8 MiB each, the last to less.
 * There is no end mark: it ends with the input. A bzImage puts the unpacked
 * size behind it, which looks like the head of one more, missing block.
 */
#define LZ4_LEGACY_MAGIC 0x184c2102U

static int decode_block(struct unpack_run *run, const unsigned char *in,
			uint32_t size)
{
	int n;

	if (size > (uint32_t)LZ4_compressBound((int)UNPACK_LZ4_BLOCK))
		return unpack_fail_damaged("lz4", "impossible block size");
	/* the buffer has room for a whole block behind the limit */
	n = LZ4_decompress_safe((const char *)in,
				(char *)run->out + run->out_size, (int)size,
				(int)UNPACK_LZ4_BLOCK);
	if (n < 0)
		return unpack_fail_damaged("lz4", "bad block");
	run->out_size += (size_t)n;
	if (run->out_size > run->limit)
		return unpack_fail_limit("lz4", run->limit);
	return 0;
}

int unpack_lz4_legacy(struct unpack_run *run)
{
	const unsigned char *in = run->in;
	size_t left = run->in_size;
	uint32_t size;
	le32 head;
	int rc;

	while (left >= sizeof(head)) {
		memcpy(&head, in, sizeof(head));
		size = le32_get(head);
		in += sizeof(head);
		left -= sizeof(head);
		if (size == LZ4_LEGACY_MAGIC)
			continue; /* frames may follow each other */
		if (left == 0)
			return 0;
		if (size > left)
			return unpack_fail_damaged("lz4", "truncated");
		rc = decode_block(run, in, size);
		if (rc < 0)
			return rc;
		in += size;
		left -= size;
	}
	return left == 0 ? 0 : unpack_fail_damaged("lz4", "truncated");
}
