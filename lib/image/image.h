/* The microguest image and payload packages, inside the library. The public
 * half is <avf/image.h>. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/** Names of the files of an image directory. */
#define IMAGE_KERNEL "kernel"
#define IMAGE_INITRD "initrd"
#define IMAGE_JSON   "image.json"
#define IMAGE_FORMAT 1

/** Where the system's image is. */
#define IMAGE_SYSTEM_DIR "/usr/share/libvirtualization/microguest"

/**
 * The user's image directory: $XDG_DATA_HOME, else ~/.local/share, and
 * libvirtualization/microguest. Writes it to @buf.
 * Errors: AVF_ERR_NOT_FOUND (no home), AVF_ERR_LIMIT.
 */
int image_default_dir(char *buf, size_t size) MUST_CHECK;

/**
 * Open the kernel and the initramfs of the image in @dir; NULL: in
 * $AVF_GUEST_IMAGE, else the user's, else the system's. The fds belong to
 * the caller. Errors: AVF_ERR_NOT_FOUND (where it was looked for, and how to
 * build one), AVF_ERR_PERMISSION, AVF_ERR_IO.
 */
int image_find(const char *dir, int *ret_kernel_fd,
	       int *ret_initrd_fd) MUST_CHECK;
