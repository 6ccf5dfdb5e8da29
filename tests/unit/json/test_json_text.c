#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "json/json_read.h"
#include "json/json_text.h"

Test(json_text, comes_back)
{
	static const char text[] =
		"{\"a key longer than jansson's first buffer\": [1, \"\\\"\"]}";
	json_t *value, *again;
	char *written;

	cr_assert_eq(jtext_read(text, strlen(text), &value), 0);
	written = jtext_write(value, JSON_INDENT(4));
	cr_assert_not_null(written);
	cr_assert_eq(jtext_read(written, strlen(written), &again), 0);
	cr_expect(json_equal(value, again));
	cr_expect_not_null(strstr(written, "\n    \"a key"), "%s", written);
	free(written);
	json_decref(value);
	json_decref(again);
}

Test(json_text, nothing_is_no_text)
{
	cr_expect_null(jtext_write(NULL, 0));
}
