#include "probe/probe_run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "client/spawn.h"

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
static int await_end(int pidfd, uint64_t deadline_ns)
{
	int rc = fd_wait(pidfd, POLLIN, ms_until(deadline_ns));

	if (rc == 0)
		return fail(AVF_ERR_TIMEOUT, "it does not end");
	return rc < 0 ? rc : 0;
}

/* It may be gone: an application may reap, or have the kernel reap, all its
 * children. Its number can then be somebody else's, its pidfd cannot. */
static void end(const struct spawn_child *child)
{
	(void)syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
	while (waitid(P_PIDFD, (id_t)child->pidfd, NULL, WEXITED) < 0 &&
	       errno == EINTR)
		;
	fd_close(child->pidfd);
}

int probe_run(char *const *argv, bool own_namespaces, int timeout_ms, char *buf,
	      size_t size, size_t *ret_used)
{
	const uint64_t deadline_ns =
		clock_now_ns() + (uint64_t)timeout_ms * 1000000;
	struct spawn_params params = {.argv = argv,
				      .number = STDOUT_FILENO,
				      .own_namespaces = own_namespaces};
	CLEANUP(close_p) int output = -1;
	struct spawn_child child;
	int fds[2];
	int rc;

	*ret_used = 0;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail_errno("pipe");
	output = fds[0];
	params.fd = fds[1];
	rc = spawn_process(&params, &child);
	fd_close(fds[1]);
	if (rc < 0)
		return rc;
	rc = collect(output, deadline_ns, buf, size, ret_used);
	if (rc == 0)
		rc = await_end(child.pidfd, deadline_ns);
	end(&child);
	return rc;
}
