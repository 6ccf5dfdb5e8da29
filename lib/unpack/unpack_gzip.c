#define ZLIB_CONST
#include <zlib.h>

#include "base/cleanup.h"
#include "unpack/unpack_internal.h"

/* windowBits of inflateInit2(): the largest window, and a gzip header */
#define GZIP_WINDOW_BITS (15 + 16)

static void inflate_end(z_stream *z)
{
	(void)inflateEnd(z); /* its only failure is a stream never begun */
}

int unpack_gzip(struct unpack_run *run)
{
	CLEANUP(inflate_end)
	z_stream z = {
		.next_in = run->in,
		.avail_in = (uInt)run->in_size,
		.next_out = run->out,
		.avail_out = (uInt)run->limit,
	};
	int rc;

	if (inflateInit2(&z, GZIP_WINDOW_BITS) != Z_OK)
		return fail(AVF_ERR_NO_MEMORY, "gzip decoder");
	rc = inflate(&z, Z_FINISH);
	if (rc == Z_STREAM_END) {
		run->out_size = (size_t)z.total_out;
		return 0;
	}
	if (rc == Z_MEM_ERROR)
		return fail(AVF_ERR_NO_MEMORY, "gzip decoder");
	if (rc == Z_BUF_ERROR && z.avail_out == 0)
		return unpack_fail_limit("gzip", run->limit);
	if (rc == Z_BUF_ERROR)
		return unpack_fail_damaged("gzip", "truncated");
	return unpack_fail_damaged("gzip", z.msg ? z.msg : "no reason known");
}
