#include "support/rpc_fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <android/binder_rpc_tls.h>

#include "support/raw_peer.h"
#include "support/rpc_vm.h"

#define WAIT_ROUNDS 10000 /* of a millisecond */

static const char *const transport_names[RPC_N_TRANSPORTS] = {
	[RPC_UNIX] = "unix",
	[RPC_BOOTSTRAP] = "bootstrap",
	[RPC_PRECONNECTED] = "preconnected",
	[RPC_BOUND] = "bound",
	[RPC_INET] = "inet",
	[RPC_TLS] = "tls",
	[RPC_TLS_INET] = "tls-inet",
	[RPC_VSOCK] = "vsock",
};

bool rpc_wait(struct rpc_fixture *f, bool (*holds)(struct rpc_fixture *f))
{
	const struct timespec ms = {.tv_nsec = 1000000};

	for (int i = 0; i < WAIT_ROUNDS; i++) {
		if (holds(f))
			return true;
		nanosleep(&ms, NULL);
	}
	return false;
}

/* ---- the server in the VM
 * ---------------------------------------------------------------------- */

/* What the payload answers to @size bytes of @data. No answer fails the test,
 * whatever it makes of the result. */
static int64_t tell(struct rpc_fixture *f, const void *data, size_t size)
{
	int64_t answer = -1;
	const bool answered =
		send(f->control, data, size, MSG_NOSIGNAL) == (ssize_t)size &&
		recv(f->control, &answer, sizeof(answer), MSG_WAITALL) ==
			sizeof(answer);

	if (!answered && !f->bad)
		fprintf(stderr, "the VM does not answer\n");
	f->bad = f->bad || !answered;
	return answer;
}

static void start_in_vm(struct rpc_fixture *f,
			const struct rpc_server_options *options)
{
	static uint32_t n_servers; /* each has a port that none had before */
	struct rpc_server_order order = {
		.port = RPC_CONTROL_PORT + 1 + n_servers++,
		.options = *options,
	};

	f->port = order.port;
	f->control = rpc_vm_connect(RPC_CONTROL_PORT);
	if (tell(f, &order, sizeof(order)) != 0)
		abort();
}

static void stop_in_vm(struct rpc_fixture *f)
{
	const struct rpc_server_query stop = {.question = RPC_STOP};

	CHECK(f, tell(f, &stop, sizeof(stop)) == 1);
	close(f->control);
}

static int connect_to_vm(void *param)
{
	const struct rpc_fixture *f = param;

	return rpc_vm_connect(f->port);
}

int64_t rpc_ask(struct rpc_fixture *f, enum rpc_question question,
		int64_t argument)
{
	const struct rpc_server_query query = {.question = question,
					       .argument = argument};

	return f->control < 0
		       ? rpc_served_answer(&f->served, question, argument)
		       : tell(f, &query, sizeof(query));
}

/* ---- TLS
 * ------------------------------------------------------------------------- */

static bool has_tls(const struct rpc_options *options)
{
	return options->transport == RPC_TLS ||
	       options->transport == RPC_TLS_INET;
}

/* What both sides of this process show, and accept: made once, and kept. */
static AvfRpcTls *tls_config(void)
{
	static AvfRpcTls *tls;
	char der[2048];
	size_t size = sizeof(der);

	if (tls)
		return tls;
	tls = AvfRpcTls_new();
	if (!tls || AvfRpcTls_makeSelfSigned(tls, 3600) != STATUS_OK ||
	    AvfRpcTls_getCertificate(tls, AvfRpcTls_Format_Der, der, &size) !=
		    STATUS_OK ||
	    AvfRpcTls_addTrustedPeer(tls, AvfRpcTls_Format_Der, der, size) !=
		    STATUS_OK)
		abort();
	return tls;
}

/* ---- the server
 * ---------------------------------------------------------------- */

/* The port that the server has got. */
static unsigned int inet_port(const ARpcServer *server)
{
	struct sockaddr_in in;
	socklen_t size = sizeof(in);

	if (getsockname(server->fd, (struct sockaddr *)&in, &size) < 0)
		abort();
	return ntohs(in.sin_port);
}

static ARpcServer *new_server(struct rpc_fixture *f)
{
	AIBinder *root = f->served.root;
	struct rpc_address address;
	int fds[2];

	raw_socket_path(f->path, sizeof(f->path));
	switch (f->transport) {
	case RPC_BOOTSTRAP:
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
			abort();
		f->bootstrap = fds[1];
		return ARpcServer_newUnixDomainBootstrap(root, fds[0]);
	case RPC_INET:
	case RPC_TLS_INET:
		return ARpcServer_newInet(root, "127.0.0.1", 0);
	case RPC_BOUND:
		if (rpc_address_unix(f->path, &address) < 0)
			abort();
		return ARpcServer_newBoundSocket(root,
						 rpc_socket_bind(&address));
	default:
		return AvfRpcServer_newUnixDomain(root, f->path);
	}
}

