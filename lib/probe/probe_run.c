#include "probe/probe_run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

extern char **environ;

static int fill_actions(posix_spawn_file_actions_t *actions, int output)
{
	int e = posix_spawn_file_actions_adddup2(actions, output,
						 STDOUT_FILENO);

	if (e == 0)
		e = posix_spawn_file_actions_addopen(actions, STDIN_FILENO,
						     "/dev/null", O_RDONLY, 0);
	if (e == 0)
		e = posix_spawn_file_actions_addopen(actions, STDERR_FILENO,
						     "/dev/null", O_WRONLY, 0);
	/* no fd of the application is any of its business */
	if (e == 0)
		e = posix_spawn_file_actions_addclosefrom_np(actions, 3);
	return e;
}

static int fill_attributes(posix_spawnattr_t *attr)
{
	sigset_t all, none;
	int e;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	e = posix_spawnattr_setsigdefault(attr, &all);
	if (e == 0)
		e = posix_spawnattr_setsigmask(attr, &none);
	if (e == 0)
		e = posix_spawnattr_setflags(
			attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	return e;
}

static int spawn(char *const *argv, int output, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int e = posix_spawn_file_actions_init(&actions);

	if (e == 0) {
		e = posix_spawnattr_init(&attr);
		if (e == 0) {
			e = fill_actions(&actions, output);
			if (e == 0)
				e = fill_attributes(&attr);
			if (e == 0)
				e = posix_spawn(ret_pid, argv[0], &actions,
						&attr, argv, environ);
			(void)posix_spawnattr_destroy(&attr);
		}
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	if (e == 0)
		return 0;
	errno = e;
	return fail_errno("start %s", argv[0]);
}

static int ms_until(uint64_t deadline_ns)
{
	uint64_t now = clock_now_ns();

	return now < deadline_ns ? (int)((deadline_ns - now) / 1000000) : 0;
}

/* Read until the end, until @buf is full, or until the time has passed. */
static int collect(int fd, uint64_t deadline_ns, char *buf, size_t size,
		   size_t *ret_used)
{
	ssize_t n;
	int rc;

	*ret_used = 0;
	while (*ret_used < size) {
		rc = fd_wait(fd, POLLIN, ms_until(deadline_ns));
		if (rc < 0)
			return rc;
		if (rc == 0)
			return fail(AVF_ERR_TIMEOUT, "no answer in time");
		n = read(fd, buf + *ret_used, size - *ret_used);
		if (n < 0 && errno != EINTR)
			return fail_errno("read");
		if (n == 0)
			break;
		if (n > 0)
			*ret_used += (size_t)n;
	}
	return 0;
}

/* It has said all; let it end by itself, so that it can clean up. */
static int await_end(pid_t pid, uint64_t deadline_ns)
{
	CLEANUP(close_p) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int rc;

	if (pidfd < 0)
		return 0; /* reaped already by a handler of the application */
	rc = fd_wait(pidfd, POLLIN, ms_until(deadline_ns));
	if (rc == 0)
		return fail(AVF_ERR_TIMEOUT, "it does not end");
	return rc < 0 ? rc : 0;
}

int probe_run(char *const *argv, int timeout_ms, char *buf, size_t size,
	      size_t *ret_used)
{
	const uint64_t deadline_ns =
		clock_now_ns() + (uint64_t)timeout_ms * 1000000;
	CLEANUP(close_p) int output = -1;
	int fds[2];
	pid_t pid;
	int rc;

	*ret_used = 0;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail_errno("pipe");
	output = fds[0];
	rc = spawn(argv, fds[1], &pid);
	fd_close(fds[1]);
	if (rc < 0)
		return rc;
	rc = collect(output, deadline_ns, buf, size, ret_used);
	if (rc == 0)
		rc = await_end(pid, deadline_ns);
	if (rc < 0)
		(void)kill(pid, SIGKILL);
	/* fails when the application ignores SIGCHLD: then it is gone too */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return rc;
}
