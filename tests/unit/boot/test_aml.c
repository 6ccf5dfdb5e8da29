/* Bytes of each AML term, worked out by hand from ACPI 6.4 chapter 20. */
#include <string.h>

#include <criterion/criterion.h>

#include "base/checked.h"
#include "boot/aml.h"

static unsigned char out[0x210000];

static void expect(const struct aml *a, const char *bytes, size_t size,
		   const char *what)
{
	cr_expect_not(aml_overflowed(a), "%s", what);
	cr_assert_eq(a->size, size, "%s: %zu bytes", what, a->size);
	cr_expect_eq(memcmp(a->data, bytes, size), 0, "%s", what);
}

#define EXPECT(a, bytes, what) expect((a), (bytes), sizeof(bytes) - 1, (what))

Test(aml, integers_take_their_shortest_form)
{
	static const struct {
		const char *what;
		uint64_t value;
		const char *bytes;
		size_t size;
	} rows[] = {
		{"zero", 0, "\x00", 1},
		{"one", 1, "\x01", 1},
		{"two", 2, "\x0a\x02", 2},
		{"largest byte", 0xff, "\x0a\xff", 2},
		{"smallest word", 0x100, "\x0b\x00\x01", 3},
		{"largest word", 0xffff, "\x0b\xff\xff", 3},
		{"smallest double word", 0x10000, "\x0c\x00\x00\x01\x00", 5},
		{"largest double word", 0xffffffff, "\x0c\xff\xff\xff\xff", 5},
		{"smallest quad word", 0x100000000,
		 "\x0e\x00\x00\x00\x00\x01\x00\x00\x00", 9},
	};
	struct aml a;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		aml_init(&a, out, sizeof(out));
		aml_integer(&a, rows[i].value);
		expect(&a, rows[i].bytes, rows[i].size, rows[i].what);
	}
}

Test(aml, names_and_ids)
{
	struct aml a;

	aml_init(&a, out, sizeof(out));
	aml_name(&a, "_S5");
	aml_eisaid(&a, "PNP0A08");
	aml_name(&a, "_HID");
	aml_eisaid(&a, "PNP0C02");
	EXPECT(&a, "\x08_S5_\x0c\x41\xd0\x0a\x08\x08_HID\x0c\x41\xd0\x0c\x02",
	       "names");
}

Test(aml, blocks_nest)
{
	struct aml a;
	size_t scope;
	size_t device;
	size_t package;

	aml_init(&a, out, sizeof(out));
	scope = aml_open_scope(&a, "_SB");
	device = aml_open_device(&a, "DEV0");
	aml_name(&a, "X");
	package = aml_open_package(&a, 2);
	aml_integer(&a, 5);
	aml_integer(&a, 0);
	aml_close(&a, package);
	aml_close(&a, device);
	aml_close(&a, scope);
	EXPECT(&a,
	       "\x10\x17_SB_\x5b\x82\x10"
	       "DEV0\x08X___\x12\x05\x02\x0a\x05\x00",
	       "a package in a device in a scope");
}

/* The length counts its own bytes: the borders are where it grows. */
Test(aml, lengths_of_blocks_at_every_border)
{
	static const struct {
		size_t content; /* bytes behind the name segment */
		size_t n;       /* bytes of the length */
		unsigned char bytes[4];
	} rows[] = {
		{0, 1, {0x05}},
		{0x3f - 5, 1, {0x3f}},
		{0x3f - 4, 2, {0x41, 0x04}},
		{0xfff - 6, 2, {0x4f, 0xff}},
		{0xfff - 5, 3, {0x81, 0x00, 0x01}},
		{0xfffff - 7, 3, {0x8f, 0xff, 0xff}},
		{0xfffff - 6, 4, {0xc1, 0x00, 0x00, 0x01}},
	};
	static const unsigned char fill[0x100000];
	struct aml a;
	size_t scope;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		aml_init(&a, out, sizeof(out));
		scope = aml_open_scope(&a, "LONG");
		aml_bytes(&a, fill, rows[i].content);
		aml_close(&a, scope);
		cr_expect_eq(memcmp(out + 1, rows[i].bytes, rows[i].n), 0,
			     "content of %zu", rows[i].content);
		cr_expect_eq(memcmp(out + 1 + rows[i].n, "LONG", 4), 0,
			     "content of %zu", rows[i].content);
		cr_expect_eq(a.size, 1 + rows[i].n + 4 + rows[i].content);
	}
}

Test(aml, resources)
{
	struct aml a;
	size_t r;

	aml_init(&a, out, sizeof(out));
	r = aml_open_resources(&a);
	aml_io(&a, 0x3f8, 8);
	aml_irq(&a, 4);
	aml_memory_fixed(&a, 0xe0000000, 0x100000);
	aml_close_resources(&a, r);
	EXPECT(&a,
	       "\x11\x1d\x0b\x19\x00"
	       "\x47\x01\xf8\x03\xf8\x03\x01\x08"
	       "\x22\x10\x00"
	       "\x86\x09\x00\x01\x00\x00\x00\xe0\x00\x00\x10\x00"
	       "\x79\x00",
	       "ports, interrupt and memory");
}

Test(aml, windows)
{
	struct aml a;

	aml_init(&a, out, sizeof(out));
	aml_bus_numbers(&a, 0, 3);
	EXPECT(&a,
	       "\x88\x0d\x00\x02\x0c\x00\x00\x00\x00\x00\x03\x00\x00\x00\x04"
	       "\x00",
	       "bus numbers");
	aml_init(&a, out, sizeof(out));
	/* ends just below 4 GiB: still 32-bit */
	aml_memory_window(&a, (struct boot_range){0xc0000000, 0x40000000});
	EXPECT(&a,
	       "\x87\x17\x00\x00\x0c\x01\x00\x00\x00\x00\x00\x00\x00\xc0"
	       "\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x40",
	       "32-bit window");
	aml_init(&a, out, sizeof(out));
	aml_memory_window(&a, (struct boot_range){0x4000000000, 0x1000});
	EXPECT(&a,
	       "\x8a\x2b\x00\x00\x0c\x01\0\0\0\0\0\0\0\0"
	       "\0\0\0\0\x40\0\0\0\xff\x0f\0\0\x40\0\0\0"
	       "\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0",
	       "64-bit window");
}

Test(aml, running_out_of_room_is_remembered)
{
	unsigned char small[24];
	struct aml a;
	size_t scope;

	for (size_t capacity = 0; capacity < 12; capacity++) {
		memset(small, 0xee, sizeof(small));
		aml_init(&a, small, capacity);
		scope = aml_open_scope(&a, "_SB");
		aml_name(&a, "ABCD");
		aml_integer(&a, 7);
		aml_close(&a, scope);
		/* 1 + 1 + 4 + 5 + 2 = 13 bytes */
		cr_expect(aml_overflowed(&a), "room for %zu", capacity);
		cr_expect_eq(small[capacity], 0xee, "room for %zu", capacity);
		aml_bytes(&a, "", 0);
		cr_expect(aml_overflowed(&a), "it stays");
	}
	aml_init(&a, small, 13);
	scope = aml_open_scope(&a, "_SB");
	aml_name(&a, "ABCD");
	aml_integer(&a, 7);
	aml_close(&a, scope);
	cr_expect_not(aml_overflowed(&a));
}
