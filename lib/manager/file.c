/* Files of a directory that somebody may have filled with anything. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "manager/manager.h"

#define COPY_CHUNK 65536U

/* A VM's directory is flat; deeper trees are somebody's own. */
#define REMOVE_MAX_DEPTH 16U

int file_open(int dir_fd, const char *name, int flags, int *ret_fd)
{
	/* O_NONBLOCK: a FIFO would wait for its other end */
	const int safe = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	CLEANUP(close_p) int fd = -1;
	struct stat st;

	fd = openat(dir_fd, name, flags | safe, VM_FILE_MODE);
	if (fd < 0 && errno == ELOOP)
		return fail(AVF_ERR_FORMAT, "%s: a symbolic link", name);
	if (fd < 0 && (errno == EISDIR || errno == ENXIO))
		return fail(AVF_ERR_FORMAT, "%s: not a regular file", name);
	if (fd < 0)
		return fail_errno("%s", name);
	if (fstat(fd, &st) < 0)
		return fail_errno("%s", name);
	if (!S_ISREG(st.st_mode))
		return fail(AVF_ERR_FORMAT, "%s: not a regular file", name);
	*ret_fd = take_fd(&fd);
	return 0;
}

int file_sync(int fd, const char *what)
{
	if (fsync(fd) < 0)
		return fail_errno("sync %s", what);
	return 0;
}

int file_write(int dir_fd, const char *name, const void *data, size_t data_size,
	       uint64_t size)
{
	CLEANUP(close_p) int fd = -1;
	int rc = file_open(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC, &fd);

	if (rc < 0)
		return rc;
	rc = fd_write_all(fd, data, data_size);
	if (rc < 0)
		return error_prefix("%s", name);
	if (size > data_size && ftruncate(fd, (off_t)size) < 0)
		return fail_errno("%s", name);
	return file_sync(fd, name);
}

/* The next piece of data at or after *@ret_offset; false: only a hole is
 * left. File systems without holes say that everything is data. */
static bool find_data(int fd, uint64_t *ret_offset)
{
	off_t at = lseek(fd, (off_t)*ret_offset, SEEK_DATA);

	if (at < 0)
		return errno != ENXIO;
	*ret_offset = (uint64_t)at;
	return true;
}

/* Holes stay holes: an image of 10 MiB takes the blocks that were written. */
static int copy_chunks(int from, int to, uint64_t size, char *buf)
{
	uint64_t offset = 0;
	ssize_t n;

	while (offset < size && find_data(from, &offset) && offset < size) {
		n = fd_pread_all(from, buf, MIN(COPY_CHUNK, size - offset),
				 offset);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break; /* it shrank: the rest stays a hole */
		if (lseek(to, (off_t)offset, SEEK_SET) < 0)
			return fail_errno("seek");
		if (fd_write_all(to, buf, (size_t)n) < 0)
			return error_record()->code;
		offset += (uint64_t)n;
	}
	return 0;
}

int file_copy(int from, int dir_fd, const char *name, uint64_t size)
{
	CLEANUP(free_p) char *buf = malloc(COPY_CHUNK);
	CLEANUP(close_p) int fd = -1;
	int rc;

	if (!buf)
		return fail(AVF_ERR_NO_MEMORY, "copy of %s", name);
	rc = file_open(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL, &fd);
	if (rc < 0)
		return rc;
	if (ftruncate(fd, (off_t)size) < 0)
		return fail_errno("%s", name);
	rc = copy_chunks(from, fd, size, buf);
	if (rc < 0)
		return error_prefix("%s", name);
	return file_sync(fd, name);
}

/*
 * A lock of the open file description (F_OFD_SETLK): unlike a lock of the
 * process, it is not lost when another part of the application closes the same
 * file.
 */
int file_lock(int dir_fd, const char *name, bool exclusive, int *ret_fd)
{
	struct flock lock = {
		.l_type = exclusive ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
	};
	CLEANUP(close_p) int fd = -1;
	int rc = file_open(dir_fd, name, O_RDWR | O_CREAT, &fd);

	if (rc < 0)
		return rc;
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			return fail(AVF_ERR_BUSY, "in use");
		return fail_errno("lock %s", name);
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

void file_unlock(int fd)
{
	struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	if (fd < 0)
		return;
	/* the lock is the open file's: a copy would keep it */
	(void)fcntl(fd, F_OFD_SETLK, &lock);
	fd_close(fd);
}

static void remove_below(int dir_fd, const char *name, unsigned int depth);

static void empty_dir(DIR *dir, unsigned int depth)
{
	const struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		remove_below(dirfd(dir), entry->d_name, depth + 1);
	}
}

/* A link is removed, never followed. */
static void remove_below(int dir_fd, const char *name, unsigned int depth)
{
	DIR *dir;
	int fd;

	if (unlinkat(dir_fd, name, 0) == 0 || depth > REMOVE_MAX_DEPTH)
		return;
	fd = openat(dir_fd, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	dir = fdopendir(fd); /* takes fd, but not on failure */
	if (!dir) {
		fd_close(fd);
		return;
	}
	empty_dir(dir, depth);
	(void)closedir(dir);
	(void)unlinkat(dir_fd, name, AT_REMOVEDIR);
}

void file_remove_tree(int dir_fd, const char *name)
{
	int saved = errno;

	remove_below(dir_fd, name, 0);
	errno = saved;
}
