/*
 * The server's side of what tests/support/rpc_fixture.h tests: in the process
 * of the test, or in a payload (tests/payloads/binder_rpc.c), where a test can
 * look into it through questions alone.
 */
#pragma once

#include <stdatomic.h>

#include <android/binder_rpc_unstable.h>

#include "support/rpc_service.h"

/* What a server is told before it starts; as it is, through a socket. */
struct rpc_server_options {
	uint32_t version;
	uint32_t threads;   /* 0: one */
	uint32_t max_frame; /* 0: the default */
	bool no_fds, only_fds;
	bool no_root;
	bool root_per_session;
	bool refuse_all; /* connections */
	bool tls;        /* with a certificate that it makes */
	bool has_limits; /* of handshakes: */
	uint32_t handshake_ms, max_pending;
};

struct rpc_served {
	ARpcServer *server;
	AIBinder *root;
	/* with root_per_session, and with refuse_all */
	atomic_int n_roots, n_refused;
};

/* What a test asks, and what the answer is. */
enum rpc_question {
	RPC_SESSIONS,        /* how many there are */
	RPC_OBJECTS,         /* in the tables of all sessions */
	RPC_VERSION,         /* of the newest session; -1: there is none */
	RPC_CONNECTIONS,     /* of the newest session, for calls */
	RPC_ACCEPTS_VERSION, /* whether the server takes @argument for one */
	RPC_ROOTS,           /* made for sessions */
	RPC_REFUSED,         /* connections */
	RPC_HOLDS,           /* whether the root holds an object */
	RPC_DROP_HELD,       /* let go of it; from no call */
	RPC_WAITING,         /* calls at the root's gate */
	RPC_OPEN_GATE,
	RPC_WAIT_QUEUED, /* whether @argument numbers come within a minute */
	RPC_QUEUED,      /* the number at place @argument */
	RPC_IN_ORDER, /* whether the first @argument numbers are 0, 1, 2 ... */
	RPC_SHUTDOWN, /* whether the server was running */
};

/* What only a payload with TLS is asked. The answer to the first is the size of
 * the server's certificate as DER, which follows it. The other one's @argument
 * is the size of the one that the server is to trust: it is sent when the
 * answer is 0, and answered by what came of it. */
#define RPC_CERTIFICATE 1001U
#define RPC_TRUST       1002U

/** Apply the options to a server that was made, and start it. False: it does
 * not know the version. */
bool rpc_served_start(struct rpc_served *served,
		      const struct rpc_server_options *options);

int64_t rpc_served_answer(struct rpc_served *served, enum rpc_question question,
			  int64_t argument);

/** Shut it down, if it is not, and free it. False: somebody keeps the root. */
bool rpc_served_stop(struct rpc_served *served);

/* ---- from elsewhere
 * ---------------------------------------------------------------------- */

/* A payload of the tests listens here for the tests' questions. */
#define RPC_CONTROL_PORT 7000U

/* A connection there is a server. Its first bytes say which, and are answered
 * by one int64_t when it listens, 0, or by -1. */
struct rpc_server_order {
	uint32_t port; /* of vsock */
	struct rpc_server_options options;
};

/* Then each of these is answered by an int64_t. The end of the connection
 * ends the server. */
struct rpc_server_query {
	uint32_t question, zero;
	int64_t argument;
};

/* Asks for the server's end, before that of the connection; answered by
 * whether nobody keeps the root. */
#define RPC_STOP 1000U
