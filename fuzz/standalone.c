/*
 * Replays files through a fuzz target without a fuzzer, so that what was once
 * found stays found in every build: PROGRAM FILE-OR-FOLDER...
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define MAX_FILE ((size_t)1 << 20)

static int replay(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	uint8_t *data = malloc(MAX_FILE);
	ssize_t n = -1;

	if (fd >= 0 && data)
		n = read(fd, data, MAX_FILE);
	if (n < 0) {
		perror(name);
	} else {
		/* a copy of the exact size, so that ASan sees its end */
		uint8_t *exact = malloc((size_t)n + (n == 0));

		if (exact) {
			memcpy(exact, data, (size_t)n);
			(void)LLVMFuzzerTestOneInput(exact, (size_t)n);
		}
		free(exact);
	}
	free(data);
	fuzz_close(fd);
	return n < 0 ? -1 : 1;
}

/* Returns the number of inputs, or -1. */
static int replay_all(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int n = 0;
	int rc = 0;

	if (!dir)
		return replay(AT_FDCWD, path);
	while (rc >= 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		rc = replay(dirfd(dir), entry->d_name);
		n++;
	}
	(void)closedir(dir);
	return rc < 0 ? -1 : n;
}

int main(int argc, char **argv)
{
	int total = LLVMFuzzerTestOneInput((const uint8_t *)"", 0) + 1;
	int n;

	for (int i = 1; i < argc; i++) {
		n = replay_all(argv[i]);
		if (n < 0)
			return EXIT_FAILURE;
		total += n;
	}
	(void)printf("%d inputs\nok %s\n", total, basename(argv[0]));
	return EXIT_SUCCESS;
}
