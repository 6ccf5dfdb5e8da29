/*
 * Calls out. A thread that calls reads its connection until the reply is
 * there, and serves the calls that come before it: rpc_incoming.c.
 */
#include "rpc/rpc_call.h"

#include <string.h>

#include "base/cleanup.h"
#include "binder/status.h"
#include "rpc/rpc_frame.h"

/* For what lies on connections that nobody uses, all of them. A message that
 * has begun and is not whole by then is none. */
#define DRAIN_NS 3000000000ULL

static void delete_parcel(AParcel **parcel)
{
	AParcel_delete(*parcel);
}

/* What a reply says. *@ret_status is the result of the call, whatever the
 * peer means by it. */
static binder_status_t parse_reply(struct rpc_session *session,
				   struct rpc_frame *frame,
				   binder_status_t *ret_status,
				   AParcel **ret_out)
{
	CLEANUP(parcel_frame_fini) struct parcel_frame parcel = {0};
	struct rpc_wire_reply wire = {0};
	size_t size = session->settings.version == 0 ? RPC_REPLY_SIZE_V0
						     : sizeof(wire);
	binder_status_t rc;

	memcpy(&wire, frame->body, size);
	rc = rpc_frame_split(session, frame, size, le32_get(wire.parcel_size),
			     &parcel);
	if (rc != STATUS_OK)
		return rc;
	*ret_status = (binder_status_t)le32_get(wire.status);
	if (*ret_status == STATUS_OK)
		*ret_status = parcel_check_positions(&parcel);
	if (*ret_status != STATUS_OK) {
		rpc_frame_discard(session, &parcel);
		return STATUS_OK;
	}
	*ret_out = parcel_new_received(&session->base, &parcel);
	if (!*ret_out)
		*ret_status = STATUS_NO_MEMORY;
	return STATUS_OK;
}

/* Read until the reply is there. */
static binder_status_t await_reply(struct rpc_session *session,
				   struct rpc_conn *conn,
				   binder_status_t *ret_status,
				   AParcel **ret_out)
{
	struct rpc_frame frame;
	bool eof, done = false;
	binder_status_t rc;

	do {
		rc = rpc_frame_read(session, conn, &frame, &eof);
		if (rc != STATUS_OK)
			return rc;
		done = frame.command == RPC_REPLY;
		if (done)
			rc = parse_reply(session, &frame, ret_status, ret_out);
		else if (frame.command == RPC_TRANSACT)
			rc = rpc_execute(session, conn, &frame);
		else
			rpc_apply_dec_strong(session, &frame);
		rpc_frame_fini(&frame);
		if (rc == STATUS_OK && !done && !rpc_conn_in_time(conn))
			rc = STATUS_TIMED_OUT;
	} while (rc == STATUS_OK && !done);
	return rc;
}

/* Write @call on @conn, and wait for the answer if there is one. What goes
 * wrong here ends the session: nobody knows where the connection stands. */
static binder_status_t exchange(struct rpc_session *session,
				struct rpc_conn *conn,
				const struct rpc_wire_transaction *call,
				AParcel *in, AParcel **ret_out)
{
	bool oneway = (le32_get(call->flags) & FLAG_ONEWAY) != 0;
	bool nested = conn->allow_nested;
	binder_status_t status = STATUS_OK;
	uint64_t deadline;
	binder_status_t rc;

	/* what ends meanwhile may call as well: not on this connection, where
	 * it would take the reply for its own */
	conn->allow_nested = false;
	deadline =
		rpc_conn_set_timeout(conn, session->settings.call_timeout_ms);
	/* the session's own calls are made while it connects */
	if (le64_get(call->address) == 0 && session->connect_by_ns != 0)
		conn->deadline_ns = session->connect_by_ns;
	conn->writing = true;
	rc = rpc_frame_write_call(session, conn, call, in);
	conn->writing = false;
	if (rc == STATUS_OK && !oneway)
		rc = await_reply(session, conn, &status, ret_out);
	conn->deadline_ns = deadline;
	conn->allow_nested = nested;
	if (rc == STATUS_OK)
		rc = rpc_pay_owed(session, conn);
	rpc_put_and_pay(session, conn);
	if (rc == STATUS_OK)
		return status;
	rpc_session_end(session);
	return rc == STATUS_TIMED_OUT ? rc : STATUS_DEAD_OBJECT;
}

