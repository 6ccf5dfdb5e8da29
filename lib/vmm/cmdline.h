/* The kernel command line of a VM. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "config/vm_config.h"

/* Ours, the longest of the user's, and a separator. */
#define CMDLINE_SIZE (AVF_MAX_CMDLINE + 200)

/* What the machine of each architecture wants. */
extern const char *const cmdline_x86_64;
extern const char *const cmdline_arm64;

/**
 * The library's own parameters, then the configuration's, into @buf.
 * Errors: AVF_ERR_LIMIT.
 */
int cmdline_make(const struct vm_config *config, char *buf,
		 size_t size) MUST_CHECK;
