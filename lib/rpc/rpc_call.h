/*
 * What calls out, calls in and the payment of references ask of each other.
 * All of it belongs to the thread that has the connection. Errors of these end
 * the session, which is left to the caller.
 */
#pragma once

#include "rpc/rpc_frame.h"

/** Execute the call that is in @frame, and answer it. */
binder_status_t rpc_execute(struct rpc_session *session, struct rpc_conn *conn,
			    struct rpc_frame *frame);

/** Pay on @conn what could not be paid where it arose. */
binder_status_t rpc_pay_owed(struct rpc_session *session,
			     struct rpc_conn *conn);
/** The same until there is something to read. */
binder_status_t rpc_pay_while_idle(struct rpc_session *session,
				   struct rpc_conn *conn);
