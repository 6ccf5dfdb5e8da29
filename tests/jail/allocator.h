/* What the C library does in a thread of a VMM at a bad moment. */
#pragma once

#include <stdbool.h>

#include "sandbox/sandbox.h"

/**
 * Whether a process dies by SIGSYS that has one thread under the filter of
 * @role and puts its allocator, and its waiting, to the test.
 */
bool allocator_dies(enum sandbox_role role);
