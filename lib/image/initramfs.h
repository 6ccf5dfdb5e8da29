#pragma once

#include <stddef.h>

#include "base/error.h"

/**
 * Write the guest's initramfs to the new file @path: our programs, the
 * dynamic loader and the C library of this host, the modules of @modules_dir
 * (.../lib/modules/<release>). Errors: AVF_ERR_NOT_FOUND, AVF_ERR_FORMAT,
 * AVF_ERR_NO_SPACE, AVF_ERR_IO.
 */
int initramfs_write(const char *path, const char *modules_dir) MUST_CHECK;

/** The directory of our guest programs: ../libexec/libvirtualization/guest
 * beside the library, or where they are installed. Errors: AVF_ERR_NOT_FOUND.
 */
int initramfs_guest_dir(char *buf, size_t size) MUST_CHECK;
