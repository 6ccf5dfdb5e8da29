/*
 * Rules for texts that leave this process: names end up in error messages,
 * logs, directory names and the guest's console.
 */
#include "config/config_text.h"

#include <string.h>

#include "base/utf8.h"

/*
 * ASCII control characters and DEL. Bytes above are UTF-8, checked elsewhere.
 */
bool config_has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* A name may become a file name (named VMs): no slash, no dots alone. */
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
	if (config_has_control(name) || !utf8_is_valid(name))
		return fail(AVF_ERR_INVALID,
			    "%s: not UTF-8, or with control characters", field);
	return 0;
}

/* What a terminal would interpret becomes a question mark. Cut at @size. */
void config_show_text(const char *text, char *buf, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && text[i] != '\0'; i++) {
		unsigned char c = (unsigned char)text[i];

		buf[i] = c < 0x20 || c == 0x7f ? '?' : text[i];
	}
	buf[i] = '\0';
}

size_t config_fit_text(const char *text, size_t max)
{
	size_t n = strnlen(text, max + 1);

	if (n <= max)
		return n;
	/* back to the start of the character that goes over the end */
	for (n = max; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
		n--;
	return n;
}
