/* The client's side: connections are made, and the session set up on them. */
#include <stdlib.h>
#include <string.h>

#include <android/binder_rpc_unstable.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "rpc/rpc_session.h"
#include "rpc/rpc_socket.h"

#define DEFAULT_OUTGOING 10U

struct ARpcSession {
	struct rpc_settings settings;
	uint8_t fd_mode;
	size_t max_outgoing;
	struct rpc_session *session; /* owned; NULL: not connected yet */
	binder_status_t error;
};

/* Where connections come from: @dial returns a new one, which the caller owns,
 * or a negative number. */
struct dialer {
	int (*dial)(const struct dialer *dialer);
	struct rpc_address address;
	int bootstrap; /* borrowed */
	int (*request)(void *param);
	void *param;
};

static void delete_parcel(AParcel **parcel)
{
	AParcel_delete(*parcel);
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
	int fd;

	fd = dialer->dial(dialer);
	if (fd < 0)
		return STATUS_DEAD_OBJECT;
	conn = rpc_conn_new(fd, handle->fd_mode == RPC_FD_MODE_UNIX);
	if (!conn)
		return STATUS_NO_MEMORY;
	if (id)
		memcpy(id_copy, id, sizeof(id_copy));
	(void)rpc_conn_set_timeout(conn, handle->settings.call_timeout_ms);
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

/* ---- threads that are called on --------------------------------------------
 */

struct worker {
	struct rpc_session *session; /* owned */
	struct rpc_conn *conn;       /* owned */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ready; /* guarded by @lock */
	binder_status_t status;
};

/* Tell the thread that sets the session up. @worker is its own afterwards. */
static void report(struct worker *worker, binder_status_t status)
{
	(void)pthread_mutex_lock(&worker->lock);
	worker->ready = true;
	worker->status = status;
	(void)pthread_cond_signal(&worker->changed);
	(void)pthread_mutex_unlock(&worker->lock);
}

static binder_status_t read_init(struct rpc_conn *conn)
{
	struct rpc_wire_init init;
	binder_status_t rc;

	rc = rpc_conn_read(conn, &init, sizeof(init), NULL);
	if (rc == STATUS_OK &&
	    memcmp(init.magic, RPC_INIT_MAGIC, sizeof(init.magic)) != 0)
		rc = STATUS_BAD_VALUE;
	return rc;
}

static void *run_worker(void *argument)
{
	struct worker *worker = argument;
	struct rpc_session *session = worker->session;
	struct rpc_conn *conn = worker->conn;
	binder_status_t rc;

	rc = read_init(conn);
	if (rc == STATUS_OK)
		rc = rpc_pool_add_incoming(session, conn);
	report(worker, rc);
	if (rc == STATUS_OK)
		rpc_serve(session, conn);
	else
		rpc_conn_free(conn);
	rpc_session_unref(session);
	return NULL;
}

/* Start a thread that serves @conn, and wait until it does. Takes @conn. */
static binder_status_t start_worker(struct rpc_session *session,
				    struct rpc_conn *conn)
{
	struct worker worker = {.session = session, .conn = conn};
	binder_status_t rc;

	(void)pthread_mutex_init(&worker.lock, NULL);   /* cannot fail */
	(void)pthread_cond_init(&worker.changed, NULL); /* cannot fail */
	rpc_session_ref(session);
	rc = rpc_thread_start(run_worker, &worker);
	if (rc == STATUS_OK) {
		(void)pthread_mutex_lock(&worker.lock);
		while (!worker.ready)
			(void)pthread_cond_wait(&worker.changed, &worker.lock);
		(void)pthread_mutex_unlock(&worker.lock);
		rc = worker.status;
	} else {
		rpc_conn_free(conn);
		rpc_session_unref(session);
	}
	(void)pthread_cond_destroy(&worker.changed);
	(void)pthread_mutex_destroy(&worker.lock);
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
			rc = start_worker(session, conn);
		if (rc != STATUS_OK)
			break;
	}
	return rc;
}

/* ---- set-up
 * ------------------------------------------------------------------- */

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

static AIBinder *set_up(ARpcSession *handle, const struct dialer *dialer)
{
	AIBinder *root = NULL;

	if (handle->session || handle->fd_mode > RPC_FD_MODE_UNIX) {
		handle->error = STATUS_INVALID_OPERATION;
		return NULL;
	}
	handle->session = rpc_session_new(false, &handle->settings);
	if (!handle->session) {
		handle->error = STATUS_NO_MEMORY;
		return NULL;
	}
	handle->session->base.allow_fds = handle->fd_mode == RPC_FD_MODE_UNIX;
	handle->session->base.notices_death = handle->settings.max_threads > 0;
	handle->error = connect_session(handle, dialer, handle->session, &root);
	if (handle->error != STATUS_OK)
		rpc_session_end(handle->session);
	return root;
}

