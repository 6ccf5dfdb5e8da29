/*
 * Events on their way to the application. It may be slow to read: what its
 * socket does not take waits here, in order. Lifecycle events always find
 * room, because a run has a bounded number of them; log lines are dropped
 * when there is none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/wire.h"

#define EVENT_QUEUE_SIZE 64
/* Places that log lines leave free for the events of the lifecycle. */
#define EVENT_QUEUE_RESERVED 32
/* onError events of one run that are passed on; a guest may send more. */
#define EVENT_MAX_ERRORS 8

struct event_queue {
	int sock; /* borrowed */
	/* The socket is full: call event_flush() when it is writable. */
	void (*blocked)(void *userdata);
	void *userdata; /* borrowed */
	unsigned int first, used;
	unsigned int n_errors;
	uint64_t dropped; /* log lines */
	struct wire_event events[EVENT_QUEUE_SIZE];
};

void event_queue_init(struct event_queue *queue, int sock,
		      void (*blocked)(void *userdata), void *userdata);

/** Send an event, or keep it. @text is copied; NULL: "". */
void event_emit(struct event_queue *queue, int type, int code,
		const char *text);

/** Send what waits, as far as the socket takes it. */
void event_flush(struct event_queue *queue);

static inline bool event_queue_is_empty(const struct event_queue *queue)
{
	return queue->used == 0;
}
