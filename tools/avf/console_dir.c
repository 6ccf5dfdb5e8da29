#include "console_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"

#define PATH_SIZE 1024

/* $XDG_RUNTIME_DIR, else /run/user/UID, else a name in /tmp that has the
 * user in it. */
static void find_path(char *path, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char run_user[64];

	(void)snprintf(run_user, sizeof(run_user), "/run/user/%u", getuid());
	if ((!runtime || runtime[0] != '/') && access(run_user, W_OK) == 0)
		runtime = run_user;
	if (runtime && runtime[0] == '/' && strlen(runtime) < size - 32)
		(void)snprintf(path, size, "%s/libvirtualization", runtime);
	else
		(void)snprintf(path, size, "/tmp/libvirtualization-%u",
			       getuid());
}

int console_dir_open(void)
{
	CLI_CLEANUP(cli_close) int fd = -1;
	char path[PATH_SIZE];
	struct stat st;
	int owned;

	find_path(path, sizeof(path));
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		(void)cli_fail(CLI_EXIT_HOST, "make %s: %s", path,
			       strerror(errno));
		return -1;
	}
	/* in /tmp, others may have made it first */
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		(void)cli_fail(CLI_EXIT_HOST, "open %s: %s", path,
			       strerror(errno));
		return -1;
	}
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		(void)cli_fail(CLI_EXIT_HOST,
			       "%s is not this user's alone (mode 0700)", path);
		return -1;
	}
	owned = fd;
	fd = -1; /* handed over: not to be closed here */
	(void)fd;
	return owned;
}

/* Through /proc, since a socket's path has 108 bytes at most. */
static bool make_address(int dir_fd, const char *name,
			 struct sockaddr_un *ret_address)
{
	int n;

	memset(ret_address, 0, sizeof(*ret_address));
	ret_address->sun_family = AF_UNIX;
	n = snprintf(ret_address->sun_path, sizeof(ret_address->sun_path),
		     "/proc/self/fd/%d/%s.console", dir_fd, name);
	errno = ENAMETOOLONG;
	return n > 0 && (size_t)n < sizeof(ret_address->sun_path);
}

int console_connect(int dir_fd, const char *name)
{
	struct sockaddr_un address;
	int saved;
	int fd;

	if (!make_address(dir_fd, name, &address))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) ==
	    0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

void console_remove(int dir_fd, const char *name)
{
	char file[CONSOLE_NAME_SIZE];

	(void)snprintf(file, sizeof(file), "%s.console", name);
	(void)unlinkat(dir_fd, file, 0);
}

int console_listen(int dir_fd, const char *name)
{
	CLI_CLEANUP(cli_close) int fd = -1;
	struct sockaddr_un address;
	int other;
	int owned;

	other = console_connect(dir_fd, name);
	if (other >= 0) {
		(void)close(other);
		errno = EADDRINUSE;
		return -1;
	}
	/* left behind by a run that was killed */
	if (errno == ECONNREFUSED)
		console_remove(dir_fd, name);
	if (!make_address(dir_fd, name, &address))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 4) < 0)
		return -1;
	owned = fd;
	fd = -1; /* handed over: not to be closed here */
	(void)fd;
	return owned;
}
