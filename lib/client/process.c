#include "client/process.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "client/vmm_path.h"
#include "wire/wire.h"

/* The number of the control socket in the child. avf-vmm knows it too. */
#define CHILD_CONTROL_FD 3

extern char **environ;

static int fill_actions(posix_spawn_file_actions_t *actions, int control)
{
	int e = posix_spawn_file_actions_adddup2(actions, control,
						 CHILD_CONTROL_FD);

	/* stderr stays: it is where a sanitizer or the C library complains */
	if (e == 0)
		e = posix_spawn_file_actions_addopen(actions, STDIN_FILENO,
						     "/dev/null", O_RDONLY, 0);
	if (e == 0)
		e = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO,
						     "/dev/null", O_WRONLY, 0);
	if (e == 0)
		e = posix_spawn_file_actions_addclosefrom_np(
			actions, CHILD_CONTROL_FD + 1);
	return e;
}

/* A process group of its own, so that Ctrl-C in a terminal is the caller's
 * to handle; every signal as a new program expects it. */
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
		e = posix_spawnattr_setpgroup(attr, 0);
	if (e == 0)
		e = posix_spawnattr_setflags(
			attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
				      POSIX_SPAWN_SETPGROUP);
	return e;
}

static int spawn(const char *path, int control, pid_t *ret_pid)
{
	char name[] = "avf-vmm";
	char *const argv[] = {name, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int e;

	e = posix_spawn_file_actions_init(&actions);
	if (e == 0) {
		e = posix_spawnattr_init(&attr);
		if (e == 0) {
			e = fill_actions(&actions, control);
			if (e == 0)
				e = fill_attributes(&attr);
			if (e == 0)
				e = posix_spawn(ret_pid, path, &actions, &attr,
						argv, environ);
			(void)posix_spawnattr_destroy(&attr);
		}
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	if (e != 0) {
		errno = e;
		return fail_errno("start %s", path);
	}
	return 0;
}

int vmm_process_spawn(struct vmm_process *ret_process)
{
	CLEANUP(close_p) int ours = -1;
	CLEANUP(close_p) int theirs = -1;
	char path[PATH_MAX];
	int pair[2];
	pid_t pid;
	int rc = vmm_path_find(path, sizeof(path));

	if (rc < 0)
		return rc;
	rc = wire_socketpair(pair);
	if (rc < 0)
		return rc;
	ours = pair[0];
	theirs = pair[1];
	rc = spawn(path, theirs, &pid);
	if (rc < 0)
		return rc;
	ret_process->pid = pid;
	/* our child, not yet reaped: the number cannot be somebody else's */
	ret_process->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (ret_process->pidfd < 0) {
		rc = fail_errno("pidfd_open");
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return rc;
	}
	ret_process->control = take_fd(&ours);
	return 0;
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
	close_p(&process->pidfd);
	process->pid = 0;
}
