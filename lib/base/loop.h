/*
 * A level-triggered event loop over epoll. One thread runs it; sources are
 * added and removed on that thread, or before it runs, or with the loop's
 * lock held. A source that is removed is never called again, also when its
 * event was already fetched, so its owner may free it at once.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct loop_source;

/** @events: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR as seen. */
typedef void loop_ready_fn(struct loop_source *source, uint32_t events);

/* Embedded in its owner, who keeps it alive while it is added. */
struct loop_source {
	loop_ready_fn *ready;
	int fd;          /* borrowed; -1 while not added */
	uint32_t events; /* what is asked for now */
};

#define LOOP_BATCH 32

struct loop {
	int epoll_fd;
	int wake_fd; /* eventfd: written by loop_quit() */
	/* Held around every call of a source; NULL: none. Borrowed. */
	pthread_mutex_t *lock;
	bool quit;          /* atomic access only */
	uint64_t n_removed; /* written with the lock held; read without it */
	unsigned int n_pending;
	struct loop_source *pending[LOOP_BATCH]; /* NULL: removed */
};

int loop_init(struct loop *loop) MUST_CHECK;
void loop_fini(struct loop *loop);

/** Watch @fd for @events (0 is allowed: hang-up and error only). */
int loop_add(struct loop *loop, struct loop_source *source, int fd,
	     uint32_t events, loop_ready_fn *ready) MUST_CHECK;

/** Change what an added source is watched for. No-op when it is the same. */
void loop_modify(struct loop *loop, struct loop_source *source,
		 uint32_t events);

/** Stop watching. No-op on a source that is not added. Before close(). */
void loop_remove(struct loop *loop, struct loop_source *source);

/** Dispatch until loop_quit(). */
int loop_run(struct loop *loop) MUST_CHECK;

/** Dispatch one batch, waiting @timeout_ms at most (-1: for ever). */
int loop_run_once(struct loop *loop, int timeout_ms) MUST_CHECK;

/** Make loop_run() return. Any thread. */
void loop_quit(struct loop *loop);
