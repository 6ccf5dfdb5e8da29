/* The JSON files of a payload package. */
#include "manager.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define MAX_SIZE 65536 /* bytes */

void package_unref_json(json_t **root)
{
	json_decref(*root);
}

/* Returns the size, or an error. @text has room for one byte too many. */
static ssize_t read_file(const char *name, char text[MAX_SIZE + 1])
{
	CLEANUP(close_p) int fd = -1;
	char path[LIBRARY_PATH_SIZE];
	struct stat st;
	ssize_t size;

	(void)snprintf(path, sizeof(path), PACKAGE_DIR "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return fail(AVF_ERR_FORMAT, "the package has no %.128s", name);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno("open %.128s", name);
	if (!S_ISREG(st.st_mode))
		return fail(AVF_ERR_FORMAT, "%.128s is not a file", name);
	size = fd_read_all(fd, text, MAX_SIZE + 1);
	if (size > MAX_SIZE)
		return fail(AVF_ERR_FORMAT, "%.128s: more than %d bytes", name,
			    MAX_SIZE);
	return size;
}

int package_read_json(const char *name, json_t **ret_root)
{
	CLEANUP(free_p) char *text = malloc(MAX_SIZE + 1);
	json_error_t error;
	ssize_t size;

	if (!text)
		return fail(AVF_ERR_NO_MEMORY, "%.128s", name);
	size = read_file(name, text);
	if (size < 0)
		return (int)size;
	*ret_root =
		json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, &error);
	if (!*ret_root)
		return fail(AVF_ERR_FORMAT, "%.128s: line %d: %s", name,
			    error.line, error.text);
	return 0;
}
