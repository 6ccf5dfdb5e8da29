#include "base/package_mark.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

/* As libuuid reads it: pairs of hexadecimal digits, in order. */
static void to_bytes(const char *text, unsigned char ret_mark[16])
{
	unsigned int byte;
	size_t n = 0;

	while (*text) {
		if (*text == '-') {
			text++;
			continue;
		}
		cr_assert_eq(sscanf(text, "%2x", &byte), 1);
		cr_assert_lt(n, PACKAGE_MARK_SIZE);
		ret_mark[n++] = (unsigned char)byte;
		text += 2;
	}
	cr_assert_eq(n, PACKAGE_MARK_SIZE);
}

Test(package_mark, every_mask_comes_back)
{
	unsigned char mark[PACKAGE_MARK_SIZE];
	char text[PACKAGE_MARK_TEXT];

	for (uint32_t mask = 0; mask < 256; mask++) {
		package_mark_make(mask, text);
		cr_assert_eq(strlen(text), PACKAGE_MARK_TEXT - 1);
		to_bytes(text, mark);
		cr_expect_eq(package_mark_read(mark), mask, "%s", text);
	}
}

Test(package_mark, others_say_nothing)
{
	unsigned char mark[PACKAGE_MARK_SIZE];
	char text[PACKAGE_MARK_TEXT];

	memset(mark, 0, sizeof(mark));
	cr_expect_eq(package_mark_read(mark), 0);
	memset(mark, 0xff, sizeof(mark));
	cr_expect_eq(package_mark_read(mark), 0);
	for (size_t i = 0; i + 1 < PACKAGE_MARK_SIZE; i++) {
		package_mark_make(2, text);
		to_bytes(text, mark);
		mark[i]++;
		cr_expect_eq(package_mark_read(mark), 0, "byte %zu", i);
	}
}
