#include "base/package_mark.h"

#include <stdio.h>
#include <string.h>

static const unsigned char beginning[PACKAGE_MARK_SIZE - 1] = "avfpkg";

void package_mark_make(uint32_t mask, char ret_text[PACKAGE_MARK_TEXT])
{
	/* "avfpkg" in hexadecimal */
	(void)snprintf(ret_text, PACKAGE_MARK_TEXT,
		       "61766670-6b67-0000-0000-0000000000%02x", mask & 0xff);
}

uint32_t package_mark_read(const unsigned char mark[PACKAGE_MARK_SIZE])
{
	if (memcmp(mark, beginning, sizeof(beginning)) != 0)
		return 0;
	return mark[PACKAGE_MARK_SIZE - 1];
}
