/*
 * The clock's registers: what the guest writes moves its own clock, and that
 * by a word to one register only.
 *
 * After a minute: cov: 67.
 */
#include "fuzz.h"

#include <time.h>

#include "devices/rtc_pl031.h"

#define BASE 0x2000U

enum { DATA = 0x00, MATCH = 0x04, LOAD = 0x08, CONTROL = 0x0c };

/* What the guest must read back. */
struct model {
	uint32_t ahead, match, load;
};

/* Of the clock that the device has: time()'s is a little behind it. */
static uint32_t host_seconds(void)
{
	struct timespec now;

	FUZZ_ASSERT(clock_gettime(CLOCK_REALTIME, &now) == 0);
	return (uint32_t)now.tv_sec;
}

static uint32_t read_word(struct bus *bus, uint64_t offset)
{
	uint32_t value = UINT32_MAX;

	FUZZ_ASSERT(bus_read(bus, BASE + offset, &value, sizeof(value)));
	return value;
}

/* The host's clock may go on, or be set, between two of these: it is asked
 * before and after, and only what lies between is wrong. */
static void check(struct bus *bus, const struct model *want)
{
	const uint32_t before = host_seconds() + want->ahead;
	const uint32_t now = read_word(bus, DATA);
	const uint32_t after = host_seconds() + want->ahead;

	FUZZ_ASSERT(now - before <= after - before);
	FUZZ_ASSERT(read_word(bus, MATCH) == want->match);
	FUZZ_ASSERT(read_word(bus, LOAD) == want->load);
	FUZZ_ASSERT(read_word(bus, CONTROL) == 1);
}

static void write_some(struct bus *bus, const struct rtc_pl031 *rtc,
		       struct fuzz_input *in, uint64_t offset, uint32_t len,
		       struct model *want)
{
	const uint64_t value = fuzz_u64(in);
	const uint32_t before = host_seconds();
	uint32_t after;

	(void)bus_write(bus, BASE + offset, &value, len);
	after = host_seconds();
	if (len != 4)
		return;
	if (offset == MATCH)
		want->match = (uint32_t)value;
	if (offset != LOAD)
		return;
	want->load = (uint32_t)value;
	want->ahead = rtc->ahead;
	FUZZ_ASSERT(want->load - want->ahead - before <= after - before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct model want = {0};
	struct rtc_pl031 rtc;
	struct bus bus;

	bus_init(&bus, "mmio");
	rtc_pl031_init(&rtc);
	rtc.range.base = BASE;
	FUZZ_ASSERT(bus_add(&bus, &rtc.range) == 0);
	while (fuzz_more(&in)) {
		const uint8_t how = fuzz_u8(&in);
		/* the first registers, or anywhere, also beyond the last */
		const uint64_t offset =
			how & 0x40 ? fuzz_u16(&in) % 0x1010 : how & 0x1f;
		const uint32_t len = how & 0x20 ? 1U << (fuzz_u8(&in) & 3) : 4;
		uint64_t value;

		if (how & 0x80)
			(void)bus_read(&bus, BASE + offset, &value, len);
		else
			write_some(&bus, &rtc, &in, offset, len, &want);
		check(&bus, &want);
	}
	bus_remove(&bus, &rtc.range);
	FUZZ_ASSERT(bus.n_ranges == 0);
	return 0;
}
