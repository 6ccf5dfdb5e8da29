/* Names that people give. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/checked.h"
#include "config/config_text.h"

static const struct {
	const char *what;
	const char *name;
	int rc;
} rows[] = {
	{"a word", "vm", 0},
	{"dots inside", "a..b", 0},
	{"two bytes", "\xc3\xa9", 0},
	{"three bytes", "\xe2\x82\xac", 0},
	{"four bytes, the last code point", "\xf4\x8f\xbf\xbf", 0},
	{"as long as allowed", "12345678", 0},
	{"one byte too long", "123456789", AVF_ERR_INVALID},
	{"nothing", "", AVF_ERR_INVALID},
	{"NULL", NULL, AVF_ERR_INVALID},
	{"this directory", ".", AVF_ERR_INVALID},
	{"the one above", "..", AVF_ERR_INVALID},
	{"a path", "a/b", AVF_ERR_INVALID},
	{"a slash", "/", AVF_ERR_INVALID},
	{"a newline", "a\nb", AVF_ERR_INVALID},
	{"an escape", "\x1b[2J", AVF_ERR_INVALID},
	{"DEL", "\x7f", AVF_ERR_INVALID},
	{"a lone follower", "\x80", AVF_ERR_INVALID},
	{"a character cut short", "a\xc3", AVF_ERR_INVALID},
	{"a long one cut short", "\xf0\x9f\x98", AVF_ERR_INVALID},
	{"a slash in two bytes", "\xc0\xaf", AVF_ERR_INVALID},
	{"a slash in three bytes", "\xe0\x80\xaf", AVF_ERR_INVALID},
	{"overlong in four bytes", "\xf0\x80\x80\xaf", AVF_ERR_INVALID},
	{"a surrogate", "\xed\xa0\x80", AVF_ERR_INVALID},
	{"beyond the last code point", "\xf4\x90\x80\x80", AVF_ERR_INVALID},
	{"a byte that is never used", "\xff", AVF_ERR_INVALID},
};

Test(config_text, names)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_eq(config_check_name(rows[i].name, "name", 8),
			     rows[i].rc, "%s", rows[i].what);
}

Test(config_text, shown_text_is_harmless)
{
	char shown[8];

	config_show_text("a\x1b\n\x7f", shown, sizeof(shown));
	cr_expect_str_eq(shown, "a???");
	config_show_text("0123456789", shown, sizeof(shown));
	cr_expect_str_eq(shown, "0123456");
	config_show_text("x", shown, 1);
	cr_expect_str_eq(shown, "");
}

Test(config_text, no_character_is_cut_apart)
{
	static const struct {
		const char *text;
		size_t max;
		size_t fits;
	} cuts[] = {
		{"", 4, 0},
		{"abc", 4, 3},
		{"abcd", 4, 4},
		{"abcde", 4, 4},
		{"abc\xc3\xa4", 5, 5},
		{"abc\xc3\xa4", 4, 3},
		{"a\xf0\x9f\x98\x80", 4, 1},
		{"\xf0\x9f\x98\x80", 3, 0},
		/* not UTF-8, but no way out of it */
		{"\x80\x80\x80", 2, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++)
		cr_expect_eq(config_fit_text(cuts[i].text, cuts[i].max),
			     cuts[i].fits, "row %zu", i);
}
