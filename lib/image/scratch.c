/*
 * Making files and directories so that they appear whole or not at all: a
 * temporary directory beside the target (the same file system, so that rename
 * works), everything synced, then one rename.
 */
#include "image/scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"

#define WALK_FDS        16
#define MAP_MAX_BYTES   (1ULL << 30)
#define FULL_DISK_BYTES 65536 /* less than this is a full disk */
#define DIR_MODE        0755
#define PUBLISHED_MODE  0644

int path_join(char buf[PATH_MAX], const char *dir, const char *name)
{
	int n = snprintf(buf, PATH_MAX, "%s/%s", dir, name);

	if (n < 0 || n >= PATH_MAX)
		return fail(AVF_ERR_LIMIT, "path too long: %.128s/...", dir);
	return 0;
}

/* mkdir -p for what is before the last component of @path. */
static int make_parents(const char *path)
{
	char copy[PATH_MAX];

	if (strlen(path) >= sizeof(copy))
		return fail(AVF_ERR_LIMIT, "path too long: %.128s...", path);
	memcpy(copy, path, strlen(path) + 1);
	for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(copy, DIR_MODE) < 0 && errno != EEXIST)
			return fail_errno("create %s", copy);
		*p = '/';
	}
	return 0;
}

int scratch_init(struct scratch *scratch, const char *target)
{
	int n;
	int rc;

	scratch->path[0] = '\0';
	rc = make_parents(target);
	if (rc < 0)
		return rc;
	n = snprintf(scratch->path, PATH_MAX, "%s.tmp-XXXXXX", target);
	if (n < 0 || n >= PATH_MAX) {
		scratch->path[0] = '\0';
		return fail(AVF_ERR_LIMIT, "path too long: %.128s...", target);
	}
	if (!mkdtemp(scratch->path)) {
		scratch->path[0] = '\0';
		return fail_errno("create a directory beside %s", target);
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	(void)remove(path); /* what stays is left to the user */
	return 0;
}

/* Without FTW_MOUNT: on an overlay file system files may be on another device
 * than their folder, and would stay. */
void scratch_fini(struct scratch *scratch)
{
	int saved = errno;

	if (scratch->path[0])
		(void)nftw(scratch->path, remove_one, WALK_FDS,
			   FTW_DEPTH | FTW_PHYS);
	scratch->path[0] = '\0';
	errno = saved;
}

int scratch_sync(const char *path)
{
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return fail_errno("sync %s", path);
	return 0;
}

int scratch_write(const char *path, const void *data, size_t size)
{
	CLEANUP(close_p)
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		      PUBLISHED_MODE);
	int rc;

	if (fd < 0)
		return fail_errno("create %s", path);
	rc = fd_write_all(fd, data, size);
	if (rc < 0)
		return rc;
	if (fsync(fd) < 0)
		return fail_errno("sync %s", path);
	return 0;
}

/* The rename itself is durable only when the directory is. */
static int sync_parent(const char *path)
{
	char copy[PATH_MAX];

	(void)snprintf(copy, sizeof(copy), "%s", path);
	return scratch_sync(dirname(copy));
}

/* File systems without RENAME_EXCHANGE: there is a moment with no image. */
static int exchange_by_hand(const char *made, const char *target)
{
	char aside[PATH_MAX];
	int n = snprintf(aside, sizeof(aside), "%s.old", made);

	if (n < 0 || (size_t)n >= sizeof(aside))
		return fail(AVF_ERR_LIMIT, "path too long: %.128s...", made);
	if (rename(target, aside) < 0)
		return fail_errno("move %s away", target);
	if (rename(made, target) < 0) {
		int rc = fail_errno("move %s to %s", made, target);

		(void)rename(aside, target); /* the first error counts */
		return rc;
	}
	if (rename(aside, made) < 0)
		return fail_errno("move %s to %s", aside, made);
	return 0;
}

int scratch_publish_dir(const char *made, const char *target)
{
	int rc = 0;

	/* over an empty directory, or where nothing is */
	if (rename(made, target) == 0)
		return sync_parent(target);
	if (errno != ENOTEMPTY && errno != EEXIST)
		return fail_errno("move %s to %s", made, target);
	if (renameat2(AT_FDCWD, made, AT_FDCWD, target, RENAME_EXCHANGE) < 0)
		rc = exchange_by_hand(made, target);
	if (rc < 0)
		return rc;
	return sync_parent(target);
}

/* Tools report a full disk in words of their own; this finds out. */
int scratch_blame_disk(const char *dir, int rc)
{
	struct statvfs fs;

	if (rc != AVF_ERR_IO || statvfs(dir, &fs) < 0)
		return rc;
	if ((uint64_t)fs.f_bavail * fs.f_frsize >= FULL_DISK_BYTES)
		return rc;
	return fail(AVF_ERR_NO_SPACE, "no space left at %s", dir);
}

int scratch_publish_file(const char *made, const char *target)
{
	if (rename(made, target) < 0)
		return fail_errno("move %s to %s", made, target);
	return sync_parent(target);
}

/*
 * Changes of the file by others show in the mapping: what is parsed should be a
 * package or kernel that nobody writes to.
 */
int mapped_file_init(struct mapped_file *file, const char *path)
{
	CLEANUP(close_p)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *data;

	*file = (struct mapped_file){"", 0};
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno("open %s", path);
	if (!S_ISREG(st.st_mode))
		return fail(AVF_ERR_INVALID, "%s is not a file", path);
	if ((unsigned long long)st.st_size > MAP_MAX_BYTES)
		return fail(AVF_ERR_LIMIT, "%s is larger than 1 GiB", path);
	if (st.st_size == 0)
		return 0;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return fail_errno("map %s", path);
	*file = (struct mapped_file){data, (size_t)st.st_size};
	return 0;
}

void mapped_file_fini(struct mapped_file *file)
{
	void *data;

	if (file->size == 0)
		return;
	memcpy(&data, &file->data, sizeof(data)); /* drops const for munmap() */
	(void)munmap(data, file->size);
	*file = (struct mapped_file){NULL, 0};
}
