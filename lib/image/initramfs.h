#pragma once

#include <stddef.h>

#include "base/arch.h"
#include "base/error.h"

/* What an initramfs is made of. Borrowed. */
struct initramfs_parts {
	const struct arch *arch;
	const char *guest_dir;   /* our programs; NULL: found */
	const char *modules_dir; /* .../lib/modules/<release>; NULL: none */
};

/**
 * Write the guest's initramfs to the new file @path: our programs, the
 * dynamic loader and the C library that this host has for the architecture,
 * the modules. Errors: AVF_ERR_NOT_FOUND, AVF_ERR_FORMAT (programs of another
 * architecture, too), AVF_ERR_NO_SPACE, AVF_ERR_IO.
 */
int initramfs_write(const char *path,
		    const struct initramfs_parts *parts) MUST_CHECK;

/**
 * The directory of our guest programs for @arch: guest, or guest-<arch> for
 * another one than ours, in ../libexec/libvirtualization beside the library,
 * or where it is installed. Errors: AVF_ERR_NOT_FOUND.
 */
int initramfs_guest_dir(const struct arch *arch, char *buf,
			size_t size) MUST_CHECK;
