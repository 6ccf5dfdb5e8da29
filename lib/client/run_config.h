/* From the user's configuration to the orders of one run. */
#pragma once

#include "base/error.h"
#include "config/vm_config.h"

/**
 * A copy of @config with everything that is looked up at the start of a run:
 * the guest image's kernel and initramfs, locks on the disks.
 * Errors: AVF_ERR_NOT_FOUND, AVF_ERR_BUSY, AVF_ERR_LIMIT, AVF_ERR_IO.
 */
int run_config_make(const struct vm_config *config,
		    struct vm_config *ret_config) MUST_CHECK;

/** Send it as the RUN message. Does not block. */
int run_config_send(const struct vm_config *config, int control) MUST_CHECK;
