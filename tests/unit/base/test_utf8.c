#include <criterion/criterion.h>

#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"

static const struct {
	const char *what;
	const char *text;
	bool valid;
} rows[] = {
	{"nothing", "", true},
	{"ASCII", "abc\x7f", true},
	{"two bytes", "\xc3\xa4", true},
	{"three bytes", "\xe2\x82\xac", true},
	{"four bytes", "\xf0\x9f\x98\x80", true},
	{"the last code point", "\xf4\x8f\xbf\xbf", true},
	{"a continuation byte alone", "\x80", false},
	{"cut after one byte", "a\xc3", false},
	{"cut after two bytes", "\xe2\x82", false},
	{"cut by another character", "\xe2\x82z", false},
	{"two bytes for ASCII", "\xc1\xbf", false},
	{"three bytes for two", "\xe0\x9f\xbf", false},
	{"four bytes for three", "\xf0\x8f\xbf\xbf", false},
	{"a surrogate", "\xed\xa0\x80", false},
	{"above the last code point", "\xf4\x90\x80\x80", false},
	{"no lead byte at all", "\xff", false},
};

Test(utf8, rows)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_eq(utf8_is_valid(rows[i].text), rows[i].valid, "%s",
			     rows[i].what);
}

/* The borders of each length. */
Test(utf8, put)
{
	static const uint32_t codes[] = {1,      0x7f,   0x80,    0x7ff,
					 0x800,  0xffff, 0x10000, 0x10ffff,
					 0xd7ff, 0xe000};
	static const size_t sizes[] = {1, 1, 2, 2, 3, 3, 4, 4, 3, 3};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		char text[5] = "";

		cr_expect_eq(utf8_put(text, codes[i]), sizes[i], "%x",
			     codes[i]);
		cr_expect_eq(strlen(text), sizes[i], "%x", codes[i]);
		cr_expect(utf8_is_valid(text), "%x", codes[i]);
	}
}
