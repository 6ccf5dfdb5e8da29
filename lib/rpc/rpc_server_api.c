/* The interface of servers: binder_rpc_unstable.h. */
#include <sys/socket.h>

#include <linux/vm_sockets.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "rpc/rpc_server.h"

/* A server on @fd, which is taken. */
static ARpcServer *new_server(AIBinder *root, int taken, bool bootstrap)
{
	CLEANUP(close_p) int fd = taken;
	CLEANUP(free_p) ARpcServer *server = NULL;

	if (fd < 0 || (!bootstrap && listen(fd, RPC_BACKLOG) < 0))
		return NULL;
	server = calloc(1, sizeof(*server));
	if (!server)
		return NULL;
	server->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (server->stop_fd < 0)
		return NULL;
	server->refs = 1;
	server->fd = take_fd(&fd);
	server->bootstrap = bootstrap;
	server->settings = (struct rpc_settings){
		.version = RPC_VERSION_DEFAULT,
		.max_frame = RPC_MAX_FRAME_DEFAULT,
		.max_threads = 1,
	};
	server->allow_fd_none = true;
	server->handshake_ms = RPC_HANDSHAKE_MS_DEFAULT;
	server->max_pending = RPC_MAX_PENDING_DEFAULT;
	server->only_cid = VMADDR_CID_ANY;
	(void)pthread_mutex_init(&server->lock, NULL);   /* cannot fail */
	(void)pthread_cond_init(&server->changed, NULL); /* cannot fail */
	AIBinder_incStrong(root);
	server->root = root;
	return TAKE_PTR(server);
}

ARpcServer *ARpcServer_newVsock(AIBinder *root, unsigned int cid,
				unsigned int port)
{
	struct rpc_address address;
	ARpcServer *server;

	/* a single peer is let in by the filter: one binds to own addresses */
	rpc_address_vsock(cid == VMADDR_CID_LOCAL ? cid : VMADDR_CID_ANY, port,
			  &address);
	server = new_server(root, rpc_socket_bind(&address), false);
	if (server && cid != VMADDR_CID_LOCAL)
		server->only_cid = cid;
	return server;
}

ARpcServer *ARpcServer_newBoundSocket(AIBinder *root, int fd)
{
	return new_server(root, fd, false);
}

ARpcServer *ARpcServer_newUnixDomainBootstrap(AIBinder *root, int fd)
{
	return new_server(root, fd, true);
}

ARpcServer *ARpcServer_newInet(AIBinder *root, const char *host,
			       unsigned int port)
{
	struct rpc_address address;

	if (rpc_address_inet(host, port, &address) < 0)
		return NULL;
	return new_server(root, rpc_socket_bind(&address), false);
}

ARpcServer *AvfRpcServer_newUnixDomain(AIBinder *root, const char *path)
{
	struct rpc_address address;

	if (rpc_address_unix(path, &address) < 0)
		return NULL;
	return new_server(root, rpc_socket_bind(&address), false);
}

void ARpcServer_setSupportedFileDescriptorTransportModes(
	ARpcServer *server,
	const ARpcSession_FileDescriptorTransportMode modes[], size_t modes_len)
{
	server->allow_fd_none = false;
	server->allow_fd_unix = false;
	for (size_t i = 0; i < modes_len; i++) {
		if (modes[i] == ARpcSession_FileDescriptorTransportMode_None)
			server->allow_fd_none = true;
		if (modes[i] == ARpcSession_FileDescriptorTransportMode_Unix)
			server->allow_fd_unix = true;
	}
}

/* A thread is to accept; only one does. */
static bool begin(ARpcServer *server)
{
	bool first;

	(void)pthread_mutex_lock(&server->lock);
	first = !server->started && !server->stopping;
	if (first) {
		server->started = true;
		server->accepting = true;
	}
	(void)pthread_mutex_unlock(&server->lock);
	return first;
}

void ARpcServer_join(ARpcServer *server)
{
	if (!begin(server))
		return;
	rpc_server_ref(server);
	rpc_server_accept(server);
	rpc_server_unref(server);
}

static void *run_accept(void *argument)
{
	ARpcServer *server = argument;

	rpc_server_accept(server);
	rpc_server_unref(server);
	return NULL;
}

