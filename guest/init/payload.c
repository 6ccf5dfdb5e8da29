#include "manager.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <avf/vm.h>

#include "base/cleanup.h"
#include "launcher/launcher.h"
#include "service.h"

#define LAUNCHER_PATH    "/bin/launcher"
#define TERM_LIMIT_NS    2000000000ULL /* from SIGTERM to SIGKILL */
#define FIXED_FDS        2
#define LIBRARY_PATH_ENV "LD_LIBRARY_PATH=/lib:" PACKAGE_DIR "/lib/" GUEST_ABI

struct payload {
	pid_t pid; /* also its process group and session */
	bool has_exited;
	int wait_status;
	int status_fd;    /* owned; what the launcher could not do */
	int signal_fd;    /* owned; SIGCHLD */
	uint64_t kill_at; /* 0: SIGTERM was not sent; ns */
	struct service service;
};

static int spawn_launcher(struct manager *m,
			  const posix_spawn_file_actions_t *actions,
			  const posix_spawnattr_t *attributes,
			  struct payload *payload)
{
	static char launcher[] = LAUNCHER_PATH;
	static char library_path[] = LIBRARY_PATH_ENV;
	char *argv[] = {launcher, m->library_path, NULL};
	char *envp[] = {library_path, NULL};
	int rc;

	rc = posix_spawn(&payload->pid, launcher, actions, attributes, argv,
			 envp);
	if (rc != 0) {
		errno = rc;
		return fail_errno("start " LAUNCHER_PATH);
	}
	return 0;
}

/* The launcher gets an empty signal mask: ours has SIGCHLD blocked. */
static int spawn_in_session(struct manager *m, int status_fd,
			    struct payload *payload)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	sigset_t ignored;
	int rc;

	(void)sigemptyset(&none);
	(void)sigemptyset(&ignored);
	(void)sigaddset(&ignored, SIGPIPE);
	if (posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawnattr_init(&attributes) != 0 ||
	    posix_spawnattr_setflags(
		    &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
					 POSIX_SPAWN_SETSIGDEF) != 0 ||
	    posix_spawnattr_setsigmask(&attributes, &none) != 0 ||
	    posix_spawnattr_setsigdefault(&attributes, &ignored) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
					     "/dev/null", O_RDONLY, 0) != 0 ||
	    posix_spawn_file_actions_adddup2(&actions, status_fd,
					     LAUNCHER_STATUS_FD) != 0)
		return fail(AVF_ERR_NO_MEMORY, "start the payload");
	rc = spawn_launcher(m, &actions, &attributes, payload);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	return rc;
}

static int spawn_payload(struct manager *m, struct payload *payload)
{
	CLEANUP(close_p) int write_fd = -1;
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return fail_errno("make a pipe");
	payload->status_fd = pipe_fds[0];
	write_fd = pipe_fds[1];
	/* adddup2() to the same number would keep close-on-exec set */
	if (write_fd == LAUNCHER_STATUS_FD) {
		write_fd = fcntl(pipe_fds[1], F_DUPFD_CLOEXEC,
				 LAUNCHER_STATUS_FD + 1);
		fd_close(pipe_fds[1]);
		if (write_fd < 0)
			return fail_errno("duplicate a pipe");
	}
	return spawn_in_session(m, write_fd, payload);
}

static int watch_children(struct payload *payload)
{
	sigset_t children;

	(void)sigemptyset(&children);
	(void)sigaddset(&children, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &children, NULL) < 0)
		return fail_errno("block SIGCHLD");
	payload->signal_fd =
		signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	if (payload->signal_fd < 0)
		return fail_errno("watch children");
	return 0;
}

/* PID 1 also inherits what the payload leaves behind. */
static void reap(struct payload *payload)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(payload->signal_fd, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != payload->pid)
			continue;
		payload->has_exited = true;
		payload->wait_status = status;
	}
}

/* SIGTERM once, SIGKILL when the time is over. Returns poll()'s time-out. */
static int press_to_exit(const struct manager *m, struct payload *payload)
{
	const uint64_t now = clock_now_ns();

	if (!m->shutting_down)
		return -1;
	if (payload->kill_at == 0) {
		(void)kill(-payload->pid, SIGTERM); /* gone is fine */
		payload->kill_at = now + TERM_LIMIT_NS;
	}
	if (now < payload->kill_at)
		return (int)((payload->kill_at - now) / 1000000) + 1;
	(void)kill(-payload->pid, SIGKILL); /* gone is fine */
	return -1;
}

static int wait_payload(struct manager *m, struct payload *payload)
{
	struct pollfd fds[FIXED_FDS + SERVICE_MAX_FDS];
	int timeout_ms;
	unsigned int n;

	while (!payload->has_exited) {
		timeout_ms = press_to_exit(m, payload);
		fds[0] = (struct pollfd){payload->signal_fd, POLLIN, 0};
		fds[1] = (struct pollfd){host_calls_fd(m), POLLIN, 0};
		n = service_poll_fds(&payload->service, fds + FIXED_FDS);
		if (poll(fds, FIXED_FDS + n, timeout_ms) < 0 && errno != EINTR)
			return fail_errno("poll");
		if (fds[1].revents)
			host_take_calls(m);
		service_handle(&payload->service, fds + FIXED_FDS, n);
		if (fds[0].revents)
			reap(payload);
	}
	return 0;
}

/* Why the launcher could not load the payload, or "". AVF reports that as an
 * exit code alone; the reason goes before it. */
static int send_load_error(struct manager *m, const struct payload *payload)
{
	char text[VM_SERVICE_TEXT] = "";
	ssize_t size;

	size = read(payload->status_fd, text, sizeof(text) - 1);
	if (size <= 0)
		return 0;
	return host_tell_error(m, AVF_ERROR_UNKNOWN, AVF_STOP_REASON_SHUTDOWN,
			       text);
}

static int tell_end(struct manager *m, const struct payload *payload)
{
	const int status = payload->wait_status;
	const char *name;
	int rc;

	if (WIFSIGNALED(status) && m->shutting_down)
		return 0; /* by our own hand */
	if (WIFSIGNALED(status)) {
		name = sigabbrev_np(WTERMSIG(status));
		return fail(AVF_ERR_CLOSED,
			    "Payload exited due to signal: %d (SIG%s)",
			    WTERMSIG(status), name ? name : "?");
	}
	rc = send_load_error(m, payload);
	if (rc < 0)
		return rc;
	return vm_service_payload_finished(m->service, WEXITSTATUS(status));
}

int payload_run(struct manager *m)
{
	struct payload payload = {.pid = -1, .status_fd = -1, .signal_fd = -1};
	int rc;

	rc = service_open(&payload.service, m);
	if (rc < 0)
		return rc;
	rc = watch_children(&payload);
	if (rc < 0)
		return rc;
	rc = vm_service_payload_started(m->service);
	if (rc < 0)
		return rc;
	rc = spawn_payload(m, &payload);
	if (rc < 0)
		return rc;
	rc = wait_payload(m, &payload);
	if (rc < 0)
		return rc;
	return tell_end(m, &payload);
}
