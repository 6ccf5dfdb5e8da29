/*
 * Handles belong to the process that made them. A fork() copies them: the
 * copies name the same processes, locks and sockets, and using one would
 * change them under the hands of the parent.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/** This process, to be kept in a handle. */
pid_t owner_self(void);

/** Whether this process made the handle of @owner. */
bool owner_is_self(pid_t owner);

/** Fail with AVF_ERR_STATE where another process made @what. */
int owner_check(pid_t owner, const char *what) MUST_CHECK;
