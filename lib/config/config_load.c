/*
 * A configuration from a file. Paths in it count from its directory, which is
 * held open as a descriptor while it is read: a rename meanwhile changes
 * nothing.
 */
#include "config/config_json.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The directory that holds @path. */
static int open_parent(const char *path, int *ret_fd)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(free_p) char *dir = NULL;
	int fd;

	if (!slash)
		dir = strdup(".");
	else
		dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!dir)
		return fail(AVF_ERR_NO_MEMORY, "configuration");
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno("configuration: its directory");
	*ret_fd = fd;
	return 0;
}

/* The size is checked first, so that a huge file costs nothing; what is read
 * counts in the end, since files grow. */
static int read_text(int fd, char **ret_text, size_t *ret_size)
{
	CLEANUP(free_p) char *text = NULL;
	uint64_t size;
	ssize_t n;
	int rc;

	rc = fd_file_size(fd, "configuration", &size);
	if (rc < 0)
		return rc;
	if (size > CONFIG_JSON_MAX_BYTES)
		return fail(AVF_ERR_LIMIT,
			    "configuration: larger than %u bytes",
			    CONFIG_JSON_MAX_BYTES);
	/*
	 * one byte more than allowed: the parser refuses a file that has grown
	 */
	text = malloc(CONFIG_JSON_MAX_BYTES + 1);
	if (!text)
		return fail(AVF_ERR_NO_MEMORY, "configuration");
	n = fd_pread_all(fd, text, CONFIG_JSON_MAX_BYTES + 1, 0);
	if (n < 0)
		return (int)n;
	*ret_text = TAKE_PTR(text);
	*ret_size = (size_t)n;
	return 0;
}

int config_load_written(int fd, avf_config **ret_config)
{
	CLEANUP(free_p) char *text = NULL;
	size_t size = 0;
	int rc = read_text(fd, &text, &size);

	return rc < 0 ? rc : config_parse_written(text, size, ret_config);
}

/* The file is opened like any other, so a FIFO or a directory is refused. */
static int load(const char *path, avf_config **ret_config)
{
	CLEANUP(close_p) int dir_fd = -1;
	CLEANUP(close_p) int fd = -1;
	CLEANUP(free_p) char *text = NULL;
	size_t size = 0;
	int rc;

	rc = config_open(AT_FDCWD, path, false, "configuration", &fd);
	if (rc < 0)
		return rc;
	rc = open_parent(path, &dir_fd);
	if (rc < 0)
		return rc;
	rc = read_text(fd, &text, &size);
	if (rc < 0)
		return rc;
	return config_parse_json(text, size, dir_fd, ret_config);
}

int avf_config_load(const char *path, avf_config **ret_config)
{
	error_clear();
	if (!ret_config)
		return fail(AVF_ERR_INVALID, "configuration: NULL");
	return load(path, ret_config);
}
