#include "json/json_read.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"

/* A position in a text that does not change. */
struct reader {
	const char *start;
	const char *at;
	const char *end;
	unsigned int depth;
};

static int read_value(struct reader *r, json_t **ret_value);

/* For people: both count from 1, columns in bytes. */
static int fail_here(const struct reader *r, const char *what)
{
	unsigned int line = 1, column = 1;

	for (const char *p = r->start; p < r->at; p++) {
		column++;
		if (*p == '\n') {
			line++;
			column = 1;
		}
	}
	return fail(AVF_ERR_FORMAT, "JSON: line %u, column %u: %s", line,
		    column, what);
}

static int no_memory(void)
{
	return fail(AVF_ERR_NO_MEMORY, "JSON");
}

/* The byte at hand, NUL at the end: no token begins with one. */
static char peek(const struct reader *r)
{
	return r->at < r->end ? *r->at : '\0';
}

static void skip_space(struct reader *r)
{
	while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at)
		r->at++;
}

static bool accept(struct reader *r, char c)
{
	if (r->at >= r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* --- strings ---------------------------------------------------------- */

/* The closing quote of the string whose first character is at hand. */
static const char *find_quote(const struct reader *r)
{
	const char *p = r->at;

	while (p < r->end && *p != '"') {
		if ((unsigned char)*p < 0x20)
			return NULL;
		/* the escaped character is no quote, whatever it is */
		p += *p == '\\' && r->end - p > 1 ? 2 : 1;
	}
	return p < r->end ? p : NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20; /* to lower case */
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits behind "\u". The quote is further on: they are there. */
static int read_unit(struct reader *r, uint32_t *ret_unit)
{
	uint32_t unit = 0;
	int digit;

	for (int i = 0; i < 4; i++) {
		digit = hex_digit(peek(r));
		if (digit < 0)
			return fail_here(r, "invalid escape");
		unit = unit << 4 | (uint32_t)digit;
		r->at++;
	}
	*ret_unit = unit;
	return 0;
}

/* RFC 8259, section 7: above 0xffff as a pair of UTF-16 surrogates. */
static int read_code(struct reader *r, uint32_t *ret_code)
{
	uint32_t high = 0, low = 0;
	int rc = read_unit(r, &high);

	if (rc < 0)
		return rc;
	*ret_code = high;
	if (high == 0)
		return fail_here(r, "\\u0000 is not allowed");
	if (high < 0xd800 || high > 0xdfff)
		return 0;
	if (high > 0xdbff || !accept(r, '\\') || !accept(r, 'u'))
		return fail_here(r, "half a surrogate pair");
	rc = read_unit(r, &low);
	if (rc < 0)
		return rc;
	if (low < 0xdc00 || low > 0xdfff)
		return fail_here(r, "half a surrogate pair");
	*ret_code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return 0;
}

/* What an escape stands for, at @out; never longer than the escape. */
static int unescape(struct reader *r, char **out)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	char c = *r->at++;
	const char *name = c ? strchr(names, c) : NULL;
	uint32_t code;
	int rc;

	if (name) {
		*(*out)++ = values[name - names];
		return 0;
	}
	if (c != 'u') {
		r->at--;
		return fail_here(r, "invalid escape");
	}
	rc = read_code(r, &code);
	if (rc == 0)
		*out += utf8_put(*out, code);
	return rc;
}

/* The string at hand, its first quote taken; free() it. */
static int read_text(struct reader *r, char **ret_text)
{
	const char *quote = find_quote(r);
	CLEANUP(free_p) char *text = NULL;
	char *out;
	int rc;

	if (!quote)
		return fail_here(r, "a string without an end");
	text = malloc((size_t)(quote - r->at) + 1);
	if (!text)
		return no_memory();
	out = text;
	while (r->at < quote) {
		if (*r->at != '\\') {
			*out++ = *r->at++;
			continue;
		}
		r->at++;
		rc = unescape(r, &out);
		if (rc < 0)
			return rc;
	}
	*out = '\0';
	/* no NUL is in it: control characters ended it above */
	if (!utf8_is_valid(text))
		return fail_here(r, "not UTF-8");
	r->at = quote + 1;
	*ret_text = TAKE_PTR(text);
	return 0;
}

static int read_string(struct reader *r, json_t **ret_value)
{
	CLEANUP(free_p) char *text = NULL;
	int rc;

	r->at++; /* the quote */
	rc = read_text(r, &text);
	if (rc < 0)
		return rc;
	*ret_value = json_string_nocheck(text);
	return *ret_value ? 0 : no_memory();
}

/* --- numbers and words ------------------------------------------------ */

static size_t skip_digits(struct reader *r)
{
	const char *from = r->at;

	while (peek(r) >= '0' && peek(r) <= '9')
		r->at++;
	return (size_t)(r->at - from);
}

/* ".5", "e+7", ".5e7" behind a whole number. */
static int skip_fraction(struct reader *r, bool *ret_real)
{
	*ret_real = false;
	if (accept(r, '.')) {
		*ret_real = true;
		if (skip_digits(r) == 0)
			return fail_here(r, "invalid number");
	}
	if (accept(r, 'e') || accept(r, 'E')) {
		*ret_real = true;
		if (!accept(r, '+'))
			(void)accept(r, '-');
		if (skip_digits(r) == 0)
			return fail_here(r, "invalid number");
	}
	return 0;
}

/* Digits with a sign; nothing here needs the value of a fraction. */
static int parse_whole(const struct reader *r, const char *from,
		       json_int_t *ret_number)
{
	bool negative = *from == '-';
	json_int_t n = 0;

	for (const char *p = from + negative; p < r->at; p++) {
		json_int_t digit = negative ? '0' - *p : *p - '0';

		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, digit, &n))
			return fail_here(r, "too big a number");
	}
	*ret_number = n;
	return 0;
}

