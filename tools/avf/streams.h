/* The byte streams of a running VM: console, log, one vsock connection. */
#pragma once

#include <poll.h>
#include <stdbool.h>

#include <avf/avf.h>

#include "pump.h"
#include "run_options.h"

enum stream {
	STREAM_CONSOLE = 0,    /* guest's console to --console and a client */
	STREAM_CONSOLE_IN = 1, /* --console-in to the guest's console */
	STREAM_CLIENT = 2,     /* `avf console` to the guest's console */
	STREAM_LOG = 3,
	STREAM_TO_PORT = 4, /* --connect */
	STREAM_FROM_PORT = 5,
	STREAM_COUNT = 6,
};

/* All fds are owned, -1 is none; the pumps borrow them. */
struct streams {
	struct pump pumps[STREAM_COUNT];
	int console_in_file;
	int console_file;
	int console_pipe; /* what the guest writes */
	int console_keys; /* what the guest reads */
	int log_file;
	int log_pipe;
	int port; /* connected to the guest; --connect */
	int dir;  /* of the console's socket */
	int listener;
	int client;
	const char *name; /* of the console's socket; borrowed */
};

void streams_init(struct streams *streams);
void streams_fini(struct streams *streams);

/**
 * Open the files of @options and give the guest's ends to @config.
 * Returns 0 or an exit code.
 */
int streams_open(struct streams *streams, const struct run_options *options,
		 avf_config *config);

/** Let `avf console NAME` in. Failing is said, and is no failure. */
void streams_listen(struct streams *streams, const avf_config *config);

/** Relay between @fd, which it takes, and standard input and output. */
void streams_connect(struct streams *streams, int fd);

/** Slots of @polls that streams_prepare() fills. */
#define STREAMS_POLLS (STREAM_COUNT + 1)

void streams_prepare(struct streams *streams, struct pollfd *polls);
void streams_run(struct streams *streams, const struct pollfd *polls);

/** Move what the guest had written before it ended. */
void streams_drain(struct streams *streams);
