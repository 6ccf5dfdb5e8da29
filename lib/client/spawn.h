/*
 * A program as a child process that gets one descriptor and nothing else of
 * ours: no other fd, no signal's setting, where wanted not even the view of
 * other processes. No SIGCHLD, no threads.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct spawn_params {
	char *const *argv; /* argv[0]: a path */
	int fd;            /* borrowed */
	int number;        /* what it is in the child: 1 or more */
	bool keep_stderr;  /* else /dev/null, as the other standard fds */
	/* Where the host allows: the first process of a PID namespace of its
	 * own, in a user namespace without users, with the capabilities there
	 * that a jail is built with. Else started all the same. */
	bool own_namespaces;
};

struct spawn_child {
	pid_t pid;
	int pidfd; /* owned */
};

/**
 * Start it, as the leader of a process group. Returns when the program runs.
 * Errors: those of execve(), AVF_ERR_NO_MEMORY, AVF_ERR_LIMIT, AVF_ERR_IO.
 */
int spawn_process(const struct spawn_params *params,
		  struct spawn_child *ret_child) MUST_CHECK;