/* Drain @conn, which nobody used, until @deadline_ns at the latest. */
static binder_status_t drain_until(struct rpc_session *session,
				   struct rpc_conn *conn, uint64_t deadline_ns)
{
	const uint64_t deadline = conn->deadline_ns;
	const bool nested = conn->allow_nested;
	binder_status_t rc = STATUS_OK;

	conn->deadline_ns = deadline_ns;
	conn->allow_nested = false;
	if (rpc_conn_readable(conn))
		rc = rpc_frame_drain(session, conn);
	conn->allow_nested = nested;
	conn->deadline_ns = deadline;
	return rc;
}

void rpc_drain_idle(struct rpc_session *session)
{
	const uint64_t until = clock_now_ns() + DRAIN_NS;
	struct rpc_conn *conn;
	binder_status_t rc = STATUS_OK;

	while (rc == STATUS_OK &&
	       (conn = rpc_pool_get_readable(session)) != NULL) {
		rc = drain_until(session, conn, until);
		rpc_put_and_pay(session, conn);
		if (clock_now_ns() >= until)
			break;
	}
	/* a client may close what it is called on before it is done with its
	 * own calls; the end of those is the session's */
	if (rc == STATUS_DEAD_OBJECT && session->is_server)
		return;
	if (rc != STATUS_OK)
		rpc_session_end(session);
}

/* The wire's words for a call. Counts the target as sent. */
static binder_status_t prepare(struct rpc_session *session, AIBinder *target,
			       const AParcel *in, uint32_t flags,
			       struct rpc_wire_transaction *call)
{
	uint64_t address, number = 0;
	binder_status_t rc;

	rc = rpc_table_leave(&session->table, &session->base, target, &address);
	if (rc != STATUS_OK)
		return rc;
	if (flags & FLAG_ONEWAY)
		number = rpc_table_next_async(&session->table, address);
	call->address = le64_make(address);
	call->flags = le32_make(flags & ~(uint32_t)FLAG_PRIVATE_VENDOR);
	call->async_number = le64_make(number);
	call->parcel_size = le32_make((uint32_t)in->size);
	return STATUS_OK;
}

binder_status_t rpc_transact(struct binder_session *base, AIBinder *target,
			     uint32_t code, AParcel *in, uint32_t flags,
			     AParcel **ret_out)
{
	struct rpc_session *session = to_rpc_session(base);
	struct rpc_wire_transaction call = {.code = le32_make(code)};
	bool oneway = (flags & FLAG_ONEWAY) != 0;
	struct rpc_conn *conn;
	binder_status_t rc;

	rc = rpc_frame_check(session, in);
	if (rc != STATUS_OK)
		return rc;
	/* first, since without one nothing may be counted */
	rc = rpc_pool_get(session, oneway ? RPC_USE_ONEWAY : RPC_USE_CALL,
			  &conn);
	if (rc != STATUS_OK)
		return rc;
	rc = prepare(session, target, in, flags, &call);
	if (rc != STATUS_OK) {
		rpc_put_and_pay(session, conn);
		return rc;
	}
	return exchange(session, conn, &call, in, ret_out);
}

binder_status_t rpc_call_special(struct rpc_session *session, uint32_t code,
				 AParcel **ret_out)
{
	CLEANUP(delete_parcel) AParcel *in = parcel_new(&session->base);
	const struct rpc_wire_transaction call = {.code = le32_make(code)};
	struct rpc_conn *conn;
	binder_status_t rc;

	*ret_out = NULL;
	if (!in)
		return STATUS_NO_MEMORY;
	rc = rpc_pool_get(session, RPC_USE_CALL, &conn);
	if (rc != STATUS_OK)
		return rc;
	rc = exchange(session, conn, &call, in, ret_out);
	return rc == STATUS_OK ? rc : status_prune(rc);
}
