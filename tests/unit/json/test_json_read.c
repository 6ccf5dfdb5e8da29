#include <criterion/criterion.h>

#include <stdint.h>
#include <string.h>

#include "base/checked.h"
#include "json/json_read.h"

/* The row's text is what is between the quotes, without its NUL. */
struct row {
	const char *what;
	const char *text;
	int rc;
	const char *part; /* of the error's text */
};

static const struct row rows[] = {
	{"an empty object", "{}", 0, NULL},
	{"an empty array", " [ ] \n", 0, NULL},
	{"all kinds of value",
	 "{\"a\":1,\"b\":-2.5e+3,\"c\":\"x\",\"d\":[true,false,null]}", 0,
	 NULL},
	{"escapes", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00\"]", 0,
	 NULL},
	{"the largest number", "[9223372036854775807]", 0, NULL},
	{"the smallest number", "[-9223372036854775808]", 0, NULL},
	{"nothing", "", AVF_ERR_FORMAT, "line 1, column 1: '[' or '{'"},
	{"only spaces", " \n ", AVF_ERR_FORMAT, "line 2, column 2"},
	{"a value alone", "1", AVF_ERR_FORMAT, "'[' or '{'"},
	{"text behind it", "{} x", AVF_ERR_FORMAT, "column 4: end of the text"},
	{"an object that ends early", "{", AVF_ERR_FORMAT, "'}' expected"},
	{"a key without quotes", "{a:1}", AVF_ERR_FORMAT, "string or '}'"},
	{"a key alone", "{\"a\"}", AVF_ERR_FORMAT, "':' expected"},
	{"a key without a value", "{\"a\":}", AVF_ERR_FORMAT, "not a value"},
	{"a value that ends early", "{\"a\":", AVF_ERR_FORMAT, "ends early"},
	{"a comma at the end", "{\"a\":1,}", AVF_ERR_FORMAT, "string or '}'"},
	{"a comma at an array's end", "[1,]", AVF_ERR_FORMAT, "not a value"},
	{"two values in a row", "[1 2]", AVF_ERR_FORMAT, "',' or ']'"},
	{"the wrong bracket", "[1}", AVF_ERR_FORMAT, "',' or ']'"},
	{"a key twice", "{\"a\":1,\"a\":1}", AVF_ERR_FORMAT, "duplicate key"},
	{"a key twice, once escaped", "{\"a\":1,\"\\u0061\":1}", AVF_ERR_FORMAT,
	 "duplicate key"},
	{"a string that ends early", "[\"a]", AVF_ERR_FORMAT, "without an end"},
	{"a backslash at the end", "[\"\\", AVF_ERR_FORMAT, "without an end"},
	{"an escaped end", "[\"\\\"]", AVF_ERR_FORMAT, "without an end"},
	{"a newline in a string", "[\"\n\"]", AVF_ERR_FORMAT, "without an end"},
	{"an unknown escape", "[\"\\x\"]", AVF_ERR_FORMAT, "invalid escape"},
	{"three hex digits", "[\"\\u123\"]", AVF_ERR_FORMAT, "invalid escape"},
	{"no hex digits", "[\"\\ug000\"]", AVF_ERR_FORMAT, "invalid escape"},
	{"an escaped NUL", "[\"\\u0000\"]", AVF_ERR_FORMAT, "\\u0000"},
	{"a high surrogate alone", "[\"\\ud800\"]", AVF_ERR_FORMAT, "half"},
	{"a low surrogate alone", "[\"\\udc00\"]", AVF_ERR_FORMAT, "half"},
	{"two high surrogates", "[\"\\ud800\\ud800\"]", AVF_ERR_FORMAT, "half"},
	{"half of the second one", "[\"\\ud800\\u\"]", AVF_ERR_FORMAT,
	 "invalid escape"},
	{"a lone continuation byte", "[\"\x80\"]", AVF_ERR_FORMAT, "UTF-8"},
	{"a character cut by the quote", "[\"\xe2\x82\"]", AVF_ERR_FORMAT,
	 "UTF-8"},
	{"a surrogate as UTF-8", "[\"\xed\xa0\x80\"]", AVF_ERR_FORMAT, "UTF-8"},
	{"a key that is not UTF-8", "{\"\xff\":1}", AVF_ERR_FORMAT, "UTF-8"},
	{"a zero in front", "[01]", AVF_ERR_FORMAT, "',' or ']'"},
	{"a plus in front", "[+1]", AVF_ERR_FORMAT, "not a value"},
	{"a sign alone", "[-]", AVF_ERR_FORMAT, "invalid number"},
	{"a point at the end", "[1.]", AVF_ERR_FORMAT, "invalid number"},
	{"a point in front", "[.1]", AVF_ERR_FORMAT, "not a value"},
	{"an exponent without digits", "[1e]", AVF_ERR_FORMAT,
	 "invalid number"},
	{"a number too large", "[9223372036854775808]", AVF_ERR_FORMAT,
	 "too big"},
	{"a number too small", "[-9223372036854775809]", AVF_ERR_FORMAT,
	 "too big"},
	{"half a word", "[tru]", AVF_ERR_FORMAT, "not a value"},
	{"a word of capitals", "[NULL]", AVF_ERR_FORMAT, "not a value"},
	{"a comment", "[/* */]", AVF_ERR_FORMAT, "not a value"},
};

