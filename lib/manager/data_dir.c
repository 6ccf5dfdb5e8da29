/* Where a manager keeps its VMs. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/owner.h"
#include "manager/manager.h"

#define VM_DIR   "vm"
#define WORK_DIR "vm-work"

/* The XDG base directory specification: a relative path is not one. */
static int default_dir(char **ret_dir)
{
	const char *data = secure_getenv("XDG_DATA_HOME");
	const char *home = secure_getenv("HOME");
	int n;

	if (data && data[0] == '/')
		n = asprintf(ret_dir, "%s/libvirtualization", data);
	else if (home && home[0] == '/')
		n = asprintf(ret_dir, "%s/.local/share/libvirtualization",
			     home);
	else
		return fail(AVF_ERR_NOT_FOUND,
			    "neither XDG_DATA_HOME nor HOME is set: give the "
			    "directory");
	if (n >= 0)
		return 0;
	*ret_dir = NULL; /* its value is undefined after a failure */
	return fail(AVF_ERR_NO_MEMORY, "data directory");
}

/* What exists is fine also where nothing can be made. */
static int make_one(int dir_fd, const char *path)
{
	int e;

	if (mkdirat(dir_fd, path, VM_DIR_MODE) == 0)
		return 0;
	e = errno;
	if (e == EEXIST || faccessat(dir_fd, path, F_OK, 0) == 0)
		return 0;
	errno = e;
	return fail_errno("create %s", path);
}

/* mkdir -p, for all of @path. */
static int make_path(char *path)
{
	char *slash = path;
	char saved;
	int rc;

	do {
		slash += strspn(slash, "/");
		slash += strcspn(slash, "/");
		saved = *slash;
		*slash = '\0';
		rc = make_one(AT_FDCWD, path);
		if (rc < 0)
			return rc;
		*slash = saved;
	} while (saved != '\0');
	return 0;
}

/*
 * The directory is used by its descriptor from here: a rename of a parent
 * changes nothing.
 */
static int open_dir(int dir_fd, const char *path, int *ret_fd)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail_errno("open %s", path);
	*ret_fd = fd;
	return 0;
}

static int open_made(int dir_fd, const char *name, int *ret_fd)
{
	int rc = make_one(dir_fd, name);

	return rc < 0 ? rc : open_dir(dir_fd, name, ret_fd);
}

/* A path is kept for avf_vm_get_dir() alone. */
static int init_dirs(struct avf_manager *manager, char *data)
{
	CLEANUP(close_p) int data_fd = -1;
	CLEANUP(free_p) char *real = NULL;
	int rc = make_path(data);

	if (rc < 0)
		return rc;
	rc = open_dir(AT_FDCWD, data, &data_fd);
	if (rc < 0)
		return rc;
	rc = open_made(data_fd, VM_DIR, &manager->vm_fd);
	if (rc < 0)
		return rc;
	rc = open_made(data_fd, WORK_DIR, &manager->work_fd);
	if (rc < 0)
		return rc;
	real = realpath(data, NULL);
	if (!real)
		return fail_errno("%s", data);
	if (asprintf(&manager->vm_path, "%s/" VM_DIR, real) < 0) {
		manager->vm_path = NULL;
		return fail(AVF_ERR_NO_MEMORY, "data directory");
	}
	return 0;
}

int manager_new(const char *data_dir, struct avf_manager **ret_manager)
{
	CLEANUP(free_p) char *data = NULL;
	struct avf_manager *manager;
	int rc;

	if (data_dir && data_dir[0] == '\0')
		return fail(AVF_ERR_INVALID, "data directory: empty path");
	if (data_dir) {
		data = strdup(data_dir);
		rc = data ? 0 : fail(AVF_ERR_NO_MEMORY, "data directory");
	} else {
		rc = default_dir(&data);
	}
	if (rc < 0)
		return rc;
	manager = calloc(1, sizeof(*manager));
	if (!manager)
		return fail(AVF_ERR_NO_MEMORY, "manager");
	manager->owner = owner_self();
	manager->vm_fd = -1;
	manager->work_fd = -1;
	manager->refs = 1;
	(void)pthread_mutex_init(&manager->lock, NULL); /* cannot fail */
	rc = init_dirs(manager, data);
	if (rc < 0) {
		manager_unref(manager);
		return rc;
	}
	*ret_manager = manager;
	return 0;
}
