#include <criterion/criterion.h>

#include "base/checked.h"
#include "binder/utf.h"

static const struct {
	const char *what;
	const char *utf8;
	size_t size;
	uint16_t units[8];
	size_t n_units;
	const char *back; /* NULL: as it was */
} rows[] = {
	{"nothing", "", 0, {0}, 0, NULL},
	{"ASCII", "aZ~", 3, {'a', 'Z', '~'}, 3, NULL},
	{"a NUL inside", "a\0b", 3, {'a', 0, 'b'}, 3, NULL},
	{"two bytes, the limits",
	 "\xc2\x80\xdf\xbf",
	 4,
	 {0x80, 0x7ff},
	 2,
	 NULL},
	{"three bytes, the limits",
	 "\xe0\xa0\x80\xef\xbf\xbf",
	 6,
	 {0x800, 0xffff},
	 2,
	 NULL},
	{"four bytes are a surrogate pair",
	 "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
	 8,
	 {0xd800, 0xdc00, 0xdbff, 0xdfff},
	 4,
	 NULL},
	{"a stray continuation byte is a character",
	 "\x80",
	 1,
	 {0x80},
	 1,
	 "\xc2\x80"},
	{"behind Unicode's end",
	 "\xf7\xbf\xbf\xbf",
	 4,
	 {0xfffd},
	 1,
	 "\xef\xbf\xbd"},
	{"too long for its character", "\xf0\x80\x80\x80", 4, {0}, 1, ""},
	{"half a pair in UTF-8 disappears",
	 "\xed\xa0\x80x",
	 4,
	 {0xd800, 'x'},
	 2,
	 "x"},
};

Test(utf, both_ways)
{
	le16 units[9];
	char text[32];
	const char *back;
	size_t n, size;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert(utf16_measure(rows[i].utf8, rows[i].size, &n), "%s",
			  rows[i].what);
		cr_assert_eq(n, rows[i].n_units, "%s", rows[i].what);
		memset(units, 0x5a, sizeof(units));
		utf16_write(rows[i].utf8, rows[i].size, units);
		for (size_t k = 0; k < n; k++)
			cr_expect_eq(le16_get(units[k]), rows[i].units[k], "%s",
				     rows[i].what);
		cr_expect_eq(le16_get(units[n]), 0x5a5a,
			     "%s: no more than was measured", rows[i].what);
		back = rows[i].back ? rows[i].back : rows[i].utf8;
		size = rows[i].back ? strlen(back) : rows[i].size;
		if (rows[i].n_units == 1 && rows[i].units[0] == 0)
			size = 1; /* a NUL */
		cr_assert_eq(utf8_measure(units, n), size, "%s", rows[i].what);
		memset(text, 0x5a, sizeof(text));
		utf8_write(units, n, text);
		cr_expect_arr_eq(text, back, size, "%s", rows[i].what);
		cr_expect_eq(text[size], 0x5a, "%s", rows[i].what);
	}
}

Test(utf, a_character_that_is_cut_off)
{
	static const char *const cut[] = {"\xc2", "a\xdf",        "\xe0\xa0",
					  "\xe0", "\xf0\x90\x80", "\xff"};
	size_t n = 77;

	for (size_t i = 0; i < ARRAY_SIZE(cut); i++)
		cr_expect_not(utf16_measure(cut[i], strlen(cut[i]), &n),
			      "row %zu", i);
	cr_expect_eq(n, 77);
}

Test(utf, surrogates_without_a_partner_disappear)
{
	static const struct {
		uint16_t units[3];
		size_t n;
		const char *text;
	} halves[] = {
		{{0xd800}, 1, ""},
		{{0xdc00}, 1, ""},
		{{0xdc00, 0xd800}, 2, ""},
		{{0xd800, 'a'}, 2, "a"},
		{{0xd800, 0xd800, 0xdc00}, 3, "\xf0\x90\x80\x80"},
	};
	le16 units[3];
	char text[16];

	for (size_t i = 0; i < ARRAY_SIZE(halves); i++) {
		for (size_t k = 0; k < halves[i].n; k++)
			units[k] = le16_make(halves[i].units[k]);
		cr_assert_eq(utf8_measure(units, halves[i].n),
			     strlen(halves[i].text), "row %zu", i);
		utf8_write(units, halves[i].n, text);
		cr_expect_arr_eq(text, halves[i].text, strlen(halves[i].text),
				 "row %zu", i);
	}
}
