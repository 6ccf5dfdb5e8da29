/*
 * Configurations as JSON, in a folder that has the files which they name.
 *
 * After a minute: cov: 342.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

/* An empty folder but for "a", a disk of one sector. Nothing in it is
 * written by reading a configuration. */
static int make_folder(void)
{
	char path[] = "/tmp/avf-fuzz-XXXXXX";
	int dir, fd;

	FUZZ_ASSERT(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_ASSERT(dir >= 0);
	fd = openat(dir, "a", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	FUZZ_ASSERT(fd >= 0 && ftruncate(fd, 512) == 0);
	fuzz_close(fd);
	return dir;
}

/* The folder goes at once; only its descriptor is left. */
static void remove_folder(int dir)
{
	char link[32], path[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = readlink(link, path, sizeof(path) - 1);
	FUZZ_ASSERT(n > 0);
	path[n] = '\0';
	FUZZ_ASSERT(unlinkat(dir, "a", 0) == 0 && rmdir(path) == 0);
	fuzz_close(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int fds = fuzz_count_fds();
	int dir = make_folder();
	avf_config *config;
	avf_problems *problems;

	if (config_parse_json((const char *)data, size, dir, &config) == 0) {
		if (config_validate(config, &problems) >= 0)
			problems_free(problems);
		config_free(config);
	}
	remove_folder(dir);
	FUZZ_ASSERT(fuzz_count_fds() == fds);
	return 0;
}
