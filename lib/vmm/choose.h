/* What runs a VM: KVM or emulation. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/vm_config.h"

/**
 * Decide for @config by asking KVM and, where a Linux guest is wanted or
 * there is a choice, by running the ring-0 trial. *@ret_text (room for @size
 * bytes) is one line on why. A protected VM is never emulated.
 * Errors: AVF_ERR_UNSUPPORTED (nothing acceptable can run it).
 */
int choose_acceleration(const struct vm_config *config, bool *ret_emulate,
			char *ret_text, size_t size) MUST_CHECK;
