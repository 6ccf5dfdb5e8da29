/*
 * QEMU as a child: started with fork(), as it has to be confined between fork
 * and exec, and with exactly the descriptors that were listed. Its standard
 * error becomes log lines, within a budget, and the last line explains a
 * failure. It dies with us (PR_SET_PDEATHSIG).
 */
#include "qemu/qemu_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/text.h"

/* What the child needs between fork and exec. */
struct launch {
	char *const *argv;
	const int *fds;
	unsigned int n_fds;
	void (*confine)(void); /* may be NULL */
	int null_fd;
	int stderr_fd; /* the child's end */
	int report_fd; /* errno of what failed */
	pid_t parent;
};

/*
 * Signals as a new program expects them. Those with a handler are reset by
 * execve(), those that we ignore are not.
 */
static void reset_signals(void)
{
	sigset_t none;

	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Only async-signal-safe calls: other threads may hold any lock. */
static int prepare_child(const struct launch *l)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -1;
	if (getppid() != l->parent) {
		errno = ESRCH; /* died before the request was in force */
		return -1;
	}
	if (dup2(l->null_fd, STDIN_FILENO) < 0 ||
	    dup2(l->stderr_fd, STDOUT_FILENO) < 0 ||
	    dup2(l->stderr_fd, STDERR_FILENO) < 0)
		return -1;
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return -1;
	for (unsigned int i = 0; i < l->n_fds; i++) {
		if (fcntl(l->fds[i], F_SETFD, 0) < 0)
			return -1;
	}
	return 0;
}

static _Noreturn void run_child(const struct launch *l)
{
	/* nothing of the caller's environment steers QEMU */
	char path[] = "PATH=/usr/bin:/bin";
	char *const env[] = {path, NULL};
	int saved;

	reset_signals();
	if (l->confine)
		l->confine();
	if (prepare_child(l) == 0)
		(void)execve(l->argv[0], l->argv, env);
	saved = errno;
	(void)!write(l->report_fd, &saved, sizeof(saved));
	_exit(127);
}

static int open_pipe(int *ret_read, int *ret_write)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail_errno("pipe");
	*ret_read = fds[0];
	*ret_write = fds[1];
	return 0;
}

/* Wait for the exec to succeed (the pipe closes) or to report its errno. */
static int await_exec(int report_fd, const char *path)
{
	int child_errno;
	ssize_t n = fd_read_all(report_fd, &child_errno, sizeof(child_errno));

	if (n < 0)
		return (int)n;
	if (n == 0)
		return 0;
	errno = child_errno;
	return fail_errno("start %s", path);
}

/* QEMU's words are not ours: made printable, and cut. */
static void keep_line(struct qemu_process *process)
{
	if (process->line_used == 0)
		return;
	text_sanitise(process->last_line, sizeof(process->last_line),
		      process->line, process->line_used);
	process->line_used = 0;
	if (log_budget_take(&process->budget, clock_now_ns()))
		log_warn(process->log, "QEMU: %s", process->last_line);
}

/* A line longer than the buffer is cut at its end. */
static void collect(struct qemu_process *process, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n')
			keep_line(process);
		else if (process->line_used < sizeof(process->line))
			process->line[process->line_used++] = data[i];
	}
}

/* Returns false when there is nothing to read now, or ever. */
static bool read_stderr(struct qemu_process *process)
{
	char chunk[1024];
	ssize_t n = read(process->stderr_fd, chunk, sizeof(chunk));

	if (n > 0) {
		collect(process, chunk, (size_t)n);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	keep_line(process);
	loop_remove(process->loop, &process->stderr_source);
	return false;
}

static void on_stderr(struct loop_source *source, uint32_t events)
{
	(void)events;
	(void)read_stderr(
		container_of(source, struct qemu_process, stderr_source));
}

static void on_exit_ready(struct loop_source *source, uint32_t events)
{
	struct qemu_process *process =
		container_of(source, struct qemu_process, exit_source);

	(void)events;
	if (waitpid(process->pid, &process->status, WNOHANG) != process->pid)
		return;
	process->pid = 0;
	loop_remove(process->loop, source);
	/* bounded: a pipe's buffer is all that a dead process leaves */
	while (read_stderr(process))
		;
	keep_line(process);
	process->exited(process->userdata);
}

static int watch(struct qemu_process *process)
{
	int rc;

	process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	if (process->pidfd < 0)
		return fail_errno("pidfd_open");
	rc = fd_set_nonblock(process->stderr_fd, true);
	if (rc < 0)
		return rc;
	rc = loop_add(process->loop, &process->exit_source, process->pidfd,
		      EPOLLIN, on_exit_ready);
	if (rc < 0)
		return rc;
	return loop_add(process->loop, &process->stderr_source,
			process->stderr_fd, EPOLLIN, on_stderr);
}

/* Returns when the program runs, or with the reason why it does not. */
static int spawn(struct qemu_process *process, struct launch *l)
{
	CLEANUP(close_p) int report = -1;
	CLEANUP(close_p) int report_child = -1;
	int rc = open_pipe(&report, &report_child);

	if (rc < 0)
		return rc;
	l->report_fd = report_child;
	l->confine = process->confine;
	l->parent = getpid();
	process->pid = fork();
	if (process->pid == 0)
		run_child(l);
	if (process->pid < 0) {
		process->pid = 0;
		return fail_errno("fork");
	}
	close_p(&report_child);
	return await_exec(report, l->argv[0]);
}

int qemu_process_start(struct qemu_process *process, char *const *argv,
		       const int *fds, unsigned int n_fds)
{
	CLEANUP(close_p) int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CLEANUP(close_p) int stderr_child = -1;
	struct launch l = {.argv = argv, .fds = fds, .n_fds = n_fds};
	int rc;

	process->pid = 0;
	process->pidfd = -1;
	process->stderr_fd = -1;
	if (null_fd < 0)
		return fail_errno("open /dev/null");
	rc = open_pipe(&process->stderr_fd, &stderr_child);
	if (rc < 0)
		return rc;
	l.null_fd = null_fd;
	l.stderr_fd = stderr_child;
	rc = spawn(process, &l);
	if (rc == 0)
		rc = watch(process);
	if (rc < 0)
		qemu_process_fini(process);
	return rc;
}

/* By its pidfd: the jail allows no signals by number. */
static void kill_process(const struct qemu_process *process)
{
	if (process->pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL,
			      NULL, 0);
	else
		(void)kill(process->pid, SIGKILL);
}

void qemu_process_fini(struct qemu_process *process)
{
	if (!process->loop)
		return;
	loop_remove(process->loop, &process->exit_source);
	loop_remove(process->loop, &process->stderr_source);
	if (process->pid > 0) {
		kill_process(process);
		while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	process->pid = 0;
	close_p(&process->pidfd);
	close_p(&process->stderr_fd);
	process->loop = NULL;
}

void qemu_process_kill(struct qemu_process *process)
{
	if (process->pid > 0)
		kill_process(process);
}
