#include "config/config_text.h"

#include <stdint.h>
#include <string.h>

bool config_has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* Number of bytes that follow the lead byte @c; -1: not a lead byte. */
static int follow_count(unsigned char c)
{
	if (c < 0x80)
		return 0;
	if (c >= 0xc2 && c <= 0xdf)
		return 1;
	if (c >= 0xe0 && c <= 0xef)
		return 2;
	if (c >= 0xf0 && c <= 0xf4)
		return 3;
	return -1;
}

/* Bounds of the second byte: no overlong forms, surrogates, or code points
 * above 0x10ffff (Unicode, table 3-7). */
static bool second_allowed(unsigned char lead, unsigned char c)
{
	switch (lead) {
	case 0xe0:
		return c >= 0xa0;
	case 0xed:
		return c <= 0x9f;
	case 0xf0:
		return c >= 0x90;
	case 0xf4:
		return c <= 0x8f;
	default:
		return true;
	}
}

static bool is_utf8(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char lead;
	int n;

	while (*p != '\0') {
		lead = *p++;
		n = follow_count(lead);
		if (n < 0 || (n > 0 && !second_allowed(lead, *p)))
			return false;
		for (; n > 0; n--)
			if ((*p++ & 0xc0) != 0x80)
				return false;
	}
	return true;
}

int config_check_name(const char *name, const char *field, size_t max)
{
	if (!name || name[0] == '\0')
		return fail(AVF_ERR_INVALID, "%s: empty", field);
	if (strlen(name) > max)
		return fail(AVF_ERR_INVALID, "%s: longer than %zu bytes", field,
			    max);
	if (strchr(name, '/') || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return fail(AVF_ERR_INVALID, "%s: a name, not a path: no '/'",
			    field);
	if (config_has_control(name) || !is_utf8(name))
		return fail(AVF_ERR_INVALID,
			    "%s: not UTF-8, or with control characters", field);
	return 0;
}

void config_show_text(const char *text, char *buf, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && text[i] != '\0'; i++) {
		unsigned char c = (unsigned char)text[i];

		buf[i] = c < 0x20 || c == 0x7f ? '?' : text[i];
	}
	buf[i] = '\0';
}
