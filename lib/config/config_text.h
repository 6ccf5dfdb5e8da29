/* Rules for texts that people give and that logs and terminals will show. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/** Whether @text has a control character (0x01 to 0x1f, 0x7f). */
bool config_has_control(const char *text);

/**
 * @name is 1 to @max bytes of UTF-8 without control characters and '/', and
 * neither "." nor "..". @field names it in errors; @name may be NULL.
 * Errors: AVF_ERR_INVALID.
 */
int config_check_name(const char *name, const char *field,
		      size_t max) MUST_CHECK;

/** Copy @text with control characters as '?', cut to @size with its NUL. */
void config_show_text(const char *text, char *buf, size_t size);

/** How many bytes of @text, which is UTF-8, fit into @max of them without a
 * character cut apart. */
size_t config_fit_text(const char *text, size_t max);
