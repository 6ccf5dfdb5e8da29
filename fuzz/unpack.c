/*
 * Decompression of every format, bounded.
 *
 * After a minute: cov: 54.
 */
#include "fuzz.h"

#include "unpack/unpack.h"

#define LIMIT ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unpack_buffer buffer = {0};
	volatile char last;

	if (unpack(data, size, LIMIT, &buffer) < 0)
		return 0;
	FUZZ_ASSERT(buffer.size <= LIMIT && buffer.size <= buffer.mapped);
	if (buffer.size > 0) {
		last = buffer.data[buffer.size - 1];
		(void)last;
	}
	unpack_buffer_fini(&buffer);
	return 0;
}
