/* The microguest image and payload packages, inside the library. The public
 * half is <avf/image.h>. */
#pragma once

#include <stddef.h>

#include "base/arch.h"
#include "base/error.h"

/** Names of the files of an image directory. */
#define IMAGE_KERNEL "kernel"
#define IMAGE_INITRD "initrd"
#define IMAGE_JSON   "image.json"
#define IMAGE_FORMAT 1

/** Where the system's images are. */
#define IMAGE_SYSTEM_DIR "/usr/share"

/**
 * The user's image directory for @arch: $XDG_DATA_HOME, else ~/.local/share,
 * and libvirtualization/microguest, for another architecture than the host's
 * microguest-<arch>. Writes it to @buf.
 * Errors: AVF_ERR_NOT_FOUND (no home), AVF_ERR_LIMIT.
 */
int image_default_dir(const struct arch *arch, char *buf,
		      size_t size) MUST_CHECK;

/* The open files of an image. -1: none. */
struct image_files {
	int kernel_fd;
	int initrd_fd;
};

/**
 * Open the kernel and the initramfs of the image for @arch in @dir; NULL: in
 * $AVF_GUEST_IMAGE, else the user's, else the system's. The fds belong to
 * the caller. An image.json, where there is one, has to name @arch and the
 * protocol that this build speaks (base/guest_protocol.h).
 * Errors: AVF_ERR_NOT_FOUND (where it was looked for, and how to build one),
 * AVF_ERR_FORMAT (for another architecture, of another build, or a bad
 * image.json),
 * AVF_ERR_PERMISSION, AVF_ERR_IO.
 */
int image_find(const struct arch *arch, const char *dir,
	       struct image_files *ret_files) MUST_CHECK;
