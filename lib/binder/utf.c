#include "binder/utf.h"

#define FIRST_ASTRAL 0x10000U  /* the first character of two units */
#define LAST_CHAR    0x10ffffU /* the last character of Unicode */
#define REPLACEMENT  0xfffdU

/* Bytes of the character that starts with @lead. A continuation byte in that
 * place counts as a character of its own. */
static size_t sequence_size(unsigned char lead)
{
	if (lead < 0xc0)
		return 1;
	if (lead < 0xe0)
		return 2;
	return lead < 0xf0 ? 3 : 4;
}

/* The character of @size bytes at @s, whatever its continuation bytes are. */
static uint32_t decode(const unsigned char *s, size_t size)
{
	static const unsigned char lead_mask[] = {0xff, 0x1f, 0x0f, 0x07};
	uint32_t c = s[0] & lead_mask[size - 1];

	for (size_t i = 1; i < size; i++)
		c = c << 6 | (s[i] & 0x3fU);
	return c <= LAST_CHAR ? c : REPLACEMENT;
}

bool utf16_measure(const char *utf8, size_t size, size_t *ret_units)
{
	const unsigned char *s = (const unsigned char *)utf8;
	size_t units = 0;
	size_t n;

	for (; size > 0; s += n, size -= n) {
		n = sequence_size(*s);
		if (n > size)
			return false;
		units += decode(s, n) < FIRST_ASTRAL ? 1 : 2;
	}
	*ret_units = units;
	return true;
}

void utf16_write(const char *utf8, size_t size, le16 *out)
{
	const unsigned char *s = (const unsigned char *)utf8;
	uint32_t c;
	size_t n;

	for (; size > 0; s += n, size -= n) {
		n = sequence_size(*s);
		c = decode(s, n);
		if (c < FIRST_ASTRAL) {
			*out++ = le16_make((uint16_t)c);
			continue;
		}
		c -= FIRST_ASTRAL;
		*out++ = le16_make((uint16_t)(0xd800U | c >> 10));
		*out++ = le16_make((uint16_t)(0xdc00U | (c & 0x3ffU)));
	}
}

/* Take one character off @utf16; surrogates without a partner are returned as
 * they are. */
static uint32_t next_char(const le16 **utf16, size_t *units)
{
	uint32_t c = le16_get(**utf16);
	uint32_t low;

	++*utf16;
	--*units;
	if ((c & 0xfc00U) != 0xd800U || *units == 0)
		return c;
	low = le16_get(**utf16);
	if ((low & 0xfc00U) != 0xdc00U)
		return c;
	++*utf16;
	--*units;
	return FIRST_ASTRAL + ((c & 0x3ffU) << 10 | (low & 0x3ffU));
}

/* Bytes of @c in UTF-8; none for half a surrogate pair. */
static size_t char_size(uint32_t c)
{
	if (c < 0x80)
		return 1;
	if (c < 0x800)
		return 2;
	if (c >= FIRST_ASTRAL)
		return 4;
	return (c & 0xf800U) == 0xd800U ? 0 : 3;
}

size_t utf8_measure(const le16 *utf16, size_t units)
{
	size_t size = 0;

	while (units > 0)
		size += char_size(next_char(&utf16, &units));
	return size;
}

void utf8_write(const le16 *utf16, size_t units, char *out)
{
	static const unsigned char lead_bits[] = {0, 0, 0xc0, 0xe0, 0xf0};
	uint32_t c;
	size_t n;

	while (units > 0) {
		c = next_char(&utf16, &units);
		n = char_size(c);
		if (n == 0)
			continue;
		for (size_t i = n - 1; i > 0; i--, c >>= 6)
			out[i] = (char)(0x80U | (c & 0x3fU));
		out[0] = (char)(lead_bits[n] | c);
		out += n;
	}
}
