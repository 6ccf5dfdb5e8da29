#include <zstd.h>
#include <zstd_errors.h>

#include "unpack/unpack_internal.h"

/*
 * One frame in one call: the output buffer is the window, so a frame header
 * that asks for a huge one costs nothing.
 */
int unpack_zstd(struct unpack_run *run)
{
	size_t frame;
	size_t n;

	frame = ZSTD_findFrameCompressedSize(run->in, run->in_size);
	if (ZSTD_isError(frame))
		return unpack_fail_damaged("zstd", ZSTD_getErrorName(frame));
	n = ZSTD_decompress(run->out, run->limit, run->in, frame);
	if (!ZSTD_isError(n)) {
		run->out_size = n;
		return 0;
	}
	if (ZSTD_getErrorCode(n) == ZSTD_error_dstSize_tooSmall)
		return unpack_fail_limit("zstd", run->limit);
	if (ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
		return fail(AVF_ERR_NO_MEMORY, "zstd decoder");
	return unpack_fail_damaged("zstd", ZSTD_getErrorName(n));
}
