/* The list of VMs: the names of a directory. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "config/config_text.h"
#include "manager/manager.h"

#define FIRST_CAPACITY 16U

struct avf_names {
	char **names; /* owned, like what they point to */
	size_t n_names;
	size_t capacity;
};

static void names_free(struct avf_names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < names->n_names; i++)
		free(names->names[i]);
	free(names->names);
	free(names);
}

static int grow(struct avf_names *names)
{
	size_t capacity =
		names->capacity ? names->capacity * 2 : FIRST_CAPACITY;
	char **more;

	if (names->n_names < names->capacity)
		return 0;
	more = reallocarray(names->names, capacity, sizeof(*more));
	if (!more)
		return fail(AVF_ERR_NO_MEMORY, "list of names");
	names->names = more;
	names->capacity = capacity;
	return 0;
}

/* What is no VM's name is passed over, not reported. */
static int add(struct avf_names *names, const char *name)
{
	int rc;

	/* "." and "..", and what no VM can be called */
	if (config_check_name(name, "name", AVF_MAX_VM_NAME) < 0)
		return 0;
	rc = grow(names);
	if (rc < 0)
		return rc;
	names->names[names->n_names] = strdup(name);
	if (!names->names[names->n_names])
		return fail(AVF_ERR_NO_MEMORY, "list of names");
	names->n_names++;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_all(DIR *dir, struct avf_names *names)
{
	const struct dirent *entry;
	int rc;

	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		rc = add(names, entry->d_name);
		if (rc < 0)
			return rc;
	}
	if (errno != 0)
		return fail_errno("read the VM directory");
	if (names->n_names != 0)
		qsort(names->names, names->n_names, sizeof(*names->names),
		      compare);
	error_clear();
	return 0;
}

int names_read(int dir_fd, struct avf_names **ret_names)
{
	struct avf_names *names = calloc(1, sizeof(*names));
	DIR *dir = NULL;
	int fd;
	int rc;

	if (!names)
		return fail(AVF_ERR_NO_MEMORY, "list of names");
	fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		dir = fdopendir(fd);
	if (!dir) {
		rc = fail_errno("read the VM directory");
		fd_close(fd);
	} else {
		rc = read_all(dir, names);
		(void)closedir(dir);
	}
	if (rc < 0) {
		names_free(names);
		return rc;
	}
	*ret_names = names;
	return 0;
}

size_t avf_names_count(const avf_names *names)
{
	return names ? names->n_names : 0;
}

const char *avf_names_get(const avf_names *names, size_t index)
{
	return names && index < names->n_names ? names->names[index] : NULL;
}

void avf_names_free(avf_names *names)
{
	names_free(names);
}
