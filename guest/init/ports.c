#include "manager.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PORTS_DIR         "/sys/class/virtio-ports"
#define PORT_NAME_SIZE    32
#define FAILURE_WAIT_MS   1000
#define PORT_PATH_SIZE    300
#define LOG_FALLBACK_PORT "/dev/hvc1"
#define CONSOLE_PATH      "/dev/console"

/* Whether the port @device (vport0p1, hvc1) was given @name by the host. */
static bool port_has_name(const char *device, const char *name)
{
	CLEANUP(close_p) int fd = -1;
	char path[PORT_PATH_SIZE];
	char seen[PORT_NAME_SIZE];
	ssize_t size;

	(void)snprintf(path, sizeof(path), PORTS_DIR "/%s/name", device);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size = fd_read_all(fd, seen, sizeof(seen) - 1);
	if (size <= 0)
		return false;
	seen[size] = '\0';
	seen[strcspn(seen, "\n")] = '\0';
	return strcmp(seen, name) == 0;
}

/* Returns the port's fd, or -1 when there is none of that name. */
static int open_port(const char *name, int flags)
{
	CLEANUP(close_dir_p) DIR *dir = opendir(PORTS_DIR);
	const struct dirent *entry;
	char path[PORT_PATH_SIZE];

	if (!dir)
		return -1;
	while ((entry = readdir(dir)) != NULL) {
		if (!port_has_name(entry->d_name, name))
			continue;
		(void)snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		return open(path, flags | O_CLOEXEC | O_NOCTTY);
	}
	return -1;
}

/* A console port is a terminal: let bytes through as they are. */
static int open_terminal(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	struct termios termios;

	if (fd < 0)
		return -1;
	if (tcgetattr(fd, &termios) == 0) {
		cfmakeraw(&termios);
		(void)tcsetattr(fd, TCSANOW, &termios); /* cosmetic */
	}
	return fd;
}

int ports_open_log(struct manager *m)
{
	int fd = open_port("log", O_WRONLY);

	if (fd < 0)
		fd = open_terminal(LOG_FALLBACK_PORT);
	if (fd < 0)
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno("open the log");
	m->log_fd = fd;
	if (dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
		return fail_errno("duplicate the log");
	return 0;
}

/* AVF's payload reads its console input from there. Without a console the
 * kernel has the device, and ENODEV for whoever opens it. */
int ports_share_console(struct manager *m)
{
	if (m->orders.is_debuggable && chmod(CONSOLE_PATH, 0666) < 0)
		return fail_errno("chmod " CONSOLE_PATH);
	return 0;
}

static void write_line(int fd, const char *text)
{
	if (fd_wait(fd, POLLOUT, FAILURE_WAIT_MS) <= 0)
		return;
	if (dprintf(fd, "%s\n", text) < 0)
		return; /* there is no other place to say it */
}

void ports_report_failure(const char *text)
{
	CLEANUP(close_p) int port = open_port("failure", O_WRONLY | O_NONBLOCK);
	CLEANUP(close_p) int console = -1;

	if (port >= 0)
		write_line(port, text);
	console = open(CONSOLE_PATH,
		       O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (console >= 0)
		write_line(console, text);
}
