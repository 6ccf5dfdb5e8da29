/* Ask another program, within a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/**
 * Run @argv[0], a path, and collect what it prints, @size bytes at most;
 * @own_namespaces as in struct spawn_params. It
 * is killed after @timeout_ms, and gone when this returns. Does not use
 * SIGCHLD. *@ret_used is written in any case: what it printed until then.
 * Errors: AVF_ERR_TIMEOUT, AVF_ERR_IO and what starting it may fail with.
 */
int probe_run(char *const *argv, bool own_namespaces, int timeout_ms, char *buf,
	      size_t size, size_t *ret_used) MUST_CHECK;
