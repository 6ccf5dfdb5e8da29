/*
 * One stream socket of a session. Whoever owns it (rpc_pool.h) reads and
 * writes; any thread may end it with rpc_conn_shutdown(), which wakes the
 * owner.
 *
 * Errors: STATUS_DEAD_OBJECT (the peer or we have closed it),
 * STATUS_TIMED_OUT (the deadline has passed, or the connection never waits and
 * would have to), STATUS_NO_MEMORY (the kernel has
 * none for what is sent, for half a minute), STATUS_PERMISSION_DENIED (the
 * peer does not accept our certificate). After one the connection is of
 * no use: messages have no numbers, so nobody knows where it stands.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <android/binder_status.h>

#include "rpc/rpc_transport.h"
#include "rpc/rpc_wire.h"

#define RPC_CONN_BUFFER 2048U

struct rpc_conn {
	int fd;           /* owned */
	bool carries_fds; /* descriptors may come with a header */
	bool never_waits; /* a loop owns it: what has not come is an error */
	const struct rpc_transport_ops *ops; /* of @layer */
	void *layer;          /* owned, as @fd; NULL: the bare socket */
	uint64_t deadline_ns; /* of the owner's reads and writes; 0: none */

	/* guarded by the pool's lock */
	struct rpc_conn *next;
	pthread_t owner; /* where @owned */
	bool owned;
	unsigned int users; /* uses of the owner, within each other */
	bool owner_waits;   /* the owner waits for another one */

	/* the owner's */
	bool allow_nested; /* the peer reads while this thread's handler runs */
	bool writing;      /* in the middle of a message: nothing else */
	unsigned int depth; /* handlers of this connection on the stack */

	/* the owner's: read ahead, unless descriptors may come, which belong
	 * to the bytes that they came with */
	size_t start, end;
	uint8_t buffer[RPC_CONN_BUFFER];
};

/** Takes @fd, also on failure (NULL: no memory). */
struct rpc_conn *rpc_conn_new(int fd, bool carries_fds);
void rpc_conn_free(struct rpc_conn *conn);

/**
 * Have bytes go through @transport from now on, when it is one. Before any
 * byte. Errors: STATUS_NO_MEMORY, STATUS_PERMISSION_DENIED (one side does not
 * accept the other), STATUS_DEAD_OBJECT, STATUS_TIMED_OUT.
 */
binder_status_t rpc_conn_secure(struct rpc_conn *conn,
				const struct rpc_transport *transport,
				bool is_server);

/** End it for both sides. Any thread. */
void rpc_conn_shutdown(struct rpc_conn *conn);

/** Let reads and writes take @timeout_ms from now on; 0: for ever. Returns the
 * deadline before, to be set again. */
uint64_t rpc_conn_set_timeout(struct rpc_conn *conn, uint32_t timeout_ms);

/** Whether the deadline has not passed. Reading and writing look at it when
 * they would wait; who reads message after message asks in between, since a
 * peer that always has one keeps nobody waiting. */
bool rpc_conn_in_time(const struct rpc_conn *conn);

/** Read @size bytes. *@ret_eof (or NULL) tells whether the peer has closed it
 * before the first of them. */
binder_status_t rpc_conn_read(struct rpc_conn *conn, void *bytes, size_t size,
			      bool *ret_eof);

/** Read the word of the peer who will call on @conn. Also STATUS_BAD_VALUE: it
 * is another. */
binder_status_t rpc_conn_read_init(struct rpc_conn *conn);

/** Descriptors that came along; freed with rpc_fds_fini(). */
struct rpc_fds {
	int *fds; /* owned, with the descriptors; NULL: none */
	size_t count;
};
void rpc_fds_fini(struct rpc_fds *fds);

/* Space for the descriptors of one message, aligned. */
union rpc_control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int) * RPC_MAX_FDS)];
};

/** As rpc_conn_read(), with the descriptors that came with these bytes. */
binder_status_t rpc_conn_read_with_fds(struct rpc_conn *conn, void *bytes,
				       size_t size, struct rpc_fds *ret_fds,
				       bool *ret_eof);

/** Receive once, into the buffer and without waiting. Not for a connection
 * that carries descriptors or has a layer. *@ret_eof: the peer has closed it.
 */
binder_status_t rpc_conn_fill(struct rpc_conn *conn, bool *ret_eof);

/** Wait until bytes can be read (*@ret_readable) or written. */
binder_status_t rpc_conn_wait(struct rpc_conn *conn, bool *ret_readable);

/** Whether rpc_conn_read() would not wait for its first byte. The owner's. */
bool rpc_conn_readable(struct rpc_conn *conn);

/** Whether something has come, be it only of the layer. Touches nothing: also
 * for a connection that has no owner. */
bool rpc_conn_has_input(const struct rpc_conn *conn);

/** Wait for @events of the socket, until the deadline. */
binder_status_t rpc_conn_poll(struct rpc_conn *conn, short events,
			      short *ret_events);

/* What rpc_conn_write() writes: the descriptors go with the first byte. */
struct rpc_output {
	struct iovec parts[6]; /* changed */
	size_t n_parts;
	const int *fds;
	size_t n_fds;
	bool at_once; /* STATUS_WOULD_BLOCK rather than wait for the start */
};

/**
 * Write everything. When the peer does not read, @drain (if not NULL) is
 * called to read what it wrote meanwhile: two sides that only write would wait
 * for each other.
 */
binder_status_t rpc_conn_write(struct rpc_conn *conn, struct rpc_output *output,
			       binder_status_t (*drain)(struct rpc_conn *conn,
							void *userdata),
			       void *userdata);

/** The same of one part, without descriptors and without a drain. */
binder_status_t rpc_conn_write_bytes(struct rpc_conn *conn, void *bytes,
				     size_t size);
