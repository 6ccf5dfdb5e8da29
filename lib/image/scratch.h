/* Making something beside its target and moving it into place whole. */
#pragma once

#include <limits.h>
#include <stddef.h>

#include "base/error.h"

/* A directory of our own, removed with all that is in it by _fini. Empty
 * path: none. */
struct scratch {
	char path[PATH_MAX];
};

/**
 * Make `<target>.tmp-XXXXXX`, with mode 0700, and the parents of @target.
 * Errors: AVF_ERR_LIMIT (path), AVF_ERR_NO_SPACE, _PERMISSION, _IO.
 */
int scratch_init(struct scratch *scratch, const char *target) MUST_CHECK;
/** Remove the directory. No-op on an empty one. */
void scratch_fini(struct scratch *scratch);

/** "@dir/@name" in @buf of PATH_MAX bytes. Errors: AVF_ERR_LIMIT. */
int path_join(char buf[PATH_MAX], const char *dir, const char *name) MUST_CHECK;

/** Write a new file and fsync it. */
int scratch_write(const char *path, const void *data, size_t size) MUST_CHECK;

/** fsync the file or directory @path. */
int scratch_sync(const char *path) MUST_CHECK;

/**
 * Put directory @made where @target is or will be, at once. What was there
 * ends up at @made, for the caller to remove.
 */
int scratch_publish_dir(const char *made, const char *target) MUST_CHECK;

/** The same for a file; what was at @target is gone. */
int scratch_publish_file(const char *made, const char *target) MUST_CHECK;

/**
 * The error of a tool that wrote to @dir: AVF_ERR_NO_SPACE instead of
 * AVF_ERR_IO when the disk is full, which some tools do not say. Returns a
 * code, or 0 for 0.
 */
int scratch_blame_disk(const char *dir, int rc) MUST_CHECK;

/* A whole file, mapped for reading. */
struct mapped_file {
	const void *data;
	size_t size;
};

/** Map @path. Errors: AVF_ERR_INVALID (no regular file), AVF_ERR_LIMIT (more
 * than 1 GiB), those of open. An empty file maps to size 0. */
int mapped_file_init(struct mapped_file *file, const char *path) MUST_CHECK;
/** Unmap it. No-op on a zeroed one. */
void mapped_file_fini(struct mapped_file *file);
