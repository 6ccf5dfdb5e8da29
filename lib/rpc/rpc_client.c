/* The client's side: connections are made, and the session set up on them. */
#include "rpc/rpc_client.h"

#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"

static void delete_parcel(AParcel **parcel)
{
	AParcel_delete(*parcel);
}

/* Connect, with a socket that does what was asked of the session. */
static binder_status_t dial_conn(const ARpcSession *handle,
				 const struct dialer *dialer,
				 struct rpc_conn **ret_conn)
{
	const bool wants_fds = handle->fd_mode == RPC_FD_MODE_UNIX;
	struct rpc_conn *conn;
	int fd;

	fd = dialer->dial(dialer);
	if (fd < 0)
		return STATUS_DEAD_OBJECT;
	conn = rpc_conn_new(fd, wants_fds);
	if (!conn)
		return STATUS_NO_MEMORY;
	if (wants_fds && !rpc_socket_carries_fds(fd)) {
		rpc_conn_free(conn);
		return STATUS_INVALID_OPERATION;
	}
	*ret_conn = conn;
	return STATUS_OK;
}

/* Open a connection and say what it is for. @id is NULL for a new session;
 * @caller: we will call on it. */
static binder_status_t open_conn(const ARpcSession *handle,
				 const struct dialer *dialer, uint32_t version,
				 const uint8_t *id, bool caller,
				 struct rpc_conn **ret_conn)
{
	struct rpc_wire_hello hello = {
		.version = le32_make(version),
		.options = caller ? 0 : RPC_HELLO_INCOMING,
		.fd_mode = handle->fd_mode,
		.session_id_size = le16_make(id ? RPC_SESSION_ID_SIZE : 0),
	};
	struct rpc_wire_init init = {.magic = RPC_INIT_MAGIC};
	uint8_t id_copy[RPC_SESSION_ID_SIZE] = {0};
	struct rpc_output output = {
		.parts = {{&hello, sizeof(hello)},
			  {id_copy, id ? sizeof(id_copy) : 0},
			  {&init, caller ? sizeof(init) : 0}},
		.n_parts = 3,
	};
	struct rpc_conn *conn;
	binder_status_t rc;

	rc = dial_conn(handle, dialer, &conn);
	if (rc != STATUS_OK)
		return rc;
	if (id)
		memcpy(id_copy, id, sizeof(id_copy));
	(void)rpc_conn_set_timeout(conn, handle->settings.call_timeout_ms);
	if (handle->session->connect_by_ns != 0)
		conn->deadline_ns = handle->session->connect_by_ns;
	rc = rpc_conn_secure(conn, &handle->transport, false);
	if (rc == STATUS_OK)
		rc = rpc_conn_write(conn, &output, NULL, NULL);
	if (rc != STATUS_OK) {
		rpc_conn_free(conn);
		return rc;
	}
	*ret_conn = conn;
	return STATUS_OK;
}

/* The server's answer to the first connection: a version not above ours. */
static binder_status_t read_welcome(struct rpc_session *session,
				    struct rpc_conn *conn)
{
	struct rpc_wire_welcome welcome;
	uint32_t version;
	binder_status_t rc;

	rc = rpc_conn_read(conn, &welcome, sizeof(welcome), NULL);
	if (rc != STATUS_OK)
		return rc;
	version = le32_get(welcome.version);
	if (version > session->settings.version)
		return STATUS_BAD_VALUE;
	session->settings.version = version;
	session->base.lists_objects = version >= RPC_VERSION_OBJECTS;
	conn->deadline_ns = 0;
	return STATUS_OK;
}

static binder_status_t open_first(const ARpcSession *handle,
				  const struct dialer *dialer,
				  struct rpc_session *session)
{
	struct rpc_conn *conn;
	binder_status_t rc;

	rc = open_conn(handle, dialer, session->settings.version, NULL, true,
		       &conn);
	if (rc != STATUS_OK)
		return rc;
	rc = read_welcome(session, conn);
	if (rc != STATUS_OK) {
		rpc_conn_free(conn);
		return rc;
	}
	return rpc_pool_add_outgoing(session, conn, SIZE_MAX);
}

/* Give the room in the session for its id. */
static bool id_room(void *data, int32_t length, int8_t **ret_buffer)
{
	struct rpc_session *session = data;

	*ret_buffer = (int8_t *)session->id;
	return length == (int32_t)sizeof(session->id);
}

