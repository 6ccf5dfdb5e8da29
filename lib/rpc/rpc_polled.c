#include "rpc/rpc_polled.h"

#include <poll.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "binder/object.h"

static void unref_session(struct rpc_session **session)
{
	rpc_session_unref(*session);
}

struct rpc_session *rpc_polled_session(AIBinder *root)
{
	CLEANUP(unref_session) struct rpc_session *session = NULL;
	const struct rpc_settings settings = {
		.version = RPC_VERSION_DEFAULT,
		.max_frame = RPC_POLLED_MAX - sizeof(struct rpc_wire_header),
		.max_threads = 1,
		.methods_only = true,
	};

	session = rpc_session_new(true, &settings);
	if (!session)
		return NULL;
	session->table.max_queued = 0;
	if (getrandom(session->id, sizeof(session->id), 0) !=
	    (ssize_t)sizeof(session->id))
		return NULL;
	AIBinder_incStrong(root);
	session->root = root;
	return TAKE_PTR(session);
}

/* Takes @fd. */
static binder_status_t init(struct rpc_polled *polled,
			    struct rpc_session *session, int fd)
{
	*polled = (struct rpc_polled){.conn = rpc_conn_new(fd, false)};
	if (!polled->conn)
		return STATUS_NO_MEMORY;
	rpc_session_ref(session);
	polled->session = session;
	return STATUS_OK;
}

binder_status_t rpc_polled_accept(struct rpc_polled *polled,
				  struct rpc_session *session, bool joins,
				  int fd)
{
	binder_status_t rc = init(polled, session, fd);

	if (rc != STATUS_OK)
		return rc;
	polled->state = RPC_POLLED_HELLO;
	polled->joins = joins;
	polled->conn->never_waits = true;
	return STATUS_OK;
}

binder_status_t rpc_polled_join(struct rpc_polled *polled, AIBinder *root,
				int fd)
{
	struct rpc_session *session = to_rpc_session(root->session);
	struct rpc_wire_hello hello = {
		.version = le32_make(session->settings.version),
		.options = RPC_HELLO_INCOMING,
		.session_id_size = le16_make(RPC_SESSION_ID_SIZE),
	};
	binder_status_t rc = init(polled, session, fd);

	if (rc != STATUS_OK)
		return rc;
	rc = rpc_conn_write_bytes(polled->conn, &hello, sizeof(hello));
	if (rc == STATUS_OK)
		rc = rpc_conn_write_bytes(polled->conn, session->id,
					  sizeof(session->id));
	/* this one takes the place of a thread */
	session->settings.max_threads++;
	session->settings.methods_only = true;
	polled->state = RPC_POLLED_INIT;
	polled->conn->never_waits = true;
	if (rc != STATUS_OK)
		rpc_polled_fini(polled);
	return rc;
}

/* ---- the steps, each when all of its bytes are there ------------------------
 */

/* A client begins the session, or brings a connection to be called on. */
static binder_status_t take_hello(struct rpc_polled *polled)
{
	struct rpc_session *session = polled->session;
	struct rpc_wire_welcome welcome = {0};
	struct rpc_wire_hello hello;
	bool incoming;
	binder_status_t rc;

	rc = rpc_conn_read(polled->conn, &hello, sizeof(hello), NULL);
	if (rc != STATUS_OK)
		return rc;
	incoming = (hello.options & RPC_HELLO_INCOMING) != 0;
	if (incoming != polled->joins ||
	    le16_get(hello.session_id_size) !=
		    (incoming ? RPC_SESSION_ID_SIZE : 0) ||
	    hello.fd_mode != RPC_FD_MODE_NONE)
		return STATUS_BAD_VALUE;
	polled->state = incoming ? RPC_POLLED_ID : RPC_POLLED_INIT;
	if (incoming)
		return STATUS_OK;
	/* clamped, never refused: the client decides whether it likes it */
	if (le32_get(hello.version) < session->settings.version)
		session->settings.version = le32_get(hello.version);
	welcome.version = le32_make(session->settings.version);
	return rpc_conn_write_bytes(polled->conn, &welcome, sizeof(welcome));
}

