/* Rights that the VMM process gives up before the guest runs. */
#pragma once

#include "base/error.h"

/**
 * No new privileges, no core dump (it would hold the guest's memory), not
 * traceable by other processes of the same user.
 * Errors: AVF_ERR_IO.
 */
int restrict_process(void) MUST_CHECK;
