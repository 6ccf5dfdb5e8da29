/*
 * Writing an initramfs: the "newc" cpio format (Linux, Documentation/
 * driver-api/early-userspace/buffer-format.rst). Everything belongs to root
 * and has no time, so that equal content gives equal bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** Longest name, NUL excluded, in bytes. */
#define CPIO_MAX_NAME 255U

/* One thread. Zero but for @fd is an empty archive. */
struct cpio {
	int fd; /* borrowed */
	uint32_t n_entries;
	uint64_t size; /* bytes written */
};

/** Names are relative: "bin/init". Parents come before their children.
 * Errors of all: AVF_ERR_INVALID (name), AVF_ERR_LIMIT, _NO_SPACE, _IO. */
int cpio_dir(struct cpio *cpio, const char *name) MUST_CHECK;
int cpio_file(struct cpio *cpio, const char *name, uint32_t permissions,
	      const void *data, size_t size) MUST_CHECK;
/** A character device, for instance dev/console (5, 1). */
int cpio_char_device(struct cpio *cpio, const char *name, uint32_t major,
		     uint32_t minor) MUST_CHECK;
/** The trailer. */
int cpio_end(struct cpio *cpio) MUST_CHECK;