static int dial_address(const struct dialer *dialer)
{
	return rpc_socket_connect(&dialer->address);
}

static int dial_bootstrap(const struct dialer *dialer)
{
	return rpc_socket_bootstrap(dialer->bootstrap);
}

static int dial_preconnected(const struct dialer *dialer)
{
	return dialer->request(dialer->param);
}

/* ---- the interface
 * -------------------------------------------------------------- */

ARpcSession *ARpcSession_new(void)
{
	ARpcSession *handle = calloc(1, sizeof(*handle));

	if (!handle)
		return NULL;
	handle->settings.version = RPC_VERSION_MAX;
	handle->settings.max_frame = RPC_MAX_FRAME_DEFAULT;
	handle->max_outgoing = DEFAULT_OUTGOING;
	return handle;
}

void ARpcSession_free(ARpcSession *handle)
{
	if (!handle)
		return;
	if (handle->session)
		rpc_drain_idle(handle->session);
	/* without objects nobody could ever use or end it */
	if (handle->session && rpc_table_count(&handle->session->table) == 0)
		rpc_session_end(handle->session);
	rpc_session_unref(handle->session);
	free(handle);
}

void ARpcSession_setFileDescriptorTransportMode(
	ARpcSession *handle, ARpcSession_FileDescriptorTransportMode mode)
{
	handle->fd_mode = (uint8_t)mode;
}

void ARpcSession_setMaxIncomingThreads(ARpcSession *handle, size_t threads)
{
	handle->settings.max_threads = threads;
}

void ARpcSession_setMaxOutgoingConnections(ARpcSession *handle,
					   size_t connections)
{
	handle->max_outgoing = connections > 0 ? connections : 1;
}

AIBinder *ARpcSession_setupVsockClient(ARpcSession *handle, unsigned int cid,
				       unsigned int port)
{
	struct dialer dialer = {.dial = dial_address};

	rpc_address_vsock(cid, port, &dialer.address);
	return set_up(handle, &dialer);
}

AIBinder *ARpcSession_setupUnixDomainClient(ARpcSession *handle,
					    const char *name)
{
	struct dialer dialer = {.dial = dial_address};

	if (rpc_address_unix(name, &dialer.address) < 0) {
		handle->error = STATUS_BAD_VALUE;
		return NULL;
	}
	return set_up(handle, &dialer);
}

AIBinder *ARpcSession_setupUnixDomainBootstrapClient(ARpcSession *handle,
						     int fd)
{
	/* connections are made during this call only: borrowing is enough */
	const struct dialer dialer = {.dial = dial_bootstrap, .bootstrap = fd};

	return set_up(handle, &dialer);
}

AIBinder *ARpcSession_setupInet(ARpcSession *handle, const char *address,
				unsigned int port)
{
	struct dialer dialer = {.dial = dial_address};

	if (rpc_address_inet(address, port, &dialer.address) < 0) {
		handle->error = STATUS_BAD_VALUE;
		return NULL;
	}
	return set_up(handle, &dialer);
}

AIBinder *ARpcSession_setupPreconnectedClient(ARpcSession *handle,
					      int (*request_fd)(void *param),
					      void *param)
{
	const struct dialer dialer = {.dial = dial_preconnected,
				      .request = request_fd,
				      .param = param};

	return set_up(handle, &dialer);
}

bool AvfRpcSession_setProtocolVersion(ARpcSession *handle, uint32_t version)
{
	if (version > RPC_VERSION_MAX)
		return false;
	handle->settings.version = version;
	return true;
}

void AvfRpcSession_setCallTimeout(ARpcSession *handle, uint32_t ms)
{
	handle->settings.call_timeout_ms = ms;
}

void AvfRpcSession_setMaxFrameSize(ARpcSession *handle, uint32_t bytes)
{
	handle->settings.max_frame = bytes;
}

binder_status_t AvfRpcSession_getError(const ARpcSession *handle)
{
	return handle->error;
}

uint32_t AvfRpcSession_getProtocolVersion(const ARpcSession *handle)
{
	return handle->session ? handle->session->settings.version
			       : handle->settings.version;
}

size_t AvfRpcSession_countObjects(const ARpcSession *handle)
{
	if (!handle->session)
		return 0;
	rpc_drain_idle(handle->session);
	return rpc_table_count(&handle->session->table);
}

void AvfRpcSession_shutdown(ARpcSession *handle, bool wait)
{
	if (!handle->session)
		return;
	rpc_session_end(handle->session);
	if (wait)
		rpc_session_wait(handle->session);
}
