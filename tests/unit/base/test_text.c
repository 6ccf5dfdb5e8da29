#include <criterion/criterion.h>

#include <string.h>

#include "base/checked.h"
#include "base/text.h"

struct row {
	const char *what;
	const char *src;
	size_t size; /* 0: strlen */
	size_t capacity;
	const char *expected;
};

static const struct row rows[] = {
	{"plain text stays", "hello, world", 0, 64, "hello, world"},
	{"printable UTF-8 stays",
	 "gr\xc3\xbc\xc3\x9f \xe2\x82\xac "
	 "\xf0\x9f\x90\xa7",
	 0, 64, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7"},
	{"terminal escapes are shown", "\x1b[2J", 0, 64, "\\x1b[2J"},
	{"a new line forges no second line", "a\nb\r", 0, 64, "a\\x0ab\\x0d"},
	{"a NUL does not hide the rest", "a\0b", 3, 64, "a\\x00b"},
	{"DEL is a control character", "\x7f", 0, 64, "\\x7f"},
	{"a backslash cannot forge an escape", "\\x1b", 0, 64, "\\\\x1b"},
	{"C1 controls are escaped", "\xc2\x9b", 0, 64, "\\xc2\\x9b"},
	{"right-to-left override is escaped", "\xe2\x80\xae", 0, 64,
	 "\\xe2\\x80\\xae"},
	{"a lone continuation byte is escaped", "\x80z", 0, 64, "\\x80z"},
	{"an overlong slash is escaped", "\xc0\xaf", 0, 64, "\\xc0\\xaf"},
	{"an overlong three-byte form is escaped", "\xe0\x80\x80", 0, 64,
	 "\\xe0\\x80\\x80"},
	{"a surrogate is escaped", "\xed\xa0\x80", 0, 64, "\\xed\\xa0\\x80"},
	{"beyond Unicode is escaped", "\xf4\x90\x80\x80", 0, 64,
	 "\\xf4\\x90\\x80\\x80"},
	{"a sequence cut by the end is escaped", "\xe2\x82", 0, 64,
	 "\\xe2\\x82"},
	{"text is cut to fit", "abcdef", 0, 4, "abc"},
	{"an escape is not cut in half", "ab\x01", 0, 6, "ab"},
	{"an escape that just fits stays", "ab\x01", 0, 7, "ab\\x01"},
	{"a character is not cut in half", "ab\xe2\x82\xac", 0, 5, "ab"},
	{"one byte of room gives an empty text", "abc", 0, 1, ""},
	{"nothing stays nothing", "", 0, 8, ""},
};

Test(text, rows)
{
	char dst[64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		size_t size = row->size ? row->size : strlen(row->src);

		memset(dst, '#', sizeof(dst));
		text_sanitise(dst, row->capacity, row->src, size);
		cr_expect_str_eq(dst, row->expected, "%s", row->what);
		if (row->capacity < sizeof(dst))
			cr_expect_eq(dst[row->capacity], '#', "%s: overrun",
				     row->what);
	}
}

Test(text, inner_paths_have_no_way_out)
{
	static const char *const good[] = {"a", "assets/a.json", "a/b..c/d.",
					   "gr\xc3\xbc\xc3\x9f"};
	static const char *const bad[] = {
		"",       "/",    "/a",   "a/", "a//b", "..",    "../a",
		"a/../b", "a/..", "a/.b", ".a", "a\nb", "a/\tb", "\x7f"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		cr_expect(text_is_inner_path(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_not(text_is_inner_path(bad[i]), "%s", bad[i]);
}
