#include "json/json_text.h"

#include <stdlib.h>

#include "base/cleanup.h"

char *jtext_write(const json_t *value, size_t flags)
{
	size_t size = value ? json_dumpb(value, NULL, 0, flags) : 0;
	CLEANUP(free_p) char *text = size > 0 ? malloc(size + 1) : NULL;

	if (!text || json_dumpb(value, text, size, flags) != size)
		return NULL;
	text[size] = '\0';
	return TAKE_PTR(text);
}
