#include "support/raw_peer.h"

#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_MS  5000
#define MAX_SIZE 4096

#define ANY 256 /* a byte that is not compared */

/* Parse @hex. Returns the number of bytes. */
static size_t parse(const char *hex, short *bytes)
{
	char digits[3] = "";
	size_t count = 0, n = 0;

	for (; *hex; hex++) {
		if (isspace((unsigned char)*hex))
			continue;
		digits[n++] = *hex;
		if (n < 2)
			continue;
		n = 0;
		if (count == MAX_SIZE)
			abort();
		bytes[count++] = strcmp(digits, "xx") == 0
					 ? ANY
					 : (short)strtol(digits, NULL, 16);
	}
	return count;
}

void raw_send_fds(int fd, const char *hex, int sent, int n_fds)
{
	short parsed[MAX_SIZE];
	unsigned char bytes[MAX_SIZE];
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * 253)];
	} control = {0};
	struct iovec iov = {.iov_base = bytes};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *cmsg = &control.align;

	iov.iov_len = parse(hex, parsed);
	for (size_t i = 0; i < iov.iov_len; i++)
		bytes[i] = (unsigned char)parsed[i];
	if (n_fds > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n_fds);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n_fds);
		for (int i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(cmsg) + sizeof(int) * (size_t)i, &sent,
			       sizeof(int));
	}
	if (sendmsg(fd, &msg, MSG_NOSIGNAL) != (ssize_t)iov.iov_len)
		perror("raw_send");
}

void raw_send(int fd, const char *hex)
{
	raw_send_fds(fd, hex, -1, 0);
}

/* Wait until something can be read. */
static bool wait_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, WAIT_MS) == 1;
}

bool raw_expect(int fd, const char *hex)
{
	short expected[MAX_SIZE];
	unsigned char bytes[MAX_SIZE];
	size_t size = parse(hex, expected);
	size_t done = 0, i;
	ssize_t n;

	while (done < size && wait_readable(fd)) {
		n = read(fd, bytes + done, size - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	for (i = 0; i < done; i++)
		if (expected[i] != ANY && expected[i] != bytes[i])
			break;
	if (i == size)
		return true;
	fprintf(stderr, "expected: %s\nfound:    ", hex);
	for (i = 0; i < done; i++)
		fprintf(stderr, "%02x%s", bytes[i], i % 4 == 3 ? " " : "");
	fprintf(stderr, "(%zu of %zu bytes)\n", done, size);
	return false;
}

bool raw_closed(int fd)
{
	char bytes[256];
	ssize_t n;

	do {
		if (!wait_readable(fd))
			return false;
		n = read(fd, bytes, sizeof(bytes));
	} while (n > 0);
	return true; /* the end, or a reset with unread data */
}

void raw_socket_path(char *path, unsigned long size)
{
	char dir[] = "/tmp/avf-rpc-XXXXXX";

	if (!mkdtemp(dir))
		abort();
	(void)snprintf(path, size, "%s.socket", dir);
	(void)rmdir(dir);
	(void)unlink(path);
}

/* A socket and the address of @path. */
static int make_socket(const char *path, struct sockaddr_un *un)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*un = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)snprintf(un->sun_path, sizeof(un->sun_path), "%s", path);
	if (fd < 0)
		abort();
	return fd;
}

int raw_connect(const char *path)
{
	struct sockaddr_un un;
	int fd = make_socket(path, &un);

	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
		abort();
	return fd;
}

int raw_listen(const char *path)
{
	struct sockaddr_un un;
	int fd = make_socket(path, &un);

	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    listen(fd, 8) < 0)
		abort();
	return fd;
}

int raw_accept(int fd)
{
	int accepted;

	if (!wait_readable(fd))
		abort();
	accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (accepted < 0)
		abort();
	return accepted;
}
