/*
 * Descriptors: the calls of the system with EINTR and short transfers dealt
 * with, and errors in our terms.
 */
#include "base/fd.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void fd_close(int fd)
{
	/* errno survives: this runs in clean-up, after the error that counts */
	int saved = errno;

	if (fd >= 0)
		(void)close(fd); /* nothing to do about EIO here */
	errno = saved;
}

int fd_dup(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		return fail_errno("duplicate fd %d", fd);
	return copy;
}

int fd_write_all(int fd, const void *data, size_t size)
{
	const char *p = data;
	ssize_t n;

	while (size > 0) {
		n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno("write");
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

ssize_t fd_read_all(int fd, void *data, size_t size)
{
	char *p = data;
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = read(fd, p + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno("read");
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/*
 * A short count is the end of the file, not an error: the caller knows what it
 * needed.
 */
ssize_t fd_pread_all(int fd, void *data, size_t size, uint64_t offset)
{
	char *p = data;
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = pread(fd, p + done, size - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno("read at offset %llu",
					  (unsigned long long)(offset + done));
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* The flag belongs to the open file description, which others may share. */
int fd_set_nonblock(int fd, bool nonblock)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return fail_errno("read the flags of fd %d", fd);
	flags = nonblock ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	if (fcntl(fd, F_SETFL, flags) < 0)
		return fail_errno("set the flags of fd %d", fd);
	return 0;
}

int fd_file_size(int fd, const char *what, uint64_t *ret_size)
{
	uint64_t size;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail_errno("%s: fstat", what);
	if (S_ISREG(st.st_mode)) {
		*ret_size = (uint64_t)st.st_size;
		return 0;
	}
	if (!S_ISBLK(st.st_mode))
		return fail(AVF_ERR_INVALID,
			    "%s: not a regular file or block device", what);
	if (ioctl(fd, BLKGETSIZE64, &size) < 0)
		return fail_errno("%s: BLKGETSIZE64", what);
	*ret_size = size;
	return 0;
}

/*
 * An EINTR continues with what is left of the time. Returns the events, or 0
 * after the time-out; a negative time-out waits for ever.
 */
int fd_wait(int fd, short events, int timeout_ms)
{
	uint64_t deadline = clock_now_ns() / 1000000 + (uint64_t)timeout_ms;
	struct pollfd p = {.fd = fd, .events = events};
	uint64_t now;
	int rc;

	for (;;) {
		rc = poll(&p, 1, timeout_ms);
		if (rc > 0)
			return p.revents;
		if (rc == 0)
			return 0;
		if (errno != EINTR)
			return fail_errno("poll");
		if (timeout_ms < 0)
			continue;
		now = clock_now_ns() / 1000000;
		timeout_ms = now < deadline ? (int)(deadline - now) : 0;
	}
}

uint64_t clock_now_ns(void)
{
	struct timespec ts;

	/* CLOCK_MONOTONIC exists on every Linux: cannot fail */
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}
