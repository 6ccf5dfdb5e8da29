/*
 * What the fuzz targets share: the entry point, and a cursor over the input.
 * A target reads its input as a list of actions, so that every byte means
 * something; behind the end of the input there are zeros.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Something that must hold for every input. */
#define FUZZ_ASSERT(condition)    \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

struct fuzz_input {
	const uint8_t *data; /* borrowed */
	size_t size;         /* bytes that are left */
};

static inline bool fuzz_more(const struct fuzz_input *in)
{
	return in->size > 0;
}

/** Copy @size bytes, or what is left and then zeros. Returns how many were
 * there. */
static inline size_t fuzz_bytes(struct fuzz_input *in, void *buf, size_t size)
{
	size_t n = MIN(size, in->size);

	if (size > 0)
		memset(buf, 0, size);
	if (n > 0)
		memcpy(buf, in->data, n);
	in->data += n;
	in->size -= n;
	return n;
}

static inline uint8_t fuzz_u8(struct fuzz_input *in)
{
	uint8_t v;

	(void)fuzz_bytes(in, &v, sizeof(v));
	return v;
}

static inline uint16_t fuzz_u16(struct fuzz_input *in)
{
	uint16_t v;

	(void)fuzz_bytes(in, &v, sizeof(v));
	return v;
}

static inline uint32_t fuzz_u32(struct fuzz_input *in)
{
	uint32_t v;

	(void)fuzz_bytes(in, &v, sizeof(v));
	return v;
}

static inline uint64_t fuzz_u64(struct fuzz_input *in)
{
	uint64_t v;

	(void)fuzz_bytes(in, &v, sizeof(v));
	return v;
}

/** How many descriptors are open, to find those that were lost. */
unsigned int fuzz_count_fds(void);

/** A new file of @size bytes in memory, at its start. Cannot fail. */
int fuzz_file(const void *data, size_t size);

/** A connected pair of @type (SOCK_STREAM...). Cannot fail. */
void fuzz_socketpair(int type, int ret_fds[2]);

/** Close what is one. */
void fuzz_close(int fd);
