/*
 * The initrd goes as high as possible, away from the kernel, which may grow
 * when it unpacks or relocates itself. The file's size is taken once; what is
 * copied is bounded by that, not by the file as it is later.
 */
#include "boot/initrd.h"

#include <inttypes.h>

#include "base/fd.h"

#define INITRD_ALIGN 4096ULL

/* Rounded up, so that a message never says that 0 MiB do not fit. */
static uint64_t mib(uint64_t bytes)
{
	return (bytes >> 20) + ((bytes & 0xfffffU) != 0);
}

/* The rounding down to a page may leave the room at its lower end. */
static int place(uint64_t size, struct boot_range room, gpa_t *ret_base)
{
	gpa_t base;

	if (size <= room.size) {
		base = (room.base + room.size - size) & ~(INITRD_ALIGN - 1);
		if (base >= room.base) {
			*ret_base = base;
			return 0;
		}
	}
	return fail(AVF_ERR_LIMIT,
		    "initrd: %" PRIu64 " MiB do not fit into the %" PRIu64
		    " MiB of memory that the kernel leaves",
		    mib(size), room.size >> 20);
}

int initrd_load(int fd, const struct gmem *gm, struct boot_range room,
		struct boot_range *ret_range)
{
	struct boot_range range = {0};
	struct gmem_slice s;
	ssize_t n;
	int rc;

	rc = fd_file_size(fd, "initrd", &range.size);
	if (rc < 0)
		return rc;
	if (range.size > 0) {
		rc = place(range.size, room, &range.base);
		if (rc < 0)
			return rc;
		rc = gmem_map(gm, range.base, range.size, &s);
		if (rc < 0)
			return fail_as(AVF_ERR_INVALID);
		n = fd_pread_all(fd, s.host, (size_t)s.size, 0);
		if (n < 0)
			return (int)n;
		if ((uint64_t)n < s.size)
			return fail(AVF_ERR_FORMAT,
				    "initrd: shrank while it was read");
	}
	*ret_range = range;
	return 0;
}
