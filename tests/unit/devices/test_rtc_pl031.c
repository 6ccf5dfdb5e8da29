#include "devices/rtc_pl031.h"

#include <criterion/criterion.h>

#include <string.h>
#include <time.h>

#include "base/checked.h"

static struct rtc_pl031 rtc;

static uint32_t get(uint64_t offset)
{
	uint32_t value = 0xa5a5a5a5;

	rtc.range.ops->read(rtc.range.opaque, offset, &value, sizeof(value));
	return value;
}

static void set(uint64_t offset, uint32_t value)
{
	rtc.range.ops->write(rtc.range.opaque, offset, &value, sizeof(value));
}

/* Of the clock that the device has: time()'s is a little behind it. */
static uint32_t host_seconds(void)
{
	struct timespec now = {0};

	cr_assert_eq(clock_gettime(CLOCK_REALTIME, &now), 0);
	return (uint32_t)now.tv_sec;
}

/* Whether the clock shows the host's time, moved on by @ahead seconds. */
static void expect_time(uint32_t ahead)
{
	const uint32_t before = host_seconds() + ahead;
	const uint32_t now = get(0);
	const uint32_t after = host_seconds() + ahead;

	/* the clock may wrap: compare distances */
	cr_expect_leq(now - before, after - before, "%u <= %u <= %u", before,
		      now, after);
}

Test(rtc_pl031, shows_the_time_of_the_host)
{
	rtc_pl031_init(&rtc);
	expect_time(0);
	cr_expect_eq(get(0x0c), 1U, "it runs");
}

/* Of this guest only, to any time, as often as it likes. */
Test(rtc_pl031, the_guest_sets_its_clock)
{
	static const uint32_t times[] = {0,          1,          86400,
					 0x7fffffff, 0x80000000, UINT32_MAX};

	rtc_pl031_init(&rtc);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		const uint32_t before = host_seconds();
		uint32_t passed;

		set(0x08, times[i]);
		passed = get(0) - times[i];
		cr_expect_leq(passed, host_seconds() - before, "%u", times[i]);
		cr_expect_eq(get(0x08), times[i]);
	}
	set(0x08, host_seconds() + 1000);
	expect_time(rtc.ahead);
}

/* What an AMBA bus asks before it looks for a driver. */
Test(rtc_pl031, says_what_it_is)
{
	static const uint8_t bytes[] = {0x31, 0x10, 0x14, 0x00,
					0x0d, 0xf0, 0x05, 0xb1};

	rtc_pl031_init(&rtc);
	for (uint64_t i = 0; i < ARRAY_SIZE(bytes); i++)
		cr_expect_eq(get(0xfe0 + i * 4), bytes[i]);
}

Test(rtc_pl031, what_the_guest_writes_elsewhere_changes_nothing)
{
	static const struct {
		const char *what;
		uint64_t offset;
	} rows[] = {
		{"the time itself", 0x00},
		{"stop", 0x0c},
		{"an interrupt's mask", 0x10},
		{"an interrupt", 0x14},
		{"a masked one", 0x18},
		{"its end", 0x1c},
		{"nothing", 0x20},
		{"test registers", 0x80},
		{"beside a register", 0x09},
		{"what it is", 0xfe0},
		{"the last bytes", 0xffc},
	};

	rtc_pl031_init(&rtc);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		set(rows[i].offset, 0);
		set(rows[i].offset, UINT32_MAX);
		expect_time(0);
		cr_expect_eq(rtc.match, 0U, "%s", rows[i].what);
		cr_expect_eq(get(0x0c), 1U, "%s", rows[i].what);
		cr_expect_eq(get(0x18), 0U, "no interrupt: %s", rows[i].what);
		cr_expect_eq(get(0xfe0), 0x31U, "%s", rows[i].what);
	}
	set(0x04, 77);
	cr_expect_eq(get(0x04), 77U);
}

/* Registers are words: everything else reads as zeros, over its whole width,
 * and no byte behind it. */
Test(rtc_pl031, other_widths)
{
	static const uint32_t sizes[] = {1, 2, 8};

	rtc_pl031_init(&rtc);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned char bytes[16];
		const unsigned char ones[8] = {255, 255, 255, 255,
					       255, 255, 255, 255};

		for (uint64_t at = 0; at < RTC_PL031_SIZE; at += sizes[i]) {
			memset(bytes, 0xa5, sizeof(bytes));
			rtc.range.ops->read(rtc.range.opaque, at, bytes,
					    sizes[i]);
			for (uint32_t b = 0; b < sizes[i]; b++)
				cr_expect_eq(bytes[b], 0);
			cr_expect_eq(bytes[sizes[i]], 0xa5);
			rtc.range.ops->write(rtc.range.opaque, at, ones,
					     sizes[i]);
		}
		expect_time(0);
	}
}
