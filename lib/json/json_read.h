/*
 * JSON text (RFC 8259) to jansson's values.
 *
 * jansson's own reader does not survive that memory runs out: its lexer
 * ignores that the buffer of a token cannot grow, loses a character of a
 * string, or reads behind the token's end. Making values is sound, so this
 * reader makes them itself.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"

/** Arrays and objects inside each other, at most: the reader recurses. */
#define JSON_READ_MAX_DEPTH 32U

/**
 * The object or array that @text, @size bytes, consists of; json_decref() it.
 * Strict: no duplicate keys, no NUL in a string, only UTF-8, nothing behind
 * it. Errors: AVF_ERR_FORMAT ("JSON: line 1, column 4: ..."),
 * AVF_ERR_LIMIT (too deep), AVF_ERR_NO_MEMORY.
 */
int jtext_read(const char *text, size_t size, json_t **ret_value) MUST_CHECK;
