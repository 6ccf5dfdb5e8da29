/*
 * The manifest and the config file of a payload package, as the guest's
 * manager reads them: the same bytes for both. The package's path is fixed, so
 * the sources are included with another one.
 *
 * After a minute: cov: 36.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../guest/init/manager.h"

/* The package: a folder that is open as this descriptor. */
#undef PACKAGE_DIR
#define PACKAGE_FD  100
#define PACKAGE_DIR "/proc/self/fd/100"

/* NOLINTBEGIN(bugprone-suspicious-include) */
#include "../guest/init/manifest.c"
#include "../guest/init/package_json.c"
#include "../guest/init/payload_config.c"
/* NOLINTEND(bugprone-suspicious-include) */

static void make_package(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/avf-fuzz-XXXXXX";
	int dir, fd;

	FUZZ_ASSERT(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_ASSERT(dir >= 0 && dup2(dir, PACKAGE_FD) == PACKAGE_FD);
	fuzz_close(dir);
	fd = openat(PACKAGE_FD, "manifest.json", O_WRONLY | O_CREAT | O_CLOEXEC,
		    0600);
	FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	fuzz_close(fd);
}

static void remove_package(void)
{
	char path[64];
	ssize_t n = readlink(PACKAGE_DIR, path, sizeof(path) - 1);

	FUZZ_ASSERT(n > 0);
	path[n] = '\0';
	FUZZ_ASSERT(unlinkat(PACKAGE_FD, "manifest.json", 0) == 0);
	FUZZ_ASSERT(rmdir(path) == 0);
	fuzz_close(PACKAGE_FD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manager m = {
		.orders.payload_config_path = "manifest.json",
	};
	unsigned int fds = fuzz_count_fds();

	make_package(data, size);
	(void)!manifest_check(&m);
	if (payload_config_read(&m) == 0)
		FUZZ_ASSERT(guest_host_is_file_name(m.orders.payload_name));
	remove_package();
	FUZZ_ASSERT(fuzz_count_fds() == fds);
	return 0;
}
