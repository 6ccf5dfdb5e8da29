/*
 * The host end of guest output: a pipe, socket, terminal or file that is
 * written to without ever waiting for its reader, and without O_NONBLOCK,
 * which would change the open file description that the caller shares.
 *
 * A sink keeps nothing: what it does not take stays with its owner, who is
 * called when there is room again. Once the reader is gone or the file is
 * full, everything is taken and thrown away: output is not worth a VM.
 *
 * The process ignores SIGPIPE. Nobody else writes to the same pipe, or it
 * may be full again between our look and our write.
 *
 * Thread rule: with the machine's lock held. @ready runs on the loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/loop.h"

/* Most bytes that one sink_write() takes, so that the loop gets around. */
#define SINK_MAX_WRITE (64U << 10)

enum sink_kind {
	SINK_DISCARD,
	SINK_FILE,   /* always writable */
	SINK_PIPE,   /* PIPE_BUF bytes fit when poll() says so */
	SINK_TTY,    /* one byte fits when poll() says so */
	SINK_SOCKET, /* has a flag for every write */
};

struct sink {
	enum sink_kind kind;
	int fd;                        /* owned, -1 when it discards */
	struct loop *loop;             /* borrowed */
	struct loop_source source;     /* added while we wait for room */
	void (*ready)(void *userdata); /* NULL: nobody wants to know */
	void *userdata;                /* borrowed */
	uint64_t discarded;            /* bytes */
};

/** Write to @fd (takes it, -1: discards everything). @loop is borrowed. */
void sink_init(struct sink *sink, int fd, struct loop *loop);

/** Call @ready when a sink that took too little has room again. */
void sink_on_ready(struct sink *sink, void (*ready)(void *userdata),
		   void *userdata);

/** Close it. @ready is not called any more. */
void sink_fini(struct sink *sink);

/**
 * Write up to @size bytes. Returns how many were taken (written, or thrown
 * away for good), SINK_MAX_WRITE at most. When it is less than both, the
 * sink is full and @ready will be called.
 */
size_t sink_write(struct sink *sink, const void *data, size_t size);
