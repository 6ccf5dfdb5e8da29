#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ESCAPE_MAX 4 /* "\xNN" */

/* Characters that turn or hide the text around them (Unicode 15, classes Cf,
 * Zl and Zp, those that terminals and browsers act upon). */
static bool is_deceptive(uint32_t c)
{
	return c < 0xa0 || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	       c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

/* Length of the sequence that @lead begins, 0 when it begins none. */
static size_t sequence_length(unsigned char lead)
{
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

/* Bytes of the well-formed printable UTF-8 character at @src (RFC 3629,
 * section 4), beyond ASCII; 0 when there is none. */
static size_t utf8_length(const unsigned char *src, size_t size)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = sequence_length(src[0]);
	uint32_t c;

	if (n == 0 || n > size)
		return 0;
	c = src[0] & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((src[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (src[i] & 0x3fU);
	}
	if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return is_deceptive(c) ? 0 : n;
}

static size_t escape(char out[ESCAPE_MAX], unsigned char byte)
{
	static const char hex[] = "0123456789abcdef";

	out[0] = '\\';
	out[1] = '\\';
	if (byte == '\\')
		return 2;
	out[1] = 'x';
	out[2] = hex[byte >> 4];
	out[3] = hex[byte & 15];
	return 4;
}

/* One character: returns the bytes used of @src, *@ret_n those in @out. */
static size_t next_char(const unsigned char *src, size_t size,
			char out[ESCAPE_MAX], size_t *ret_n)
{
	size_t n = 1;

	if (src[0] < 0x20 || src[0] > 0x7e || src[0] == '\\') {
		n = utf8_length(src, size);
		if (n == 0) {
			*ret_n = escape(out, src[0]);
			return 1;
		}
	}
	memcpy(out, src, n);
	*ret_n = n;
	return n;
}

void text_sanitise(char *dst, size_t capacity, const void *src, size_t size)
{
	const unsigned char *p = src;
	char out[ESCAPE_MAX];
	size_t used = 0;
	size_t taken;
	size_t n;

	while (size > 0) {
		taken = next_char(p, size, out, &n);
		if (n >= capacity - used)
			break;
		memcpy(dst + used, out, n);
		used += n;
		p += taken;
		size -= taken;
	}
	dst[used] = '\0';
}

bool text_is_inner_path(const char *path)
{
	bool at_start = true; /* of a part */

	for (; *path; path++) {
		if ((unsigned char)*path < 0x20 || *path == 0x7f ||
		    (at_start && (*path == '/' || *path == '.')))
			return false;
		at_start = *path == '/';
	}
	return !at_start;
}
