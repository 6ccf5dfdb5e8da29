/* Programs of the host. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/**
 * The path of the executable file @name in one of @dirs, a list of absolute
 * directories with ':' between them. Writes it to @buf.
 * Errors: AVF_ERR_NOT_FOUND (the text names the directories).
 */
int program_find(const char *name, const char *dirs, char *buf,
		 size_t size) MUST_CHECK;
