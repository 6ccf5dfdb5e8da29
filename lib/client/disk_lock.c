#include "client/disk_lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"

int disk_lock_open(int fd, bool writable, const char *what, int *ret_fd)
{
	struct flock lock = {
		.l_type = writable ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
	};
	CLEANUP(close_p) int own = -1;
	char path[32];

	/* an OFD lock belongs to the open file description, which duplicates
	 * of one fd share: open the file once more */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (own < 0)
		return fail_errno("%s: open again for %s", what,
				  writable ? "writing" : "reading");
	if (fcntl(own, F_OFD_SETLK, &lock) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			return fail(AVF_ERR_BUSY,
				    "%s: in use by another VM%s; stop that VM, "
				    "or use a copy or a read-only disk",
				    what, writable ? "" : " that writes to it");
		return fail_errno("%s: lock", what);
	}
	*ret_fd = take_fd(&own);
	return 0;
}
