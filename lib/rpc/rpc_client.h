/* The client's side of a session: its handle, and how it is set up. */
#pragma once

#include <android/binder_rpc_unstable.h>

#include "rpc/rpc_session.h"
#include "rpc/rpc_socket.h"

/* One thread at a time uses a handle. */
struct ARpcSession {
	struct rpc_settings settings;
	uint8_t fd_mode;
	size_t max_outgoing;
	uint32_t connect_timeout_ms; /* 0: none */
	struct rpc_transport transport;
	struct rpc_session *session; /* used; NULL: not connected yet */
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

/** Make the connections of @handle's session, and fetch the root object with a
 * reference. NULL: there is none, or @handle->error says why. */
AIBinder *rpc_client_set_up(ARpcSession *handle, const struct dialer *dialer);

/** Start a thread that serves @conn, and wait until it does. Takes @conn. */
binder_status_t rpc_client_start_thread(struct rpc_session *session,
					struct rpc_conn *conn);
