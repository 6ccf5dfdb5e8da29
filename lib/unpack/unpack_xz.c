#include <lzma.h>

#include "base/cleanup.h"
#include "unpack/unpack_internal.h"

/* The kernel build uses dictionaries of 32 to 128 MiB. */
#define XZ_MEMORY_LIMIT ((uint64_t)192 << 20)

static const char *xz_reason(lzma_ret rc)
{
	switch (rc) {
	case LZMA_FORMAT_ERROR:
		return "bad header";
	case LZMA_OPTIONS_ERROR:
		return "unknown filter";
	case LZMA_BUF_ERROR:
		return "truncated";
	default:
		return "bad content";
	}
}

int unpack_xz(struct unpack_run *run)
{
	CLEANUP(lzma_end) lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret rc;

	if (lzma_stream_decoder(&s, XZ_MEMORY_LIMIT, 0) != LZMA_OK)
		return fail(AVF_ERR_NO_MEMORY, "xz decoder");
	s.next_in = run->in;
	s.avail_in = run->in_size;
	s.next_out = run->out;
	s.avail_out = run->limit;
	/* LZMA_OK is progress; without any it becomes LZMA_BUF_ERROR */
	do
		rc = lzma_code(&s, LZMA_FINISH);
	while (rc == LZMA_OK);
	if (rc == LZMA_STREAM_END) {
		run->out_size = (size_t)s.total_out;
		return 0;
	}
	if (rc == LZMA_MEM_ERROR)
		return fail(AVF_ERR_NO_MEMORY, "xz decoder");
	if (rc == LZMA_MEMLIMIT_ERROR)
		return fail(AVF_ERR_LIMIT, "xz dictionary above %u MiB",
			    (unsigned int)(XZ_MEMORY_LIMIT >> 20));
	if (rc == LZMA_BUF_ERROR && s.avail_out == 0)
		return unpack_fail_limit("xz", run->limit);
	return unpack_fail_damaged("xz", xz_reason(rc));
}
