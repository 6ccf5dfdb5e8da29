/* File descriptors: whole reads and writes, passing, waiting. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/** Close @fd, keeping errno. -1 is a no-op. */
void fd_close(int fd);

/** Duplicate @fd with close-on-exec. Returns the new fd or an error. */
int fd_dup(int fd) MUST_CHECK;

/** Write all @size bytes, through EINTR and partial writes. May block. */
int fd_write_all(int fd, const void *data, size_t size) MUST_CHECK;

/**
 * Read until @size bytes or the end of the file. May block.
 * Returns the number of bytes read (less than @size only at the end).
 */
ssize_t fd_read_all(int fd, void *data, size_t size) MUST_CHECK;

/** As fd_read_all(), at @offset of a file. */
ssize_t fd_pread_all(int fd, void *data, size_t size,
		     uint64_t offset) MUST_CHECK;

/** Set or clear O_NONBLOCK. */
int fd_set_nonblock(int fd, bool nonblock) MUST_CHECK;

/**
 * Size of the regular file or block device behind @fd, in bytes. @what names
 * it in the error. Errors: AVF_ERR_INVALID for any other kind of file.
 */
int fd_file_size(int fd, const char *what, uint64_t *ret_size) MUST_CHECK;

/**
 * Wait until @fd has one of @events (poll's), @timeout_ms at most; -1 waits
 * for ever. Returns the events seen, 0 on time-out.
 */
int fd_wait(int fd, short events, int timeout_ms) MUST_CHECK;

/** Monotonic time in nanoseconds. */
uint64_t clock_now_ns(void);
