/*
 * The VMM as a child process: started, watched, killed and reaped by pidfd,
 * never by number, so it cannot be mistaken for another process, and the
 * application's SIGCHLD handling is not disturbed. wait_for() takes it as an
 * end when the application has reaped the child first.
 */
#include "client/process.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "client/spawn.h"
#include "client/vmm_path.h"
#include "wire/wire.h"

/* The number of the control socket in the child. avf-vmm knows it too. */
#define CHILD_CONTROL_FD 3

int vmm_process_spawn(struct vmm_process *ret_process)
{
	CLEANUP(close_p) int ours = -1;
	CLEANUP(close_p) int theirs = -1;
	char path[PATH_MAX];
	char *const argv[] = {path, NULL};
	/* stderr stays: it is where a sanitizer or the C library complains */
	struct spawn_params params = {.argv = argv,
				      .number = CHILD_CONTROL_FD,
				      .keep_stderr = true,
				      .own_namespaces = true};
	struct spawn_child child;
	int pair[2];
	int rc = vmm_path_find(path, sizeof(path));

	if (rc < 0)
		return rc;
	rc = wire_socketpair(pair);
	if (rc < 0)
		return rc;
	ours = pair[0];
	theirs = pair[1];
	params.fd = theirs;
	rc = spawn_process(&params, &child);
	if (rc < 0)
		return rc;
	ret_process->self = -1;
	ret_process->pid = child.pid;
	ret_process->pidfd = child.pidfd;
	ret_process->control = take_fd(&ours);
	return 0;
}

/*
 * The VMM gets an epoll descriptor with our pidfd in it, and not the pidfd,
 * which is good for sending signals. An epoll holds no reference: @self, and
 * the copy of it that a child has, keep the pidfd there to be watched.
 */
int vmm_process_tell_owner(struct vmm_process *process)
{
	CLEANUP(close_p) int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = {.events = EPOLLIN};
	int rc;

	if (epoll_fd < 0)
		return fail_errno("epoll_create1");
	process->self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (process->self < 0)
		return fail_errno("pidfd_open");
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, process->self, &ev) < 0)
		return fail_errno("epoll_ctl");
	rc = wire_send(process->control, WIRE_OWNER, NULL, 0, &epoll_fd, 1);
	/* a VMM that has ended already is told by its end */
	return rc == AVF_ERR_CLOSED ? 0 : rc;
}

/* The VMM cannot do it: a jail takes the privilege away. */
int vmm_process_allow_locking(const struct vmm_process *process, uint64_t bytes)
{
	struct rlimit limit;

	if (prlimit(process->pid, RLIMIT_MEMLOCK, NULL, &limit) < 0)
		return fail_errno("limit of locked memory");
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= bytes)
		return 0;
	limit.rlim_cur = bytes;
	limit.rlim_max = MAX(limit.rlim_max, limit.rlim_cur);
	if (prlimit(process->pid, RLIMIT_MEMLOCK, &limit, NULL) == 0)
		return 0;
	return fail(AVF_ERR_LIMIT,
		    "a protected VM locks its memory, %" PRIu64
		    " MiB: raise the limit for locked memory (ulimit -l, or "
		    "LimitMEMLOCK= of the service)",
		    bytes >> 20);
}

static bool wait_for(struct vmm_process *p, int flags, struct vmm_exit *ret)
{
	siginfo_t info;
	int rc;

	memset(&info, 0, sizeof(info));
	do {
		rc = waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED | flags);
	} while (rc < 0 && errno == EINTR);
	memset(ret, 0, sizeof(*ret));
	if (rc < 0) /* reaped elsewhere: ended all the same */
		return true;
	if (info.si_pid == 0)
		return false;
	ret->known = true;
	if (info.si_code == CLD_EXITED)
		ret->exit_code = info.si_status;
	else
		ret->signal_number = info.si_status;
	return true;
}

bool vmm_process_reap(struct vmm_process *process, struct vmm_exit *ret_exit)
{
	return wait_for(process, WNOHANG, ret_exit);
}

int vmm_process_kill(const struct vmm_process *process)
{
	if (syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0) <
		    0 &&
	    errno != ESRCH)
		return fail_errno("kill the VMM");
	return 0;
}

void vmm_process_fini(struct vmm_process *process)
{
	struct vmm_exit ended;

	if (process->pidfd >= 0) {
		/* a process that has ended cannot be signalled: fine */
		(void)!vmm_process_kill(process);
		(void)wait_for(process, 0, &ended);
	}
	close_p(&process->control);
	close_p(&process->self);
	close_p(&process->pidfd);
	process->pid = 0;
}
