#include "devices/pm_x86_64.h"

#include <criterion/criterion.h>

struct counts {
	int power_offs;
	int resets;
};

static void count_power_off(void *userdata)
{
	((struct counts *)userdata)->power_offs++;
}

static void count_reset(void *userdata)
{
	((struct counts *)userdata)->resets++;
}

static const struct pm_x86_64_ops ops = {
	.power_off = count_power_off,
	.reset = count_reset,
};

Test(pm_x86_64, writes)
{
	static const struct {
		const char *what;
		uint64_t port;
		uint32_t value;
		uint32_t size;
		struct counts want;
	} rows[] = {
		{"S5 with enable is power-off", 0x600, 0x34, 1, {1, 0}},
		{"reserved bits are ignored", 0x600, 0xf7, 1, {1, 0}},
		{"S5 without enable is nothing", 0x600, 0x14, 1, {0, 0}},
		{"S3 is nothing", 0x600, 0x2c, 1, {0, 0}},
		{"two bytes at once are nothing", 0x600, 0x34, 2, {0, 0}},
		{"four bytes past the end are nothing", 0x600, 0x34, 4, {0, 0}},
		{"the status is not a control", 0x601, 0x34, 1, {0, 0}},
		{"the reset value resets", 0x602, 1, 1, {0, 1}},
		{"another value does not reset", 0x602, 3, 1, {0, 0}},
		{"a wide reset is nothing", 0x602, 1, 2, {0, 0}},
		{"behind the ports is nobody", 0x603, 1, 1, {0, 0}},
		{"keyboard controller pulses reset", 0x64, 0xfe, 1, {0, 1}},
		{"other commands are nothing", 0x64, 0xd1, 1, {0, 0}},
		{"unknown commands are nothing", 0x64, 0xff, 1, {0, 0}},
		{"data is no command", 0x60, 0xfe, 1, {0, 0}},
		{"port B is no command", 0x61, 0xfe, 1, {0, 0}},
		{"a wide command is nothing", 0x63, 0xfefe, 2, {0, 0}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct counts counts = {0, 0};
		struct pm_x86_64 pm;
		struct bus bus;

		bus_init(&bus, "pio");
		cr_assert_eq(pm_x86_64_init(&pm, &bus, &ops, &counts), 0);
		(void)bus_write(&bus, rows[i].port, &rows[i].value,
				rows[i].size);
		cr_expect_eq(counts.power_offs, rows[i].want.power_offs, "%s",
			     rows[i].what);
		cr_expect_eq(counts.resets, rows[i].want.resets, "%s",
			     rows[i].what);
		pm_x86_64_fini(&pm, &bus);
		cr_expect_eq(bus.n_ranges, 0, "%s", rows[i].what);
	}
}

Test(pm_x86_64, reads)
{
	static const struct {
		const char *what;
		uint64_t port;
		uint32_t size;
		uint32_t want;
	} rows[] = {
		{"sleep control reads nothing", 0x600, 1, 0},
		{"never woken up", 0x601, 1, 0},
		{"reset reads nothing", 0x602, 1, 0},
		{"both registers at once", 0x600, 2, 0},
		{"controller takes commands and has a byte", 0x64, 1, 1},
		{"no byte that means anything", 0x60, 1, 0},
		{"timer 2 has run out, no NMI", 0x61, 1, 0x20},
		{"all of a wide read is written", 0x60, 4, 0},
	};
	struct counts counts = {0, 0};
	struct pm_x86_64 pm;
	struct bus bus;

	bus_init(&bus, "pio");
	cr_assert_eq(pm_x86_64_init(&pm, &bus, &ops, &counts), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t got = 0;

		memset(&got, 0xaa, rows[i].size);
		cr_expect(bus_read(&bus, rows[i].port, &got, rows[i].size),
			  "%s", rows[i].what);
		cr_expect_eq(got, rows[i].want, "%s: 0x%x", rows[i].what, got);
	}
	cr_expect_eq(counts.power_offs + counts.resets, 0);
}

Test(pm_x86_64, nothing_stays_on_the_bus_after_a_failure)
{
	struct bus_range taken = {.base = 0x64, .size = 1};
	struct counts counts = {0, 0};
	struct pm_x86_64 pm;
	struct bus bus;

	bus_init(&bus, "pio");
	cr_assert_eq(bus_add(&bus, &taken), 0);
	cr_expect_eq(pm_x86_64_init(&pm, &bus, &ops, &counts), AVF_ERR_INVALID);
	cr_expect_eq(bus.n_ranges, 1);
}
