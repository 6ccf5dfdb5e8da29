/*
 * Byte-order types for structures that leave the process. One-member structs
 * of bytes: no accidental arithmetic, any alignment, no padding.
 */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define BYTEORDER_TYPE(name, bits, from, to)                 \
	typedef struct {                                     \
		unsigned char bytes[(bits) / 8];             \
	} name;                                              \
	static inline uint##bits##_t name##_get(name v)      \
	{                                                    \
		uint##bits##_t raw;                          \
                                                             \
		memcpy(&raw, v.bytes, sizeof(raw));          \
		return from(raw);                            \
	}                                                    \
	static inline name name##_make(uint##bits##_t value) \
	{                                                    \
		uint##bits##_t raw = to(value);              \
		name v;                                      \
                                                             \
		memcpy(v.bytes, &raw, sizeof(raw));          \
		return v;                                    \
	}

BYTEORDER_TYPE(le16, 16, le16toh, htole16)
BYTEORDER_TYPE(le32, 32, le32toh, htole32)
BYTEORDER_TYPE(le64, 64, le64toh, htole64)
BYTEORDER_TYPE(be16, 16, be16toh, htobe16)
BYTEORDER_TYPE(be32, 32, be32toh, htobe32)
BYTEORDER_TYPE(be64, 64, be64toh, htobe64)

_Static_assert(sizeof(le64) == 8, "byte-order types have no padding");