static void start_here(struct rpc_fixture *f, const struct rpc_options *options)
{
	f->served.root = options->server.no_root ? NULL : service_new();
	f->served.server = new_server(f);
	if (!f->served.server)
		abort();
	if (has_tls(options))
		CHECK(f, AvfRpcServer_setTls(f->served.server, tls_config()) ==
				 STATUS_OK);
	CHECK(f, rpc_served_start(&f->served, &options->server));
}

void rpc_fixture_start_server(struct rpc_fixture *f,
			      const struct rpc_options *options)
{
	*f = (struct rpc_fixture){.transport = options->transport,
				  .bootstrap = -1,
				  .control = -1,
				  .highest_version = options->server.version};
	if (f->transport == RPC_VSOCK)
		start_in_vm(f, &options->server);
	else
		start_here(f, options);
}

/* ---- clients
 * -------------------------------------------------------------------- */

static int connect_path(void *param)
{
	return raw_connect(param);
}

AIBinder *rpc_fixture_connect(struct rpc_fixture *f,
			      const struct rpc_options *options,
			      ARpcSession *session)
{
	CHECK(f, AvfRpcSession_setProtocolVersion(session,
						  options->client_version));
	ARpcSession_setMaxIncomingThreads(session, options->incoming);
	if (options->outgoing > 0)
		ARpcSession_setMaxOutgoingConnections(session,
						      options->outgoing);
	if (options->fds)
		ARpcSession_setFileDescriptorTransportMode(
			session, ARpcSession_FileDescriptorTransportMode_Unix);
	if (has_tls(options))
		CHECK(f,
		      AvfRpcSession_setTls(session, tls_config()) == STATUS_OK);
	switch (options->transport) {
	case RPC_BOOTSTRAP:
		return ARpcSession_setupUnixDomainBootstrapClient(session,
								  f->bootstrap);
	case RPC_PRECONNECTED:
		return ARpcSession_setupPreconnectedClient(
			session, connect_path, f->path);
	case RPC_INET:
	case RPC_TLS_INET:
		return ARpcSession_setupInet(session, "127.0.0.1",
					     inet_port(f->served.server));
	case RPC_VSOCK:
		return ARpcSession_setupPreconnectedClient(session,
							   connect_to_vm, f);
	default:
		return ARpcSession_setupUnixDomainClient(session, f->path);
	}
}

void rpc_fixture_start(struct rpc_fixture *f, const struct rpc_options *options)
{
	rpc_fixture_start_server(f, options);
	f->n_sessions = options->n_sessions > 0 ? options->n_sessions : 1;
	for (size_t i = 0; i < f->n_sessions; i++) {
		f->sessions[i] = ARpcSession_new();
		f->roots[i] = rpc_fixture_connect(f, options, f->sessions[i]);
		CHECK(f, f->roots[i] && service_associate(f->roots[i]));
	}
}

/* ---- the end
 * ---------------------------------------------------------------------- */

/* Each side knows the root and nothing else. */
static bool only_roots(struct rpc_fixture *f)
{
	for (size_t i = 0; i < f->n_sessions; i++)
		if (f->roots[i] &&
		    AvfRpcSession_countObjects(f->sessions[i]) != 1)
			return false;
	return rpc_ask(f, RPC_OBJECTS, 0) == rpc_ask(f, RPC_SESSIONS, 0);
}

static bool no_objects(struct rpc_fixture *f)
{
	size_t count = 0;

	for (size_t i = 0; i < f->n_sessions; i++)
		count += AvfRpcSession_countObjects(f->sessions[i]);
	return count == 0;
}

static bool no_sessions(struct rpc_fixture *f)
{
	return rpc_ask(f, RPC_SESSIONS, 0) == 0;
}