/* What the server says about the session. */
static binder_status_t ask_server(struct rpc_session *session,
				  int32_t *ret_threads)
{
	CLEANUP(delete_parcel) AParcel *threads = NULL;
	CLEANUP(delete_parcel) AParcel *id = NULL;
	binder_status_t rc;

	rc = rpc_call_special(session, RPC_GET_MAX_THREADS, &threads);
	if (rc == STATUS_OK)
		rc = AParcel_readInt32(threads, ret_threads);
	if (rc == STATUS_OK && *ret_threads <= 0)
		rc = STATUS_BAD_VALUE;
	if (rc == STATUS_OK)
		rc = rpc_call_special(session, RPC_GET_SESSION_ID, &id);
	if (rc == STATUS_OK)
		rc = AParcel_readByteArray(id, session, id_room);
	return rc;
}

static binder_status_t open_more(const ARpcSession *handle,
				 const struct dialer *dialer,
				 struct rpc_session *session, size_t count)
{
	struct rpc_conn *conn;
	binder_status_t rc = STATUS_OK;

	for (size_t i = 0; rc == STATUS_OK && i < count; i++) {
		rc = open_conn(handle, dialer, session->settings.version,
			       session->id, true, &conn);
		if (rc != STATUS_OK)
			break;
		conn->deadline_ns = 0;
		rc = rpc_pool_add_outgoing(session, conn, SIZE_MAX);
	}
	return rc;
}

static binder_status_t open_incoming(const ARpcSession *handle,
				     const struct dialer *dialer,
				     struct rpc_session *session)
{
	struct rpc_conn *conn;
	binder_status_t rc = STATUS_OK;

	for (size_t i = 0; i < session->settings.max_threads; i++) {
		rc = open_conn(handle, dialer, session->settings.version,
			       session->id, false, &conn);
		if (rc == STATUS_OK)
			rc = rpc_client_start_thread(session, conn);
		if (rc != STATUS_OK)
			break;
	}
	return rc;
}

static binder_status_t get_root(struct rpc_session *session,
				AIBinder **ret_root)
{
	CLEANUP(delete_parcel) AParcel *out = NULL;
	binder_status_t rc;

	rc = rpc_call_special(session, RPC_GET_ROOT, &out);
	return rc == STATUS_OK ? AParcel_readStrongBinder(out, ret_root) : rc;
}

static binder_status_t connect_session(const ARpcSession *handle,
				       const struct dialer *dialer,
				       struct rpc_session *session,
				       AIBinder **ret_root)
{
	int32_t threads;
	binder_status_t rc;

	rc = open_first(handle, dialer, session);
	if (rc == STATUS_OK)
		rc = ask_server(session, &threads);
	if (rc == STATUS_OK)
		rc = open_more(handle, dialer, session,
			       MIN((size_t)threads, handle->max_outgoing) - 1);
	if (rc == STATUS_OK)
		rc = open_incoming(handle, dialer, session);
	if (rc == STATUS_OK)
		rc = get_root(session, ret_root);
	return rc;
}

AIBinder *rpc_client_set_up(ARpcSession *handle, const struct dialer *dialer)
{
	AIBinder *root = NULL;

	if (handle->session || handle->fd_mode > RPC_FD_MODE_UNIX ||
	    (handle->transport.ops && handle->fd_mode != RPC_FD_MODE_NONE)) {
		handle->error = STATUS_INVALID_OPERATION;
		return NULL;
	}
	handle->session = rpc_session_new(false, &handle->settings);
	if (!handle->session) {
		handle->error = STATUS_NO_MEMORY;
		return NULL;
	}
	/* who has the handle is a user: the first one */
	rpc_session_use(handle->session);
	rpc_session_unref(handle->session);
	handle->session->base.allow_fds = handle->fd_mode == RPC_FD_MODE_UNIX;
	handle->session->base.notices_death = handle->settings.max_threads > 0;
	if (handle->connect_timeout_ms != 0)
		handle->session->connect_by_ns =
			clock_now_ns() +
			handle->connect_timeout_ms * 1000000ULL;
	handle->error = connect_session(handle, dialer, handle->session, &root);
	handle->session->connect_by_ns = 0;
	if (handle->error != STATUS_OK)
		rpc_session_end(handle->session);
	return root;
}
