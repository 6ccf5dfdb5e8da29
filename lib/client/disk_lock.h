/* Locks on disk images, so that no two VMs write to one. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/**
 * A descriptor for the file behind @fd (borrowed) with an open file
 * description of its own, which holds a lock as long as it is open: of the
 * whole file, exclusive when @writable, shared else. @what names the disk.
 * Errors: AVF_ERR_BUSY (another VM holds it), AVF_ERR_PERMISSION, AVF_ERR_IO.
 */
int disk_lock_open(int fd, bool writable, const char *what,
		   int *ret_fd) MUST_CHECK;
