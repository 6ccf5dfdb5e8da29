/*
 * A server and its clients, for programs that test RpcBinder: in one process,
 * or with the server in a VM. Each test runs over several transports; after
 * each the tables of both sides must be empty and the sessions gone.
 */
#pragma once

#include <stdio.h>

#include <android/binder_rpc_unstable.h>

#include "rpc/rpc_server.h"
#include "support/rpc_served.h"

#define RPC_MAX_SESSIONS 5

enum rpc_test_transport {
	RPC_UNIX,
	RPC_BOOTSTRAP,
	RPC_PRECONNECTED,
	RPC_BOUND, /* a socket that was bound already */
	RPC_INET,
	RPC_TLS, /* over a Unix socket */
	RPC_TLS_INET,
	RPC_N_HERE,
	RPC_VSOCK = RPC_N_HERE, /* into a VM */
	RPC_N_TRANSPORTS,
};

struct rpc_options {
	enum rpc_test_transport transport;
	uint32_t client_version;
	struct rpc_server_options server;
	size_t n_sessions; /* 0: one */
	size_t incoming;   /* threads of each client */
	size_t outgoing;   /* connections of each client; 0: the default */
	bool fds;          /* the client asks for descriptors */
};

struct rpc_fixture {
	enum rpc_test_transport transport;
	char path[128];
	int bootstrap;            /* the client's end */
	struct rpc_served served; /* unless it is in the VM */
	int control;              /* of the server in the VM; else -1 */
	uint32_t port;            /* where it listens */
	uint32_t highest_version; /* that it takes */
	size_t n_sessions;
	ARpcSession *sessions[RPC_MAX_SESSIONS];
	AIBinder *roots[RPC_MAX_SESSIONS]; /* the clients' */
	bool expect_dead; /* the sessions have ended by themselves */
	bool unread;      /* objects were sent that nobody has read */
	bool bad;
	unsigned int fds;     /* open before the test */
	unsigned int threads; /* that a test waits for */
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

/** Look into the server, or let its root do something. */
int64_t rpc_ask(struct rpc_fixture *f, enum rpc_question question,
		int64_t argument);

/* A test, and on what it runs. */
struct rpc_test {
	const char *name;
	void (*run)(struct rpc_fixture *f);
	struct rpc_options options;
	bool all_transports;   /* else over Unix sockets, version 1 */
	bool bare;             /* it starts what it needs itself, over what
				* f->transport says */
	const char *not_in_vm; /* why it cannot run there; NULL: it can */
};

/* Over all transports; over one; one that starts what it needs. */
#define RPC_ALL(function, ...)                                                \
	{                                                                     \
		.name = #function, .run = function, .options = {__VA_ARGS__}, \
		.all_transports = true                                        \
	}
#define RPC_ONE(function, ...)                                                 \
	{                                                                      \
		.name = #function, .run = function, .options = { __VA_ARGS__ } \
	}
#define RPC_BARE(function)                                       \
	{                                                        \
		.name = #function, .run = function, .bare = true \
	}
/* Not with the server in a VM, for this reason. */
#define RPC_HERE(function, reason, ...)                                       \
	{                                                                     \
		.name = #function, .run = function, .options = {__VA_ARGS__}, \
		.not_in_vm = reason                                           \
	}
#define RPC_HERE_BARE(function, reason)                           \
	{                                                         \
		.name = #function, .run = function, .bare = true, \
		.not_in_vm = reason                               \
	}

/** Run all, or those whose name has argv[1] in it. After "--vm" the server is
 * in a VM. Prints their results; returns main()'s. */
int rpc_run_tests(const struct rpc_test *tests, size_t count, int argc,
		  char **argv);
