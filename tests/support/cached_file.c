#include "support/cached_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define SECTOR 512U

static int fill(int fd, uint64_t size)
{
	char sector[SECTOR];
	struct iovec part = {sector, sizeof(sector)};

	for (uint64_t i = 0; i < size / SECTOR; i++) {
		memset(sector, (int)i + 1, sizeof(sector));
		if (pwrite(fd, sector, SECTOR, (off_t)(i * SECTOR)) != SECTOR)
			return -1;
	}
	return preadv2(fd, &part, 1, 0, RWF_NOWAIT) == SECTOR ? 0 : -1;
}

int cached_file(uint64_t size)
{
	int fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 || fill(fd, size) == 0)
		return fd;
	(void)close(fd);
	return -1;
}
