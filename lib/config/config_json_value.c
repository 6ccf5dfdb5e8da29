/*
 * Typed access to JSON values, with errors that name the field, and the check
 * for unknown keys. The text is hostile: what is shown of it is escaped and
 * cut, since an error record has 256 bytes and may end in a terminal.
 */
#include "config/config_json.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "config/config_text.h"

/* Keys are shown, escaped, in an error record of 256 bytes. */
#define SHOWN_KEY 24

/* A key this many edits away is taken for a misspelling. */
#define NEAR_EDITS 2

/* In words of the documentation, not of the JSON library. */
static const char *json_type_name(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "a whole number";
	case JSON_REAL:
		return "a number with a fraction";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	default:
		return "null";
	}
}

static int wrong_type(const json_t *value, const char *field,
		      const char *wanted)
{
	return fail(AVF_ERR_INVALID, "%s: must be %s, not %s", field, wanted,
		    json_type_name(value));
}

int config_json_text(const json_t *value, const char *field,
		     const char **ret_text)
{
	if (!json_is_string(value))
		return wrong_type(value, field, "a string");
	*ret_text = json_string_value(value);
	return 0;
}

int config_json_number(const json_t *value, const char *field,
		       uint32_t *ret_number)
{
	json_int_t number;

	if (!json_is_integer(value))
		return wrong_type(value, field, "a whole number");
	number = json_integer_value(value);
	if (number < 0 || number > (json_int_t)UINT32_MAX)
		return fail(AVF_ERR_INVALID,
			    "%s: %" JSON_INTEGER_FORMAT
			    " is outside of 0 to %u",
			    field, number, UINT32_MAX);
	*ret_number = (uint32_t)number;
	return 0;
}

/* Up to 2^63 - 1, which is what JSON integers of the library hold. */
int config_json_bytes(const json_t *value, const char *field,
		      uint64_t *ret_bytes)
{
	if (!json_is_integer(value))
		return wrong_type(value, field, "a whole number");
	if (json_integer_value(value) < 0)
		return fail(AVF_ERR_INVALID,
			    "%s: %" JSON_INTEGER_FORMAT " is negative", field,
			    json_integer_value(value));
	*ret_bytes = (uint64_t)json_integer_value(value);
	return 0;
}

int config_json_flag(const json_t *value, const char *field, bool *ret_flag)
{
	if (!json_is_boolean(value))
		return wrong_type(value, field, "true or false");
	*ret_flag = json_is_true(value);
	return 0;
}

/* Levenshtein's distance, one row at a time. Keys longer than the row are
 * nobody's misspelling. */
static unsigned int count_edits(const char *a, const char *b)
{
	unsigned int row[SHOWN_KEY + 1];
	size_t width = strlen(b);
	unsigned int corner;
	unsigned int above;

	if (width > SHOWN_KEY || strlen(a) > SHOWN_KEY)
		return SHOWN_KEY;
	for (size_t j = 0; j <= width; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		corner = row[0];
		row[0] = (unsigned int)i + 1;
		for (size_t j = 0; j < width; j++) {
			above = row[j + 1];
			row[j + 1] = MIN(corner + (a[i] != b[j]),
					 MIN(above, row[j]) + 1);
			corner = above;
		}
	}
	return row[width];
}

/* Tables are short; a search is enough. */
static const struct config_key *find_key(const char *name,
					 const struct config_key *keys,
					 size_t n_keys)
{
	for (size_t i = 0; i < n_keys; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

/* NULL when nothing is near. Keys that are refused are not proposed. */
static const struct config_key *find_near(const char *name,
					  const struct config_key *keys,
					  size_t n_keys)
{
	const struct config_key *best = NULL;
	unsigned int best_edits = NEAR_EDITS + 1;

	for (size_t i = 0; i < n_keys; i++) {
		unsigned int edits = count_edits(name, keys[i].name);

		if (!keys[i].refusal && edits < best_edits) {
			best = &keys[i];
			best_edits = edits;
		}
	}
	return best;
}

/* A near key is proposed alone; the whole list helps with anything else. */
static int fail_unknown(const char *name, const char *where,
			const struct config_key *keys, size_t n_keys)
{
	const struct config_key *near = find_near(name, keys, n_keys);
	char list[AVF_ERROR_TEXT_SIZE] = "";
	char shown[SHOWN_KEY];
	size_t used = 0;
	int n;

	config_show_text(name, shown, sizeof(shown));
	if (near)
		return fail(AVF_ERR_INVALID,
			    "%s%s: unknown key; did you mean \"%s\"?", where,
			    shown, near->name);
	for (size_t i = 0; i < n_keys; i++) {
		if (keys[i].refusal)
			continue;
		n = snprintf(list + used, sizeof(list) - used, " %s",
			     keys[i].name);
		used = MIN(used + (size_t)n, sizeof(list) - 1);
	}
	return fail(AVF_ERR_INVALID, "%s%s: unknown key; known:%s", where,
		    shown, list);
}

/* Tools write every key that they know: nothing in it asks for nothing. */
static bool is_empty(const json_t *value)
{
	return json_is_null(value) ||
	       (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_object(value) && json_object_size(value) == 0);
}

int config_json_check_keys(json_t *object, const char *where,
			   const struct config_key *keys, size_t n_keys)
{
	const struct config_key *key;
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		key = find_key(name, keys, n_keys);
		if (!key)
			return fail_unknown(name, where, keys, n_keys);
		if (key->refusal && !is_empty(value))
			return fail(AVF_ERR_UNSUPPORTED,
				    "%s%s: not supported; %s", where, name,
				    key->refusal);
	}
	return 0;
}

/* Before parsing, as the parser recurses for each bracket. A text that is no
 * JSON is left to the parser; only its depth is counted here. */
int config_json_check_depth(const char *text, size_t size)
{
	bool in_string = false;
	unsigned int depth = 0;

	for (size_t i = 0; i < size; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!in_string && (text[i] == '}' || text[i] == ']'))
			depth -= depth > 0;
		if (depth > CONFIG_JSON_MAX_DEPTH)
			return fail(AVF_ERR_LIMIT,
				    "JSON: nested deeper than %u",
				    CONFIG_JSON_MAX_DEPTH);
	}
	return 0;
}
