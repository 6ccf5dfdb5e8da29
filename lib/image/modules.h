/* Which kernel modules the guest needs, and in which order. */
#pragma once

#include "base/error.h"
#include "image/cpio.h"

/** Modules of an image, dependencies included. */
#define MODULES_MAX       64U
#define MODULES_LIST_SIZE 4096U

/**
 * Put the modules of the guest that are in @dir (.../lib/modules/<release>)
 * into lib/modules/ of the archive, unpacked, each after those that it
 * depends on, and etc/modules, which lists them in that order. What the
 * kernel has built in is left out.
 * Errors: AVF_ERR_NOT_FOUND (neither a module nor built in), AVF_ERR_FORMAT,
 * AVF_ERR_LIMIT, those of the archive.
 */
int modules_add(struct cpio *cpio, const char *dir) MUST_CHECK;

/**
 * The value of "@key=" in the .modinfo section of a module: a list of
 * NUL-terminated rows. Returns a pointer into @elf, or NULL.
 */
const char *modules_info(const void *elf, size_t size, const char *key);
