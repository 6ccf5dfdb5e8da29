/* The kernel package of the guest: getting it, and what is in it. */
#pragma once

#include <limits.h>

#include "base/arch.h"
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
 * Download the newest cloud kernel for @arch that apt knows to @dir; its path
 * lands in @ret_package. For another architecture than the host's, apt reads
 * the lists of the host's sources for it first, into @dir.
 * Errors: AVF_ERR_NOT_FOUND (apt, or a kernel), AVF_ERR_IO.
 */
int kernel_download(const struct arch *arch, const char *dir,
		    char ret_package[PATH_MAX]) MUST_CHECK;

/** The one path below @dir that matches the glob @pattern.
 * Errors: AVF_ERR_FORMAT (none, or several). */
int kernel_find_file(const char *dir, const char *pattern,
		     char ret_path[PATH_MAX]) MUST_CHECK;

/** Extract @package below @dir. Errors: AVF_ERR_FORMAT (no kernel in it),
 * AVF_ERR_NOT_FOUND (dpkg-deb, the package), AVF_ERR_NO_SPACE, _IO. */
int kernel_extract(const char *package, const char *dir,
		   struct kernel_tree *ret_tree) MUST_CHECK;

/**
 * The kernel in file @path as a VM of @arch boots it fastest: the ELF file
 * inside a bzImage (Linux, Documentation/arch/x86/boot.rst), the plain arm64
 * Image (.../arm64/booting.rst). Errors: AVF_ERR_FORMAT (neither, damaged, for
 * another architecture; an ELF file is an error, too: packages have none).
 */
int kernel_unpack(const struct arch *arch, const char *path,
		  struct unpack_buffer *ret_kernel) MUST_CHECK;

/** What the unpacked @kernel calls itself ("6.12.1-avf"); "unknown" when it
 * does not say. */
void kernel_find_release(const struct unpack_buffer *kernel,
			 char ret_release[KERNEL_RELEASE_SIZE]);
