/*
 * A server: a thread that accepts, a thread for each connection, the list of
 * sessions. References: its handle, and each of its threads.
 */
#pragma once

#include <android/binder_rpc_unstable.h>

#include "rpc/rpc_session.h"
#include "rpc/rpc_socket.h"

/* The limits of what has not yet said who it is. */
#define RPC_HANDSHAKE_MS_DEFAULT 10000U
#define RPC_MAX_PENDING_DEFAULT  64U

/* A thread of the server. */
struct rpc_worker {
	struct rpc_worker *next;   /* by the server's lock */
	struct ARpcServer *server; /* owned */
	pthread_t thread;          /* where @running */
	bool running;
	bool pending; /* the peer has not said who it is */
	int fd;       /* of its connection, shut down by who stops the server;
		       * -1: the connection is a session's, or closed */
	struct rpc_address peer;
};

struct ARpcServer {
	uint32_t refs; /* atomic */

	/* immutable once it has started */
	int fd; /* owned: listens, or passes descriptors */
	bool bootstrap;
	AIBinder *root; /* owned; NULL: none, or @factory makes them */
	struct rpc_settings settings;
	struct rpc_transport transport;
	bool allow_fd_none, allow_fd_unix;
	uint32_t handshake_ms; /* 0: for ever */
	size_t max_pending;
	unsigned int only_cid;                /* VMADDR_CID_ANY: any */
	AvfRpcServer_connectionFilter filter; /* NULL: none */
	void *filter_cookie;
	AvfRpcServer_rootFactory factory; /* NULL: none */
	void *factory_cookie;
	int stop_fd; /* owned: an eventfd that ends the accepting */

	pthread_mutex_t lock;
	pthread_cond_t changed; /* a thread has ended */
	/* guarded by @lock */
	bool started, stopping;
	bool accepting;             /* a thread is in rpc_server_accept() */
	struct rpc_worker *workers; /* borrowed from the threads */
	size_t n_workers, n_pending;
	size_t n_stoppers;            /* workers that wait for the others */
	struct rpc_session *sessions; /* a reference to each */
	size_t n_sessions;
};

void rpc_server_ref(ARpcServer *server);
void rpc_server_unref(ARpcServer *server);

/** Accept until the server stops, or cannot any more. */
void rpc_server_accept(ARpcServer *server);

/** A connection has come: serve it on this thread. Frees @worker. */
void rpc_server_run_worker(struct rpc_worker *worker);

/** Find a session by its id. Returns a reference, or NULL. */
struct rpc_session *rpc_server_find_session(ARpcServer *server,
					    const uint8_t *id);
/** Add a session under a new id. False: the server stops. */
bool rpc_server_add_session(ARpcServer *server, struct rpc_session *session);

/** The peer has said who it is, or never will: the worker's fd is no longer
 * the server's to shut down. */
void rpc_server_worker_known(struct rpc_worker *worker);
