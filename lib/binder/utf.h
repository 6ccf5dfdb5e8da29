/*
 * UTF-8 in memory, UTF-16 in parcels. As lenient as Android: bytes that are
 * no UTF-8 become some character, half surrogate pairs disappear; what must
 * hold is that the measured length is the written one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/byteorder.h"

/** Units of UTF-16 for @size bytes of UTF-8. False: it ends in the middle of
 * a character. */
bool utf16_measure(const char *utf8, size_t size, size_t *ret_units);

/** Write what utf16_measure() has measured to @out. */
void utf16_write(const char *utf8, size_t size, le16 *out);

/** Bytes of UTF-8 for @units of UTF-16, without a NUL. */
size_t utf8_measure(const le16 *utf16, size_t units);

/** Write what utf8_measure() has measured to @out. */
void utf8_write(const le16 *utf16, size_t units, char *out);
