/*
 * Running a tool of the system: no shell, its output collected up to a size,
 * and its own words in the error when it fails.
 */
#include "image/tool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"

#define COMPLAINT_SIZE 2048 /* the last words of a tool, NUL included */
#define CHUNK_SIZE     4096

extern char **environ;

/* One pipe of the child. */
struct stream {
	int fd; /* owned; -1: at its end */
	char *buf;
	size_t size; /* of @buf, NUL included; 0: not wanted */
	size_t used;
	bool keep_end; /* else the beginning */
};

/*
 * Beginning or end, by what the stream is for: output is read from its start,
 * of complaints the last words matter.
 */
static void keep(struct stream *stream, const char *data, size_t n)
{
	size_t room;

	if (stream->size == 0)
		return;
	room = stream->size - 1 - stream->used;
	if (n > room && stream->keep_end) {
		/* n is at most CHUNK_SIZE; only its end can matter */
		if (n >= stream->size - 1) {
			data += n - (stream->size - 1);
			n = stream->size - 1;
		}
		if (n > room) {
			memmove(stream->buf, stream->buf + (n - room),
				stream->used - (n - room));
			stream->used -= n - room;
		}
		room = n;
	}
	n = MIN(n, room);
	memcpy(stream->buf + stream->used, data, n);
	stream->used += n;
	stream->buf[stream->used] = '\0';
}

/* Reads one piece; at its end the stream is closed. */
static int drain(struct stream *stream)
{
	char chunk[CHUNK_SIZE];
	ssize_t n = read(stream->fd, chunk, sizeof(chunk));

	if (n < 0 && errno == EINTR)
		return 0;
	if (n < 0)
		return fail_errno("read a tool's output");
	if (n == 0)
		close_p(&stream->fd);
	else
		keep(stream, chunk, (size_t)n);
	return 0;
}

/*
 * Both at once: a tool that fills one pipe while we wait at the other would
 * never end.
 */
static int drain_all(struct stream streams[2])
{
	struct pollfd fds[2];
	int rc;

	while (streams[0].fd >= 0 || streams[1].fd >= 0) {
		for (int i = 0; i < 2; i++)
			fds[i] = (struct pollfd){streams[i].fd, POLLIN, 0};
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return fail_errno("poll");
		for (int i = 0; i < 2; i++) {
			rc = fds[i].revents ? drain(&streams[i]) : 0;
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int add_actions(posix_spawn_file_actions_t *actions, const char *cwd,
		       int out, int err)
{
	if (posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null",
					     O_RDONLY, 0) != 0 ||
	    posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO) !=
		    0 ||
	    posix_spawn_file_actions_adddup2(actions, err, STDERR_FILENO) != 0)
		return -1;
	if (cwd && posix_spawn_file_actions_addchdir_np(actions, cwd) != 0)
		return -1;
	return 0;
}

/* Input is empty: no tool asks the user anything. */
static int spawn(const char *const argv[], const char *cwd, int out, int err,
		 pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	char *const *args;
	int rc;

	/* posix_spawn() does not write to them; its type is historical */
	memcpy(&args, &argv, sizeof(args));
	if (posix_spawn_file_actions_init(&actions) != 0)
		return fail(AVF_ERR_NO_MEMORY, "run %s", argv[0]);
	rc = add_actions(&actions, cwd, out, err);
	if (rc == 0)
		rc = posix_spawnp(ret_pid, argv[0], &actions, NULL, args,
				  environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (rc < 0)
		return fail(AVF_ERR_NO_MEMORY, "run %s", argv[0]);
	if (rc == ENOENT)
		return fail(AVF_ERR_NOT_FOUND, "%s is not installed", argv[0]);
	if (rc > 0) {
		errno = rc;
		return fail_errno("run %s", argv[0]);
	}
	return 0;
}

/* The last line of @complaint, which is what tools put the reason in. */
static const char *last_line(char *complaint)
{
	size_t n = strlen(complaint);
	const char *start;

	while (n > 0 && complaint[n - 1] == '\n')
		complaint[--n] = '\0';
	start = strrchr(complaint, '\n');
	return start ? start + 1 : complaint;
}

/* Reaps the tool. */
static int judge(const char *name, pid_t pid, char *complaint)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return fail_errno("wait for %s", name);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return fail(AVF_ERR_IO, "%s was killed by signal %d", name,
			    WTERMSIG(status));
	if (strstr(complaint, strerror(ENOSPC)))
		return fail(AVF_ERR_NO_SPACE, "%s: %s", name, strerror(ENOSPC));
	return fail(AVF_ERR_IO, "%s failed with %d: %s", name,
		    WEXITSTATUS(status), last_line(complaint));
}

static int make_pipe(int *ret_read, int *ret_write)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail_errno("make a pipe");
	*ret_read = fds[0];
	*ret_write = fds[1];
	return 0;
}

/* Start the tool with its outputs going to @streams. */
static int start(const char *const argv[], const char *cwd,
		 struct stream streams[2], pid_t *ret_pid)
{
	CLEANUP(close_p) int out = -1;
	CLEANUP(close_p) int err = -1;
	int rc;

	rc = make_pipe(&streams[0].fd, &out);
	if (rc < 0)
		return rc;
	rc = make_pipe(&streams[1].fd, &err);
	if (rc < 0)
		return rc;
	return spawn(argv, cwd, out, err, ret_pid);
}

int tool_run(const char *const argv[], const char *cwd, char *output,
	     size_t size)
{
	char complaint[COMPLAINT_SIZE] = "";
	struct stream streams[2] = {
		{-1, output, size, 0, false},
		{-1, complaint, sizeof(complaint), 0, true},
	};
	int drained = 0;
	pid_t pid;
	int rc;

	if (size > 0)
		output[0] = '\0';
	rc = start(argv, cwd, streams, &pid);
	if (rc == 0)
		drained = drain_all(streams);
	/* closed before waiting: a tool that still writes then stops */
	close_p(&streams[0].fd);
	close_p(&streams[1].fd);
	if (rc == 0)
		rc = judge(argv[0], pid, complaint);
	return rc < 0 ? rc : drained;
}