static int read_number(struct reader *r, json_t **ret_value)
{
	const char *from = r->at;
	json_int_t number = 0;
	bool is_real = false;
	size_t digits;
	int rc;

	(void)accept(r, '-');
	digits = peek(r) == '0' ? (size_t)accept(r, '0') : skip_digits(r);
	if (digits == 0)
		return fail_here(r, "invalid number");
	rc = parse_whole(r, from, &number);
	if (rc == 0)
		rc = skip_fraction(r, &is_real);
	if (rc < 0)
		return rc;
	*ret_value = is_real ? json_real((double)number) : json_integer(number);
	return *ret_value ? 0 : no_memory();
}

static bool accept_word(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
		return false;
	r->at += n;
	return true;
}

/* These are constants in jansson: nothing is allocated. */
static int read_word(struct reader *r, json_t **ret_value)
{
	if (accept_word(r, "true"))
		*ret_value = json_true();
	else if (accept_word(r, "false"))
		*ret_value = json_false();
	else if (accept_word(r, "null"))
		*ret_value = json_null();
	else
		return fail_here(r, r->at == r->end ? "the text ends early"
						    : "not a value");
	return 0;
}

/* --- arrays and objects ----------------------------------------------- */

static int read_item(struct reader *r, json_t *array)
{
	json_t *item;
	int rc = read_value(r, &item);

	if (rc < 0)
		return rc;
	return json_array_append_new(array, item) < 0 ? no_memory() : 0;
}

static int read_member(struct reader *r, json_t *object)
{
	CLEANUP(free_p) char *key = NULL;
	json_t *value;
	int rc;

	skip_space(r);
	if (!accept(r, '"'))
		return fail_here(r, "string or '}' expected");
	rc = read_text(r, &key);
	if (rc < 0)
		return rc;
	if (json_object_get(object, key))
		return fail_here(r, "duplicate key");
	skip_space(r);
	if (!accept(r, ':'))
		return fail_here(r, "':' expected");
	rc = read_value(r, &value);
	if (rc < 0)
		return rc;
	/* takes the value, also when it fails */
	return json_object_set_new_nocheck(object, key, value) < 0 ? no_memory()
								   : 0;
}

/* What is between the brackets, the first of which is taken. */
static int read_all(struct reader *r, json_t *into, char close,
		    int (*read_one)(struct reader *r, json_t *into))
{
	int rc;

	skip_space(r);
	if (accept(r, close))
		return 0;
	do {
		rc = read_one(r, into);
		if (rc < 0)
			return rc;
		skip_space(r);
	} while (accept(r, ','));
	if (accept(r, close))
		return 0;
	return fail_here(r, close == ']' ? "',' or ']' expected"
					 : "',' or '}' expected");
}

static int read_nested(struct reader *r, json_t **ret_value)
{
	bool is_array = *r->at++ == '[';
	json_t *value;
	int rc;

	if (r->depth == JSON_READ_MAX_DEPTH)
		return fail(AVF_ERR_LIMIT, "JSON: nested deeper than %u",
			    JSON_READ_MAX_DEPTH);
	value = is_array ? json_array() : json_object();
	if (!value)
		return no_memory();
	r->depth++;
	rc = is_array ? read_all(r, value, ']', read_item)
		      : read_all(r, value, '}', read_member);
	r->depth--;
	if (rc < 0) {
		json_decref(value);
		return rc;
	}
	*ret_value = value;
	return 0;
}

static int read_value(struct reader *r, json_t **ret_value)
{
	char c;

	skip_space(r);
	c = peek(r);
	if (c == '{' || c == '[')
		return read_nested(r, ret_value);
	if (c == '"')
		return read_string(r, ret_value);
	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(r, ret_value);
	return read_word(r, ret_value);
}

int jtext_read(const char *text, size_t size, json_t **ret_value)
{
	struct reader r = {text, text, text + size, 0};
	json_t *value;
	int rc;

	skip_space(&r);
	if (peek(&r) != '{' && peek(&r) != '[')
		return fail_here(&r, "'[' or '{' expected");
	rc = read_nested(&r, &value);
	if (rc < 0)
		return rc;
	skip_space(&r);
	if (r.at < r.end) {
		json_decref(value);
		return fail_here(&r, "end of the text expected");
	}
	*ret_value = value;
	return 0;
}
