#include "fuzz.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_FDS 128

unsigned int fuzz_count_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < MAX_FDS; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

int fuzz_file(const void *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	FUZZ_ASSERT(fd >= 0);
	FUZZ_ASSERT(ftruncate(fd, (off_t)size) == 0);
	FUZZ_ASSERT(size == 0 || pwrite(fd, data, size, 0) == (ssize_t)size);
	return fd;
}

void fuzz_socketpair(int type, int ret_fds[2])
{
	FUZZ_ASSERT(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ret_fds) == 0);
}

void fuzz_close(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}
