/*
 * vm-work: where VMs are made and taken apart. Whoever does either holds a
 * shared lock on its "lock" file; who gets it exclusively knows that all
 * else in the directory was left by a crash.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "manager/manager.h"

#define WORK_LOCK "lock"

/* Tidying takes moments. A process that is stopped meanwhile must not stop
 * everybody else for ever: 5 s. */
#define WORK_TRIES    2500
#define WORK_PAUSE_NS 2000000

int work_begin(const struct avf_manager *manager, int *ret_lock)
{
	const struct timespec pause = {.tv_nsec = WORK_PAUSE_NS};
	int rc = 0;

	for (int i = 0; i < WORK_TRIES; i++) {
		rc = file_lock(manager->work_fd, WORK_LOCK, false, ret_lock);
		if (rc != AVF_ERR_BUSY)
			return rc;
		(void)nanosleep(&pause, NULL);
	}
	return fail(AVF_ERR_BUSY,
		    "another process tidies the VM directory and does not end");
}

int work_name(const char *prefix, char name[WORK_NAME_SIZE])
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return fail_errno("getrandom");
	(void)snprintf(name, WORK_NAME_SIZE, "%s-%016llx", prefix,
		       (unsigned long long)random);
	return 0;
}

static bool is_ours(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	       strcmp(name, WORK_LOCK) == 0;
}

/* Whether there is anything to do, before any lock is touched. */
static bool is_tidy(DIR *dir)
{
	const struct dirent *entry;

	while ((entry = readdir(dir)) != NULL)
		if (!is_ours(entry->d_name))
			return false;
	return true;
}

/* Without waiting: somebody at work means that it is not the time to tidy. */
static void clean(const struct avf_manager *manager, DIR *dir)
{
	CLEANUP(close_p) int lock = -1;
	const struct dirent *entry;

	if (is_tidy(dir) ||
	    file_lock(manager->work_fd, WORK_LOCK, true, &lock) < 0)
		return;
	rewinddir(dir);
	while ((entry = readdir(dir)) != NULL)
		if (!is_ours(entry->d_name))
			file_remove_tree(manager->work_fd, entry->d_name);
}

/* Best effort: what stays is in nobody's way. */
void work_clean(const struct avf_manager *manager)
{
	int fd = openat(manager->work_fd, ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		fd_close(fd);
		return;
	}
	clean(manager, dir);
	(void)closedir(dir);
	error_clear();
}
