/* Running the few programs that the builders need, without a shell. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/**
 * Run @argv[0], looked up in PATH, in directory @cwd (NULL: the present one)
 * and wait for it. At most @size - 1 bytes of its standard output land in
 * @output with a NUL (both 0: not wanted); the rest is dropped.
 * Errors: AVF_ERR_NOT_FOUND (no such program), AVF_ERR_NO_SPACE (it said so),
 * AVF_ERR_IO (it failed; the text has the end of its standard error).
 */
int tool_run(const char *const argv[], const char *cwd, char *output,
	     size_t size) MUST_CHECK;
