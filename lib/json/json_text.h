/* JSON as text, without what jansson gets wrong when memory runs out. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/**
 * @value as text; free() it. NULL: no memory, or @value is NULL.
 * Instead of json_dumps(), which ignores that its buffer cannot grow, and
 * leaves out keys.
 */
char *jtext_write(const json_t *value, size_t flags);