Test(json_read, rows)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *value = NULL;
		int rc = jtext_read(rows[i].text, strlen(rows[i].text), &value);

		cr_expect_eq(rc, rows[i].rc, "%s: %d", rows[i].what, rc);
		cr_expect_eq(rc == 0, value != NULL, "%s", rows[i].what);
		if (rows[i].part)
			cr_expect_not_null(
				strstr(error_record()->text, rows[i].part),
				"%s: %s", rows[i].what, error_record()->text);
		json_decref(value);
	}
}

Test(json_read, a_nul_is_no_end)
{
	static const char text[] = "{}\0";
	json_t *value = NULL;

	cr_expect_eq(jtext_read(text, 3, &value), AVF_ERR_FORMAT);
	cr_expect_eq(jtext_read("[\"a\0\"]", 6, &value), AVF_ERR_FORMAT);
	cr_expect_eq(jtext_read("\0", 1, &value), AVF_ERR_FORMAT);
}

Test(json_read, nothing_behind_the_size_is_read)
{
	json_t *value = NULL;

	cr_expect_eq(jtext_read("{}", 1, &value), AVF_ERR_FORMAT);
	cr_expect_eq(jtext_read("[true]", 4, &value), AVF_ERR_FORMAT);
	cr_expect_eq(jtext_read("[12]", 3, &value), AVF_ERR_FORMAT);
	cr_expect_eq(jtext_read("[\"\\u0041\"]", 6, &value), AVF_ERR_FORMAT);
}

Test(json_read, depth_is_limited)
{
	char text[2 * JSON_READ_MAX_DEPTH + 2];
	json_t *value = NULL;

	for (unsigned int depth = JSON_READ_MAX_DEPTH;
	     depth <= JSON_READ_MAX_DEPTH + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		cr_expect_eq(jtext_read(text, 2 * depth, &value),
			     depth > JSON_READ_MAX_DEPTH ? AVF_ERR_LIMIT : 0);
		if (depth == JSON_READ_MAX_DEPTH)
			json_decref(value);
	}
}

/* Where memory suffices, jansson's reader is the measure. Fractions are read
 * without their value, and "too big" is not the same with one behind it. */
static void compare(const char *text, size_t size)
{
	json_t *theirs = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	json_t *ours = NULL;
	int rc = jtext_read(text, size, &ours);

	cr_expect_eq(rc == 0, theirs != NULL, "\"%.*s\": %d", (int)size, text,
		     rc);
	if (theirs && ours && !memchr(text, '.', size) &&
	    !memchr(text, 'e', size) && !memchr(text, 'E', size))
		cr_expect(json_equal(theirs, ours), "\"%.*s\"", (int)size,
			  text);
	json_decref(theirs);
	json_decref(ours);
}

Test(json_read, agrees_with_jansson)
{
	static const char seeds[][64] = {
		"{\"a\":[1,-20,{\"b\":\"c\"}],\"d\":true,\"f\":null} ",
		"[\"\\u00e4\\ud83d\\ude00\\n\xc3\xa4\xe2\x82\xac\",\"\\\"x\"]",
		"{\"key\": \"value\", \"k2\": [[], {}, [{}]], \"n\": 0}",
	};
	static const char bytes[] = "{}[]\",:\\u0d8e1-+.tfn \xc3\xa4\x80\x1f";
	uint32_t random = 1;

	for (unsigned int i = 0; i < 60000; i++) {
		char text[64];
		size_t size = strlen(seeds[i % ARRAY_SIZE(seeds)]);

		memcpy(text, seeds[i % ARRAY_SIZE(seeds)], sizeof(text));
		for (unsigned int n = 0; n < 1 + i % 3; n++) {
			random = random * 1103515245 + 12345;
			text[(random >> 8) % size] =
				bytes[(random >> 16) % (sizeof(bytes) - 1)];
		}
		compare(text, size);
	}
}
