/* Moving bytes from one fd to another inside of a poll loop. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

/* Not more than PIPE_BUF: a pipe that polls writable takes it all. */
#define PUMP_SIZE 4096

/* Fds are borrowed. in < 0: nothing (more) to read; out < 0: thrown away. */
struct pump {
	int in;
	int out;
	bool ended; /* the end of @in was seen */
	size_t start;
	size_t end;
	char buf[PUMP_SIZE];
};

void pump_init(struct pump *pump, int in, int out);

/** What to wait for now: fills *@ret_poll, its fd -1 for nothing. */
void pump_prepare(const struct pump *pump, struct pollfd *ret_poll);

/** Move what can be moved after poll() filled @revents. A side that fails
 * is dropped. */
void pump_run(struct pump *pump, short revents);

/** Read once what is there, without waiting. */
void pump_fill(struct pump *pump);

/** Write once what was read, to where it goes. */
void pump_flush(struct pump *pump);

/** Whether bytes wait to be written. */
bool pump_is_full(const struct pump *pump);
