/*
 * Rows that the probe's child wrote.
 *
 * After a minute: cov: 54.
 */
#include "fuzz.h"

#include "probe/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const wanted[] = {"kvm.api", "kvm.caps", "kvm.vm",
					     "a", NULL};
	struct avf_probe probe = {.n_rows = 0};

	probe_parse_rows(&probe, (const char *)data, size, wanted);
	FUZZ_ASSERT(probe.n_rows <= ARRAY_SIZE(wanted) - 1);
	for (size_t i = 0; i < probe.n_rows; i++) {
		const struct probe_row *r = &probe.rows[i];

		FUZZ_ASSERT(memchr(r->reason, '\0', sizeof(r->reason)));
		FUZZ_ASSERT(memchr(r->hint, '\0', sizeof(r->hint)));
		FUZZ_ASSERT(memchr(r->what, '\0', sizeof(r->what)));
	}
	return 0;
}
