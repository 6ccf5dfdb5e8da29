/* UTF-8, as RFC 3629 allows it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Whether @text is well-formed. */
bool utf8_is_valid(const char *text);

/** Write code point @code (at most 0x10ffff, no surrogate) to @dest, which
 * has room for 4 bytes; returns how many it took. */
size_t utf8_put(char *dest, uint32_t code);
