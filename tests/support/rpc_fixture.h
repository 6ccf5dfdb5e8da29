/*
 * A server and its clients in one process, for programs that test RpcBinder.
 * Each test runs over several transports; after each the tables of both sides
 * must be empty and the sessions gone.
 */
#pragma once

#include <stdio.h>

#include <android/binder_rpc_unstable.h>

#include "rpc/rpc_server.h"
#include "support/rpc_service.h"

#define RPC_MAX_SESSIONS 5

enum rpc_test_transport {
	RPC_UNIX,
	RPC_BOOTSTRAP,
	RPC_PRECONNECTED,
	RPC_BOUND, /* a socket that was bound already */
	RPC_INET,
	RPC_TLS, /* over a Unix socket */
	RPC_TLS_INET,
	RPC_N_TRANSPORTS,
};

struct rpc_options {
	enum rpc_test_transport transport;
	uint32_t client_version, server_version;
	size_t n_sessions; /* 0: one */
	size_t threads;    /* of the server; 0: one */
	size_t incoming;   /* threads of each client */
	size_t outgoing;   /* connections of each client; 0: the default */
	bool fds;          /* the client asks for descriptors */
	bool no_fds_server, only_fds_server;
	uint32_t max_frame;                    /* 0: the default */
	void (*configure)(ARpcServer *server); /* NULL: nothing more */
};

struct rpc_fixture {
	char path[128];
	int bootstrap; /* the client's end */
	ARpcServer *server;
	AIBinder *root; /* the server's */
	size_t n_sessions;
	ARpcSession *sessions[RPC_MAX_SESSIONS];
	AIBinder *roots[RPC_MAX_SESSIONS]; /* the clients' */
	bool expect_dead; /* the sessions have ended by themselves */
	bool unread;      /* objects were sent that nobody has read */
	bool bad;
	unsigned int fds; /* open before the test */
};

/** Something that must hold; says where it does not. */
#define CHECK(f, condition)                                                \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#condition);                               \
			(f)->bad = true;                                   \
		}                                                          \
	} while (0)

/** Start the server, connect the clients, name the interface. */
void rpc_fixture_start(struct rpc_fixture *f,
		       const struct rpc_options *options);
/** Drop everything and look for what is left. */
void rpc_fixture_stop(struct rpc_fixture *f);

/** Only the server, and one client's connection to it. */
void rpc_fixture_start_server(struct rpc_fixture *f,
			      const struct rpc_options *options);
AIBinder *rpc_fixture_connect(struct rpc_fixture *f,
			      const struct rpc_options *options,
			      ARpcSession *session);

/** Wait until @holds(@f), for ten seconds at most. */
bool rpc_wait(struct rpc_fixture *f, bool (*holds)(struct rpc_fixture *f));

/** Objects in the server's tables, all sessions together. */
size_t rpc_server_objects(struct rpc_fixture *f);

/* A test, and on what it runs. */
struct rpc_test {
	const char *name;
	void (*run)(struct rpc_fixture *f);
	struct rpc_options options;
	bool all_transports; /* else over Unix sockets, version 1 */
	bool bare;           /* it starts what it needs itself */
};

/** Run all, or those whose name has argv[1] in it. Prints their results;
 * returns main()'s. */
int rpc_run_tests(const struct rpc_test *tests, size_t count, int argc,
		  char **argv);