void rpc_fixture_stop(struct rpc_fixture *f)
{
	/* what the server has paid for oneway calls is read by the next one */
	for (size_t i = 0; !f->expect_dead && i < f->n_sessions; i++)
		CHECK(f, AIBinder_ping(f->roots[i]) == STATUS_OK);
	if (!f->expect_dead && !f->unread)
		CHECK(f, rpc_wait(f, only_roots));
	for (size_t i = 0; i < f->n_sessions; i++) {
		AIBinder_decStrong(f->roots[i]);
		if (f->unread)
			AvfRpcSession_shutdown(f->sessions[i], true);
	}
	/* now, or when a thread has read what the server has paid */
	CHECK(f, rpc_wait(f, no_objects));
	for (size_t i = 0; i < f->n_sessions; i++) {
		AvfRpcSession_shutdown(f->sessions[i], true);
		ARpcSession_free(f->sessions[i]);
	}
	/* without any help from the server */
	CHECK(f, rpc_wait(f, no_sessions));
	CHECK(f, rpc_ask(f, RPC_SHUTDOWN, 0) == 1);
	if (f->control < 0)
		CHECK(f, rpc_served_stop(&f->served));
	else
		stop_in_vm(f);
	if (f->bootstrap >= 0)
		close(f->bootstrap);
	unlink(f->path);
}

/* ---- running
 * ------------------------------------------------------------------------ */

static unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	while (dir && readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static bool same_fds(struct rpc_fixture *f)
{
	return count_fds() == f->fds;
}

static bool run_once(const struct rpc_test *test,
		     const struct rpc_options *options)
{
	const bool had_vm = rpc_vm_runs();
	const unsigned int fds = count_fds();
	struct rpc_fixture f = {.transport = options->transport,
				.bootstrap = -1,
				.control = -1};

	if (!test->bare)
		rpc_fixture_start(&f, options);
	test->run(&f);
	if (!test->bare)
		rpc_fixture_stop(&f);
	f.fds = fds; /* a bare test may have overwritten it */
	/* a VM that has ended took its own along */
	CHECK(&f, rpc_vm_runs() != had_vm || rpc_wait(&f, same_fds));
	return !f.bad;
}

static bool say(const struct rpc_test *test, const struct rpc_options *options,
		bool good)
{
	printf("%s %s/%s v%u v%u\n", good ? "ok" : "not ok", test->name,
	       transport_names[options->transport], options->client_version,
	       options->server.version);
	fflush(stdout);
	return good;
}

static bool run_one(const struct rpc_test *test,
		    const struct rpc_options *options)
{
	return say(test, options, run_once(test, options));
}

/* Over each transport, and with each pair of versions. */
static bool run_here(const struct rpc_test *test)
{
	struct rpc_options options = test->options;
	bool good = true;

	options.client_version = 1;
	options.server.version = 1;
	if (!test->all_transports)
		return run_one(test, &options);
	for (int t = 0; t < RPC_N_HERE; t++) {
		options.transport = (enum rpc_test_transport)t;
		good &= run_one(test, &options);
	}
	options.transport = RPC_UNIX;
	for (unsigned int i = 0; i < 9; i++) {
		options.client_version = i % 3;
		options.server.version = i / 3;
		if (i != 4) /* both 1: done */
			good &= run_one(test, &options);
	}
	return good;
}

/* The lab's emulated CPU crashes a Linux guest now and then: a test whose VM
 * has stopped there runs once more, as those of vmt_main() do. */
static bool run_version_in_vm(const struct rpc_test *test, uint32_t version)
{
	struct rpc_options options = test->options;
	bool good;

	options.transport = RPC_VSOCK;
	options.client_version = version;
	options.server.version = version;
	good = rpc_vm_start() && run_once(test, &options);
	if (!good && rpc_vm_has_stopped() && getenv("AVF_LAB")) {
		printf("    %s failed, once more\n", test->name);
		good = rpc_vm_start() && run_once(test, &options);
	}
	return say(test, &options, good);
}

static bool run_in_vm(const struct rpc_test *test)
{
	bool good;

	if (test->not_in_vm) {
		printf("skip %s/vsock: %s\n", test->name, test->not_in_vm);
		return true;
	}
	good = run_version_in_vm(test, 1);
	if (test->all_transports)
		good &= run_version_in_vm(test, 0);
	return good;
}

int rpc_run_tests(const struct rpc_test *tests, size_t count, int argc,
		  char **argv)
{
	const bool in_vm = argc > 1 && strcmp(argv[1], "--vm") == 0;
	const char *only = argc > 1 + in_vm ? argv[1 + in_vm] : "";
	bool good = true;

	if (in_vm)
		rpc_vm_require();
	for (size_t i = 0; i < count; i++)
		if (strstr(tests[i].name, only))
			good &= in_vm ? run_in_vm(&tests[i])
				      : run_here(&tests[i]);
	if (in_vm && !rpc_vm_stop())
		good = false;
	return good ? 0 : 1;
}
