/*
 * The first bytes of a connection, and its life on a server. Everything here
 * is refused in the same way: the connection is closed, the session (if there
 * is one) goes on.
 */
#include <stdlib.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "rpc/rpc_server.h"

static void unref_session(struct rpc_session **session)
{
	rpc_session_unref(*session);
}

/* The session's connection is this thread's, until it ends. */
static bool serve(struct rpc_worker *worker, struct rpc_session *session,
		  struct rpc_conn **conn)
{
	if (rpc_pool_add_incoming(session, *conn) != STATUS_OK)
		return false;
	rpc_server_worker_known(worker);
	rpc_serve(session, TAKE_PTR(*conn));
	return true;
}

static bool fd_mode_allowed(const ARpcServer *server,
			    const struct rpc_conn *conn, uint8_t mode)
{
	if (mode == RPC_FD_MODE_NONE)
		return server->allow_fd_none;
	/* a layer carries bytes */
	return mode == RPC_FD_MODE_UNIX && server->allow_fd_unix &&
	       !server->transport.ops && rpc_socket_carries_fds(conn->fd);
}

/* Make the session of a peer that has none yet, with an id and a root. */
static struct rpc_session *make_session(ARpcServer *server, uint32_t version,
					uint8_t fd_mode,
					const struct rpc_address *peer)
{
	CLEANUP(unref_session) struct rpc_session *session = NULL;
	struct rpc_settings settings = server->settings;

	settings.version = version;
	session = rpc_session_new(true, &settings);
	if (!session)
		return NULL;
	session->base.allow_fds = fd_mode == RPC_FD_MODE_UNIX;
	session->base.lists_objects = version >= RPC_VERSION_OBJECTS;
	session->base.notices_death = true;
	/* the id is all that a connection proves itself with */
	if (getrandom(session->id, sizeof(session->id), 0) !=
	    (ssize_t)sizeof(session->id))
		return NULL;
	if (server->factory) {
		session->root = server->factory(&peer->u.any, peer->size,
						server->factory_cookie);
	} else {
		AIBinder_incStrong(server->root);
		session->root = server->root;
	}
	return TAKE_PTR(session);
}

/* The first connection of a session. */
static void welcome(struct rpc_worker *worker, struct rpc_conn **conn,
		    const struct rpc_wire_hello *hello)
{
	CLEANUP(unref_session) struct rpc_session *session = NULL;
	ARpcServer *server = worker->server;
	uint32_t version = le32_get(hello->version);
	struct rpc_wire_welcome answer = {0};

	/* clamped, never refused: the client decides whether it likes it */
	if (version > server->settings.version)
		version = server->settings.version;
	answer.version = le32_make(version);
	if (rpc_conn_write_bytes(*conn, &answer, sizeof(answer)) != STATUS_OK)
		return;
	if ((hello->options & RPC_HELLO_INCOMING) ||
	    !fd_mode_allowed(server, *conn, hello->fd_mode) ||
	    rpc_conn_read_init(*conn) != STATUS_OK)
		return;
	(*conn)->carries_fds = hello->fd_mode == RPC_FD_MODE_UNIX;
	session = make_session(server, version, hello->fd_mode, &worker->peer);
	if (!session || !rpc_server_add_session(server, session))
		return;
	if (!serve(worker, session, conn))
		rpc_session_end(session);
}

/* Tell the client that we will call on @conn, which is taken. It is the
 * session's before: the client may call at once, and be called back. */
static void offer_callbacks(struct rpc_session *session, struct rpc_conn *conn)
{
	struct rpc_wire_init init = {.magic = RPC_INIT_MAGIC};

	rpc_pool_own(conn);
	/* too many of them, or too late: closed */
	if (rpc_pool_add_outgoing(session, conn, RPC_MAX_CALLBACKS) !=
	    STATUS_OK)
		return;
	if (rpc_conn_write_bytes(conn, &init, sizeof(init)) != STATUS_OK)
		rpc_session_end(session); /* the client is gone */
	conn->deadline_ns = 0;
	rpc_put_and_pay(session, conn);
}

/* A further connection of the session that @id names. */
static void join_session(struct rpc_worker *worker, struct rpc_conn **conn,
			 const struct rpc_wire_hello *hello, const uint8_t *id)
{
	CLEANUP(unref_session) struct rpc_session *session = NULL;

	session = rpc_server_find_session(worker->server, id);
	if (!session)
		return;
	(*conn)->carries_fds = session->base.allow_fds;
	if ((hello->options & RPC_HELLO_INCOMING) == 0) {
		if (rpc_conn_read_init(*conn) == STATUS_OK)
			(void)serve(worker, session, conn); /* enough of them */
		return;
	}
	rpc_server_worker_known(worker);
	offer_callbacks(session, TAKE_PTR(*conn));
}

static void handshake(struct rpc_worker *worker, struct rpc_conn **conn)
{
	uint8_t id[RPC_SESSION_ID_SIZE];
	struct rpc_wire_hello hello;
	size_t id_size;

	if (rpc_conn_read(*conn, &hello, sizeof(hello), NULL) != STATUS_OK)
		return;
	id_size = le16_get(hello.session_id_size);
	if (id_size == 0) {
		welcome(worker, conn, &hello);
		return;
	}
	if (id_size == sizeof(id) &&
	    rpc_conn_read(*conn, id, sizeof(id), NULL) == STATUS_OK)
		join_session(worker, conn, &hello, id);
}

void rpc_server_run_worker(struct rpc_worker *worker)
{
	CLEANUP(close_p) int fd = worker->fd;
	/* nothing is read ahead before it is known what may come */
	struct rpc_conn *conn = rpc_conn_new(-1, true);

	if (conn) {
		conn->fd = take_fd(&fd);
		/* for the layer's handshake and the session's, together */
		(void)rpc_conn_set_timeout(conn, worker->server->handshake_ms);
		if (rpc_conn_secure(conn, &worker->server->transport, true) ==
		    STATUS_OK)
			handshake(worker, &conn);
	}
	/* whoever stops the server must not find a descriptor that is closed */
	rpc_server_worker_known(worker);
	rpc_conn_free(conn);
}
