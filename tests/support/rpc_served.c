#include "support/rpc_served.h"

#include <sys/socket.h>

#include "rpc/rpc_server.h"

#define QUEUED_MS 60000

/* ---- before the start
 * ---------------------------------------------------------------------- */

static AIBinder *make_root(const struct sockaddr *address, socklen_t size,
			   void *cookie)
{
	struct rpc_served *served = cookie;
	AIBinder *root = service_new();
	sa_family_t family = address->sa_family;

	(void)size;
	if (family == AF_UNIX || family == AF_VSOCK)
		atomic_fetch_add(&served->n_roots, 1);
	service_of(root)->gate_open = true;
	return root;
}

static bool refuse(const struct sockaddr *address, socklen_t size, void *cookie)
{
	struct rpc_served *served = cookie;

	(void)address;
	(void)size;
	atomic_fetch_add(&served->n_refused, 1);
	return false;
}

static void set_fd_modes(ARpcServer *server,
			 const struct rpc_server_options *options)
{
	static const ARpcSession_FileDescriptorTransportMode modes[] = {
		ARpcSession_FileDescriptorTransportMode_None,
		ARpcSession_FileDescriptorTransportMode_Unix,
	};

	if (options->only_fds)
		ARpcServer_setSupportedFileDescriptorTransportModes(
			server, modes + 1, 1);
	else if (!options->no_fds)
		ARpcServer_setSupportedFileDescriptorTransportModes(server,
								    modes, 2);
}

bool rpc_served_start(struct rpc_served *served,
		      const struct rpc_server_options *options)
{
	ARpcServer *server = served->server;
	bool known;

	AvfRpcServer_setMaxThreads(server, options->threads);
	known = AvfRpcServer_setProtocolVersion(server, options->version);
	set_fd_modes(server, options);
	if (options->max_frame > 0)
		AvfRpcServer_setMaxFrameSize(server, options->max_frame);
	if (options->root_per_session)
		AvfRpcServer_setPerSessionRoot(server, make_root, served);
	if (options->refuse_all)
		AvfRpcServer_setConnectionFilter(server, refuse, served);
	if (options->has_limits) {
		AvfRpcServer_setHandshakeTimeout(server, options->handshake_ms);
		AvfRpcServer_setMaxPendingConnections(server,
						      options->max_pending);
	}
	ARpcServer_start(server);
	return known;
}

/* ---- questions about sessions
 * ---------------------------------------------------------------------- */

static int64_t count_objects(ARpcServer *server)
{
	size_t count = 0;

	pthread_mutex_lock(&server->lock);
	for (struct rpc_session *s = server->sessions; s; s = s->next)
		count += rpc_table_count(&s->table);
	pthread_mutex_unlock(&server->lock);
	return (int64_t)count;
}

static int64_t newest_version(ARpcServer *server)
{
	int64_t version = -1;

	pthread_mutex_lock(&server->lock);
	if (server->sessions)
		version = server->sessions->settings.version;
	pthread_mutex_unlock(&server->lock);
	return version;
}

static int64_t newest_connections(ARpcServer *server)
{
	struct rpc_session *session;
	int64_t count = -1;

	pthread_mutex_lock(&server->lock);
	session = server->sessions;
	if (session) {
		pthread_mutex_lock(&session->lock);
		count = (int64_t)session->n_incoming;
		pthread_mutex_unlock(&session->lock);
	}
	pthread_mutex_unlock(&server->lock);
	return count;
}

/* ---- questions about the root
 * ---------------------------------------------------------------------- */

static bool holds(struct service *service)
{
	bool held;

	pthread_mutex_lock(&service->lock);
	held = service->held != NULL;
	pthread_mutex_unlock(&service->lock);
	return held;
}

static void drop_held(struct service *service)
{
	AIBinder *held;

	pthread_mutex_lock(&service->lock);
	held = service->held;
	service->held = NULL;
	pthread_mutex_unlock(&service->lock);
	AIBinder_decStrong(held);
}

static int64_t count_waiting(struct service *service)
{
	size_t count;

	pthread_mutex_lock(&service->lock);
	count = service->n_waiting;
	pthread_mutex_unlock(&service->lock);
	return (int64_t)count;
}

static int64_t queued(struct service *service, int64_t place)
{
	int64_t value = INT64_MIN;

	pthread_mutex_lock(&service->lock);
	if (place >= 0 && place < SERVICE_QUEUE &&
	    (size_t)place < service->n_queued)
		value = service->queue[place];
	pthread_mutex_unlock(&service->lock);
	return value;
}

static bool in_order(struct service *service, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		if (queued(service, i) != i)
			return false;
	return true;
}

static int64_t answer_of_root(struct service *service,
			      enum rpc_question question, int64_t argument)
{
	switch (question) {
	case RPC_HOLDS:
		return holds(service);
	case RPC_DROP_HELD:
		drop_held(service);
		return 0;
	case RPC_WAITING:
		return count_waiting(service);
	case RPC_OPEN_GATE:
		service_open_gate(service);
		return 0;
	case RPC_WAIT_QUEUED:
		return service_wait_queued(service, (size_t)argument,
					   QUEUED_MS);
	case RPC_QUEUED:
		return queued(service, argument);
	case RPC_IN_ORDER:
		return in_order(service, argument);
	default:
		return -1;
	}
}

int64_t rpc_served_answer(struct rpc_served *served, enum rpc_question question,
			  int64_t argument)
{
	switch (question) {
	case RPC_SESSIONS:
		return (int64_t)AvfRpcServer_countSessions(served->server);
	case RPC_OBJECTS:
		return count_objects(served->server);
	case RPC_VERSION:
		return newest_version(served->server);
	case RPC_CONNECTIONS:
		return newest_connections(served->server);
	case RPC_ACCEPTS_VERSION:
		return AvfRpcServer_setProtocolVersion(served->server,
						       (uint32_t)argument);
	case RPC_ROOTS:
		return atomic_load(&served->n_roots);
	case RPC_REFUSED:
		return atomic_load(&served->n_refused);
	case RPC_SHUTDOWN:
		return ARpcServer_shutdown(served->server);
	default:
		return answer_of_root(service_of(served->root), question,
				      argument);
	}
}

bool rpc_served_stop(struct rpc_served *served)
{
	bool kept;

	(void)ARpcServer_shutdown(served->server);
	ARpcServer_free(served->server);
	kept = served->root && AIBinder_debugGetRefCount(served->root) != 1;
	AIBinder_decStrong(served->root);
	return !kept;
}
