#pragma once

#include <stdint.h>

#include "base/error.h"

/** Entries, and levels, of one tree. */
#define TREE_MAX_ENTRIES 100000U
#define TREE_MAX_DEPTH   32U

/**
 * Copy directory @from to @to, which must not exist. Files become readable
 * for everybody. Errors: AVF_ERR_INVALID (something that is neither file nor
 * directory: a link could point anywhere), AVF_ERR_LIMIT, _NO_SPACE, _IO.
 */
int tree_copy(const char *from, const char *to) MUST_CHECK;

/** Copy one file to the new file @to. */
int tree_copy_file(const char *from, const char *to,
		   uint32_t permissions) MUST_CHECK;
