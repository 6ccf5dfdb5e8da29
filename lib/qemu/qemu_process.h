/*
 * The process of QEMU: started, watched, and its last words kept.
 *
 * It gets the fds that it is given and no others, dies with the thread that
 * started it, and has no controlling rights over us. What it prints to
 * stderr goes to the log, and its last line explains why it ended.
 *
 * Thread rule: one thread, that of the loop, which also starts it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"

/** For program_find(). */
#define QEMU_DIRS "/usr/local/bin:/usr/bin:/bin"

/* Longest line of stderr that is kept, NUL included; the rest is cut. */
#define QEMU_LINE_SIZE 200U

struct qemu_process {
	pid_t pid;         /* 0: not running, or reaped */
	int pidfd;         /* owned */
	int status;        /* of waitpid(), once exited was called */
	struct loop *loop; /* borrowed */
	struct loop_source exit_source;
	/** In the child, before exec; async-signal-safe; NULL: none. */
	void (*confine)(void);
	/** It has ended and is reaped. */
	void (*exited)(void *userdata);
	void *userdata;        /* borrowed */
	const struct log *log; /* borrowed, may be NULL */
	struct log_budget budget;
	int stderr_fd; /* owned */
	struct loop_source stderr_source;
	size_t line_used;
	char line[QEMU_LINE_SIZE];      /* being collected */
	char last_line[QEMU_LINE_SIZE]; /* "" when there was none */
};

/**
 * Start @argv[0], a path, with @fds (numbers >= 3, borrowed) open under the
 * same numbers. loop, exited, userdata and log of @process are set.
 * Errors: AVF_ERR_NOT_FOUND, AVF_ERR_PERMISSION, AVF_ERR_IO, AVF_ERR_LIMIT.
 */
int qemu_process_start(struct qemu_process *process, char *const *argv,
		       const int *fds, unsigned int n_fds) MUST_CHECK;

/** Kill and reap what runs, close. No-op on a zeroed one. */
void qemu_process_fini(struct qemu_process *process);

/** Kill it; exited follows. */
void qemu_process_kill(struct qemu_process *process);
