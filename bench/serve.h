/*
 * The server that vsock and a Unix socketpair are measured with: the same
 * code in the guest's payload and on the host.
 *
 * A client sends an order and gets what it asks for, on one connection, as
 * often as it likes. Both sides run on the same kind of machine.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SERVE_PORT      5000U
#define SERVE_MAX_CHUNK (1U << 20)

enum serve_what {
	SERVE_ECHO = 1,   /* send each chunk back */
	SERVE_SINK = 2,   /* read all, then send one byte */
	SERVE_SOURCE = 3, /* send all */
};

struct serve_order {
	uint32_t what;
	uint32_t chunk; /* bytes per read or write */
	uint64_t total; /* bytes */
};

/** Returns 0, or -1 at the end of the stream or on an error. */
int read_full(int fd, void *data, size_t size);
int write_full(int fd, const void *data, size_t size);

/** Serve until the client closes. */
void serve(int fd);
