/* The kernel package of the guest: getting it, and what is in it. */
#pragma once

#include <limits.h>

#include "base/error.h"
#include "unpack/unpack.h"

#define KERNEL_RELEASE_SIZE 128

/* An extracted package. Plain data. */
struct kernel_tree {
	char release[KERNEL_RELEASE_SIZE]; /* "6.12.1-cloud-amd64" */
	char vmlinuz[PATH_MAX];
	char modules[PATH_MAX]; /* .../lib/modules/<release> */
};

/**
 * Download the newest cloud kernel that apt knows to @dir; its path lands in
 * @ret_package. Errors: AVF_ERR_NOT_FOUND (apt, or a kernel), AVF_ERR_IO.
 */
int kernel_download(const char *dir, char ret_package[PATH_MAX]) MUST_CHECK;

/** Extract @package below @dir. Errors: AVF_ERR_FORMAT (no kernel in it),
 * AVF_ERR_NOT_FOUND (dpkg-deb, the package), AVF_ERR_NO_SPACE, _IO. */
int kernel_extract(const char *package, const char *dir,
		   struct kernel_tree *ret_tree) MUST_CHECK;

/** The ELF kernel inside the bzImage @path (Linux, Documentation/arch/x86/
 * boot.rst). An ELF file is an error: packages have none. */
int kernel_unpack(const char *path, struct unpack_buffer *ret_elf) MUST_CHECK;
