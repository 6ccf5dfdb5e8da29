/*
 * UTF-8 as Unicode defines it (section 3.9): the shortest form only, no
 * surrogates. Other ends (JSON, the guest) would refuse anything else.
 */
#include "base/utf8.h"

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

bool utf8_is_valid(const char *text)
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

size_t utf8_put(char *dest, uint32_t code)
{
	if (code < 0x80) {
		dest[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		dest[0] = (char)(0xc0 | code >> 6);
		dest[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		dest[0] = (char)(0xe0 | code >> 12);
		dest[1] = (char)(0x80 | (code >> 6 & 0x3f));
		dest[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	dest[0] = (char)(0xf0 | code >> 18);
	dest[1] = (char)(0x80 | (code >> 12 & 0x3f));
	dest[2] = (char)(0x80 | (code >> 6 & 0x3f));
	dest[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}
