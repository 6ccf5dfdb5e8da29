/* Words of a peer that is not trusted, made fit for logs and terminals. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/**
 * Copy @size bytes of text to @dst (@capacity bytes, at least 1, NUL
 * included). Printable ASCII and well-formed printable UTF-8 stay; a
 * backslash becomes "\\", any other byte "\xNN". What does not fit is cut
 * between two characters. Cannot fail.
 */
void text_sanitise(char *dst, size_t capacity, const void *src, size_t size);

/**
 * Whether @path can be joined to a directory and stays below it: parts that
 * are no hidden file and no "..", without control characters.
 */
bool text_is_inner_path(const char *path);
