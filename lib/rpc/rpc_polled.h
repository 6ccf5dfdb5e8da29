/*
 * A connection that a loop serves: no thread waits for it, and no byte of the
 * peer makes anybody wait. What has come lies in the connection's buffer; a
 * message is served when it is there as a whole, so the buffer's size is the
 * largest message. What the peer does not read at once ends the session.
 *
 * For programs that have one loop: the VMM, and the manager in the guest. The
 * loop's thread is the only one that touches the session.
 */
#pragma once

#include "rpc/rpc_session.h"

/** The largest message, with its header. */
#define RPC_POLLED_MAX RPC_CONN_BUFFER

enum rpc_polled_state {
	RPC_POLLED_HELLO,  /* the client says what the connection is for, */
	RPC_POLLED_ID,     /* and of which session it is */
	RPC_POLLED_INIT,   /* the peer says that it will call */
	RPC_POLLED_SERVES, /* it calls */
	RPC_POLLED_GIVEN,  /* it is the session's, for our own calls */
	RPC_POLLED_ENDED,  /* nothing more comes */
};

struct rpc_polled {
	struct rpc_session *session; /* a reference; NULL: not in use */
	struct rpc_conn *conn;       /* owned; NULL: the session's */
	enum rpc_polled_state state;
	bool joins;            /* it must belong to a session that exists */
	binder_status_t error; /* what the peer has done wrong */
};

/** A server's session without a connection, with a root of which it keeps a
 * reference. It takes calls of methods, and no oneway call before its turn.
 * NULL: no memory, or no random numbers for its id. */
struct rpc_session *rpc_polled_session(AIBinder *root);

/** A client has connected: with @joins to be called on, else to begin the
 * session. Takes @fd. Errors: STATUS_NO_MEMORY. */
binder_status_t rpc_polled_accept(struct rpc_polled *polled,
				  struct rpc_session *session, bool joins,
				  int fd);

/** Let the server of @root call this client on @fd, a new connection to it.
 * Takes @fd. Errors: those of writing, STATUS_NO_MEMORY. */
binder_status_t rpc_polled_join(struct rpc_polled *polled, AIBinder *root,
				int fd);

/**
 * Wait until the server that rpc_polled_join() asked has taken the connection:
 * before that it has nothing to call on, and a call that the client invites on
 * another connection would find none. Errors: STATUS_TIMED_OUT after
 * @timeout_ms without a word, STATUS_DEAD_OBJECT, what the server does wrong.
 */
binder_status_t rpc_polled_wait(struct rpc_polled *polled, int timeout_ms);

/**
 * Take what has come, when @fd is readable, and serve it. After
 * RPC_POLLED_GIVEN the descriptor is no longer the caller's to watch; after
 * RPC_POLLED_ENDED the caller stops watching it and calls rpc_polled_fini().
 */
enum rpc_polled_state rpc_polled_ready(struct rpc_polled *polled);

/** End the connection, and a session that was served on it. A no-op on one
 * that is zero or was given. */
void rpc_polled_fini(struct rpc_polled *polled);
