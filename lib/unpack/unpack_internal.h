/* What unpack.c and the decoders share. */
#pragma once

#include "unpack/unpack.h"

/* The legacy lz4 frame decodes in steps of this many bytes. */
#define UNPACK_LZ4_BLOCK ((size_t)8 << 20)

/* One run of a decoder: it reads @in, writes @out and sets @out_size. */
struct unpack_run {
	const unsigned char *in;
	size_t in_size;     /* bytes, <= UNPACK_MAX_BYTES */
	unsigned char *out; /* room for @limit + UNPACK_LZ4_BLOCK bytes */
	size_t limit;       /* bytes, <= UNPACK_MAX_BYTES */
	size_t out_size;
};

int unpack_gzip(struct unpack_run *run) MUST_CHECK;
int unpack_xz(struct unpack_run *run) MUST_CHECK;
int unpack_lz4_legacy(struct unpack_run *run) MUST_CHECK;
int unpack_zstd(struct unpack_run *run) MUST_CHECK;

/** The two failures of a decoder, with the same words for all. */
int unpack_fail_damaged(const char *format, const char *why) MUST_CHECK;
int unpack_fail_limit(const char *format, size_t limit) MUST_CHECK;
