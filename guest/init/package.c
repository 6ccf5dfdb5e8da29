#include "manager.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"

#define PACKAGE_DISK  "/dev/vda"
#define DISK_LIMIT_NS 10000000000ULL
#define DISK_PAUSE_MS 5
#define LIBRARY_DIR   "lib/" GUEST_ABI

int package_mount(struct manager *m)
{
	const uint64_t limit = clock_now_ns() + DISK_LIMIT_NS;

	(void)m; /* every step has the same form */
	while (access(PACKAGE_DISK, F_OK) < 0) {
		if (clock_now_ns() >= limit)
			return fail(AVF_ERR_TIMEOUT,
				    "the package's disk did not appear");
		system_pause_ms(DISK_PAUSE_MS);
	}
	if (mount(PACKAGE_DISK, PACKAGE_DIR, "erofs",
		  MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0)
		return fail_errno("the payload package cannot be mounted");
	return 0;
}

/* Which other architecture the package has @name for, or NULL. */
static const char *other_architecture(const char *name)
{
	static const char *const abis[] = {"x86_64", "arm64-v8a"};
	char path[LIBRARY_PATH_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(abis); i++) {
		(void)snprintf(path, sizeof(path), PACKAGE_DIR "/lib/%s/%s",
			       abis[i], name);
		if (access(path, F_OK) == 0)
			return abis[i];
	}
	return NULL;
}

static int library_missing(const char *name)
{
	const char *other = other_architecture(name);

	if (other)
		return fail(
			AVF_ERR_NOT_FOUND,
			"payload library %.64s is in the package for %s, not "
			"for %s",
			name, other, GUEST_ABI);
	return fail(AVF_ERR_NOT_FOUND,
		    "payload library " LIBRARY_DIR
		    "/%.128s is not in the package",
		    name);
}

/* The dynamic loader trusts what it loads; this only makes common mistakes
 * readable. */
static int check_elf(int fd, const char *name)
{
	Elf64_Ehdr header;
	ssize_t size = fd_pread_all(fd, &header, sizeof(header), 0);

	if (size < 0)
		return (int)size;
	if (size != (ssize_t)sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN)
		return fail(AVF_ERR_FORMAT,
			    "payload library " LIBRARY_DIR
			    "/%.128s is not a 64-bit shared library",
			    name);
	if (header.e_machine != GUEST_ELF_MACHINE)
		return fail(AVF_ERR_FORMAT,
			    "payload library " LIBRARY_DIR
			    "/%.64s is for another architecture (ELF machine "
			    "%u)",
			    name, header.e_machine);
	return 0;
}

int package_find_library(struct manager *m)
{
	CLEANUP(close_p) int fd = -1;
	struct stat st;

	(void)snprintf(m->library_path, sizeof(m->library_path),
		       PACKAGE_DIR "/" LIBRARY_DIR "/%s",
		       m->orders.payload_name);
	fd = open(m->library_path,
		  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return library_missing(m->orders.payload_name);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno("open %.128s", m->library_path);
	if (!S_ISREG(st.st_mode))
		return fail(AVF_ERR_FORMAT, "%.128s is not a file",
			    m->library_path);
	return check_elf(fd, m->orders.payload_name);
}