void ARpcServer_start(ARpcServer *server)
{
	if (!begin(server))
		return;
	rpc_server_ref(server);
	if (rpc_thread_start(run_accept, server) == STATUS_OK)
		return;
	(void)pthread_mutex_lock(&server->lock);
	server->started = false;
	server->accepting = false;
	(void)pthread_mutex_unlock(&server->lock);
	rpc_server_unref(server);
}

/* End all sessions, one by one. */
static void end_sessions(ARpcServer *server)
{
	struct rpc_session *session;

	for (;;) {
		(void)pthread_mutex_lock(&server->lock);
		session = server->sessions;
		if (session) {
			server->sessions = session->next;
			server->n_sessions--;
		}
		(void)pthread_mutex_unlock(&server->lock);
		if (!session)
			return;
		rpc_session_end(session);
		rpc_session_unref(session);
	}
}

/* Wake those that have not got as far as a session. With the lock held. */
static void end_handshakes(ARpcServer *server)
{
	for (struct rpc_worker *w = server->workers; w; w = w->next)
		if (w->pending && w->fd >= 0)
			(void)shutdown(w->fd, SHUT_RDWR);
}

static bool is_worker(const ARpcServer *server)
{
	for (const struct rpc_worker *w = server->workers; w; w = w->next)
		if (w->running && pthread_equal(w->thread, pthread_self()))
			return true;
	return false;
}

bool ARpcServer_shutdown(ARpcServer *server)
{
	const uint64_t one = 1;
	bool started;
	size_t own;

	(void)pthread_mutex_lock(&server->lock);
	started = server->started;
	server->stopping = true;
	end_handshakes(server);
	(void)pthread_mutex_unlock(&server->lock);
	if (!started)
		return false;
	(void)!write(server->stop_fd, &one, sizeof(one)); /* cannot fail */
	end_sessions(server);
	(void)pthread_mutex_lock(&server->lock);
	own = is_worker(server) ? 1 : 0;
	server->n_stoppers += own;
	(void)pthread_cond_broadcast(&server->changed);
	while (server->accepting || server->n_workers > server->n_stoppers)
		(void)pthread_cond_wait(&server->changed, &server->lock);
	server->n_stoppers -= own;
	(void)pthread_mutex_unlock(&server->lock);
	return true;
}

/* Give up what the application can see, now: a thread that is on its last
 * lines may have a reference to the server still. */
static void give_up(ARpcServer *server)
{
	AIBinder *root;

	(void)pthread_mutex_lock(&server->lock);
	root = TAKE_PTR(server->root);
	close_p(&server->fd);
	close_p(&server->stop_fd);
	(void)pthread_mutex_unlock(&server->lock);
	AIBinder_decStrong(root);
	/* no connection begins any more */
	rpc_transport_fini(&server->transport);
}

void ARpcServer_free(ARpcServer *server)
{
	if (!server)
		return;
	(void)ARpcServer_shutdown(server);
	give_up(server);
	rpc_server_unref(server);
}

void AvfRpcServer_setMaxThreads(ARpcServer *server, size_t threads)
{
	server->settings.max_threads = threads > 0 ? threads : 1;
}

bool AvfRpcServer_setProtocolVersion(ARpcServer *server, uint32_t version)
{
	if (version > RPC_VERSION_MAX)
		return false;
	server->settings.version = version;
	return true;
}

void AvfRpcServer_setConnectionFilter(ARpcServer *server,
				      AvfRpcServer_connectionFilter filter,
				      void *cookie)
{
	server->filter = filter;
	server->filter_cookie = cookie;
}

void AvfRpcServer_setPerSessionRoot(ARpcServer *server,
				    AvfRpcServer_rootFactory factory,
				    void *cookie)
{
	server->factory = factory;
	server->factory_cookie = cookie;
}

void AvfRpcServer_setHandshakeTimeout(ARpcServer *server, uint32_t ms)
{
	server->handshake_ms = ms;
}

void AvfRpcServer_setMaxPendingConnections(ARpcServer *server, size_t max)
{
	server->max_pending = max;
}

void AvfRpcServer_setCallTimeout(ARpcServer *server, uint32_t ms)
{
	server->settings.call_timeout_ms = ms;
}

void AvfRpcServer_setMaxFrameSize(ARpcServer *server, uint32_t bytes)
{
	server->settings.max_frame = bytes;
}

size_t AvfRpcServer_countSessions(ARpcServer *server)
{
	size_t count;

	(void)pthread_mutex_lock(&server->lock);
	count = server->n_sessions;
	(void)pthread_mutex_unlock(&server->lock);
	return count;
}