static binder_status_t take_id(struct rpc_polled *polled)
{
	struct rpc_wire_init answer = {.magic = RPC_INIT_MAGIC};
	uint8_t id[RPC_SESSION_ID_SIZE];
	binder_status_t rc;

	rc = rpc_conn_read(polled->conn, id, sizeof(id), NULL);
	if (rc == STATUS_OK && !rpc_session_has_id(polled->session, id))
		rc = STATUS_PERMISSION_DENIED;
	if (rc == STATUS_OK)
		rc = rpc_conn_write_bytes(polled->conn, &answer,
					  sizeof(answer));
	if (rc == STATUS_OK)
		rc = rpc_pool_add_outgoing(polled->session,
					   TAKE_PTR(polled->conn), 1);
	polled->state = RPC_POLLED_GIVEN;
	return rc;
}

static binder_status_t take_init(struct rpc_polled *polled)
{
	binder_status_t rc;

	rc = rpc_conn_read_init(polled->conn);
	if (rc == STATUS_OK)
		rc = rpc_pool_add_incoming(polled->session, polled->conn);
	if (rc == STATUS_OK)
		polled->state = RPC_POLLED_SERVES;
	return rc;
}

static binder_status_t step(struct rpc_polled *polled)
{
	switch (polled->state) {
	case RPC_POLLED_HELLO:
		return take_hello(polled);
	case RPC_POLLED_ID:
		return take_id(polled);
	case RPC_POLLED_INIT:
		return take_init(polled);
	default:
		return rpc_serve_next(polled->session, polled->conn);
	}
}

/* Bytes that a whole message has, as far as they can be known; one that is too
 * large is served at once, to be refused. */
static size_t message_size(const struct rpc_conn *conn)
{
	struct rpc_wire_header header;
	size_t body;

	if (conn->end - conn->start < sizeof(header))
		return sizeof(header);
	memcpy(&header, conn->buffer + conn->start, sizeof(header));
	body = le32_get(header.body_size);
	return body > RPC_POLLED_MAX - sizeof(header) ? 0
						      : sizeof(header) + body;
}

static bool has_step(const struct rpc_polled *polled)
{
	static const size_t sizes[] = {
		[RPC_POLLED_HELLO] = sizeof(struct rpc_wire_hello),
		[RPC_POLLED_ID] = RPC_SESSION_ID_SIZE,
		[RPC_POLLED_INIT] = sizeof(struct rpc_wire_init),
	};
	const struct rpc_conn *conn = polled->conn;

	if (polled->state > RPC_POLLED_SERVES)
		return false;
	return conn->end - conn->start >= (polled->state == RPC_POLLED_SERVES
						   ? message_size(conn)
						   : sizes[polled->state]);
}

enum rpc_polled_state rpc_polled_ready(struct rpc_polled *polled)
{
	bool eof;
	binder_status_t rc;

	rc = rpc_conn_fill(polled->conn, &eof);
	while (rc == STATUS_OK && has_step(polled))
		rc = step(polled);
	polled->error = rc;
	if (rc != STATUS_OK || eof || rpc_session_ended(polled->session))
		return RPC_POLLED_ENDED;
	return polled->state;
}

binder_status_t rpc_polled_wait(struct rpc_polled *polled, int timeout_ms)
{
	while (polled->state == RPC_POLLED_INIT) {
		if (fd_wait(polled->conn->fd, POLLIN, timeout_ms) <= 0)
			return STATUS_TIMED_OUT;
		if (rpc_polled_ready(polled) == RPC_POLLED_ENDED)
			return polled->error != STATUS_OK ? polled->error
							  : STATUS_DEAD_OBJECT;
	}
	return STATUS_OK;
}

void rpc_polled_fini(struct rpc_polled *polled)
{
	if (!polled->session)
		return;
	/* the only one that is served: however it ends, the session does */
	if (polled->state == RPC_POLLED_SERVES)
		rpc_serve_end(polled->session, TAKE_PTR(polled->conn), false);
	else
		rpc_conn_free(polled->conn);
	rpc_session_unref(polled->session);
	*polled = (struct rpc_polled){0};
}
