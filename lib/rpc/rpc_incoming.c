/*
 * Calls in: a message is taken apart, its handler runs, the answer goes back.
 * What only one call suffers from is its status; whatever leaves the two sides
 * with different ideas of the session ends it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "binder/object.h"
#include "rpc/rpc_call.h"
#include "rpc/rpc_frame.h"
#include "rpc/rpc_oneway.h"

static void delete_parcel(AParcel **parcel)
{
	AParcel_delete(*parcel);
}

/* Pay for the target of a call that has run, as soon as it has. */
static void pay_target(struct rpc_session *session, uint64_t address)
{
	uint64_t amount;
	bool empty;

	amount = rpc_table_pay(&session->table, address, NULL, &empty);
	if (amount > 0)
		rpc_pay(session, address, amount);
	if (empty)
		rpc_session_end(session);
}

/* A call that has been read. */
struct incoming {
	uint64_t address;
	uint32_t code, flags;
	uint64_t number;
	struct parcel_frame parcel; /* owned */
};

static void incoming_fini(struct incoming *call)
{
	parcel_frame_fini(&call->parcel);
}

static binder_status_t parse_call(const struct rpc_session *session,
				  struct rpc_frame *frame,
				  struct incoming *ret_call)
{
	struct rpc_wire_transaction wire;

	memcpy(&wire, frame->body, sizeof(wire));
	ret_call->address = le64_get(wire.address);
	ret_call->code = le32_get(wire.code);
	ret_call->flags = le32_get(wire.flags);
	ret_call->number = le64_get(wire.async_number);
	return rpc_frame_split(session, frame, sizeof(wire),
			       le32_get(wire.parcel_size), &ret_call->parcel);
}

/* The session's own calls; clients have no root. */
static binder_status_t answer_special(struct rpc_session *session,
				      uint32_t code, AParcel *out)
{
	size_t threads = session->settings.max_threads;
	AIBinder *root;
	binder_status_t rc;

	switch (code) {
	case RPC_GET_ROOT:
		if (!session->is_server)
			return STATUS_UNKNOWN_TRANSACTION;
		root = rpc_session_root(session);
		rc = AParcel_writeStrongBinder(out, root);
		AIBinder_decStrong(root);
		return rc;
	case RPC_GET_MAX_THREADS:
		return AParcel_writeInt32(out,
					  (int32_t)MIN(threads, INT32_MAX));
	case RPC_GET_SESSION_ID:
		return AParcel_writeByteArray(out, (const int8_t *)session->id,
					      sizeof(session->id));
	default:
		return STATUS_UNKNOWN_TRANSACTION;
	}
}

static binder_status_t run_special(struct rpc_session *session,
				   struct rpc_conn *conn,
				   const struct incoming *call)
{
	CLEANUP(delete_parcel) AParcel *out = parcel_new(&session->base);
	binder_status_t status;

	if (!out)
		return STATUS_NO_MEMORY;
	status = answer_special(session, call->code, out);
	if (call->flags & FLAG_ONEWAY)
		return STATUS_OK;
	return rpc_frame_write_reply(session, conn, status, out, NULL);
}

static binder_status_t run_oneway(struct rpc_session *session,
				  struct rpc_conn *conn, struct incoming *call,
				  AIBinder *target)
{
	struct rpc_oneway *queued = calloc(1, sizeof(*queued));
	uint64_t address = call->address;
	bool nested = conn->allow_nested;
	binder_status_t rc;

	if (!queued) {
		AIBinder_decStrong(target);
		return STATUS_NO_MEMORY;
	}
	queued->number = call->number;
	queued->code = call->code;
	queued->flags = call->flags;
	queued->frame = call->parcel;
	queued->target = target;
	call->parcel = (struct parcel_frame){0};
	/* nobody waits on this connection: no calls back on it */
	conn->allow_nested = false;
	rc = rpc_oneway_receive(session, address, queued);
	conn->allow_nested = nested;
	if (rc == STATUS_OK)
		pay_target(session, address);
	return rc;
}

/* Run the handler. The connection may carry its calls back. */
static binder_status_t run_handler(struct rpc_session *session,
				   struct rpc_conn *conn, struct incoming *call,
				   AIBinder *target, AParcel *out)
{
	CLEANUP(delete_parcel) AParcel *in = NULL;
	bool nested = conn->allow_nested;
	binder_status_t status;

	in = parcel_new_received(&session->base, &call->parcel);
	if (!in)
		return STATUS_NO_MEMORY;
	in->sensitive = (call->flags & FLAG_CLEAR_BUF) != 0;
	out->sensitive = in->sensitive;
	conn->allow_nested = true;
	status = object_execute(target, call->code, in, out);
	conn->allow_nested = nested;
	return status;
}

/* Answer a call on @address, and pay for it before, so that a caller who has
 * the answer sees it paid. On the same connection both are one write. */
static binder_status_t reply_and_pay(struct rpc_session *session,
				     struct rpc_conn *conn, uint64_t address,
				     binder_status_t status, AParcel *out)
{
	struct rpc_payment payment = {.address = address};
	uint64_t amount;
	bool empty, together;
	binder_status_t rc;

	amount = rpc_table_pay(&session->table, address, NULL, &empty);
	together = amount > 0 && amount <= UINT32_MAX &&
		   (!out || out->n_fds == 0) && rpc_pool_pays_on(session, conn);
	payment.amount = (uint32_t)amount;
	if (amount > 0 && !together)
		rpc_pay(session, address, amount);
	rc = rpc_frame_write_reply(session, conn, status, out,
				   together ? &payment : NULL);
	if (empty)
		rpc_session_end(session);
	return rc;
}

static binder_status_t run_sync(struct rpc_session *session,
				struct rpc_conn *conn, struct incoming *call,
				AIBinder *target, binder_status_t status)
{
	CLEANUP(delete_parcel) AParcel *out = parcel_new(&session->base);
	binder_status_t rc;

	if (!out)
		status = STATUS_NO_MEMORY;
	else if (conn->depth >= RPC_MAX_DEPTH)
		status = STATUS_FAILED_TRANSACTION;
	if (status == STATUS_OK) {
		conn->depth++;
		status = run_handler(session, conn, call, target, out);
		conn->depth--;
	}
	rc = reply_and_pay(session, conn, call->address, status, out);
	AIBinder_decStrong(target);
	return rc;
}

static bool is_allowed(const struct rpc_session *session, uint32_t code)
{
	return !session->settings.methods_only || code == CODE_PING ||
	       code == CODE_INTERFACE || code == CODE_EXTENSION ||
	       (code >= FIRST_CALL_TRANSACTION &&
		code <= LAST_CALL_TRANSACTION);
}

/* A call on an object. What only this call suffers from is answered with a
 * status; the rest is returned, and ends the session. */
static binder_status_t run_call(struct rpc_session *session,
				struct rpc_conn *conn, struct incoming *call)
{
	bool oneway = (call->flags & FLAG_ONEWAY) != 0;
	AIBinder *target;
	binder_status_t rc;

	rc = rpc_table_enter_target(&session->table, call->address, &target);
	if (rc == STATUS_BAD_VALUE)
		return oneway ? STATUS_OK
			      : rpc_frame_write_reply(session, conn, rc, NULL,
						      NULL);
	if (rc != STATUS_OK)
		return rc;
	rc = parcel_check_positions(&call->parcel);
	if (rc == STATUS_OK && !is_allowed(session, call->code))
		rc = STATUS_UNKNOWN_TRANSACTION;
	if (!oneway)
		return run_sync(session, conn, call, target, rc);
	if (rc == STATUS_OK)
		return run_oneway(session, conn, call, target);
	AIBinder_decStrong(target);
	return rc; /* its number would be missing for ever */
}

binder_status_t rpc_execute(struct rpc_session *session, struct rpc_conn *conn,
			    struct rpc_frame *frame)
{
	CLEANUP(incoming_fini) struct incoming call = {0};
	const uint64_t deadline = conn->deadline_ns;
	const uint32_t timeout_ms = session->settings.call_timeout_ms;
	binder_status_t rc;

	rc = parse_call(session, frame, &call);
	if (rc != STATUS_OK)
		return rc;
	/* our reply has its own time; without one, what the call that waits
	 * here has left */
	if (timeout_ms != 0)
		(void)rpc_conn_set_timeout(conn, timeout_ms);
	if (call.address == 0)
		rc = run_special(session, conn, &call);
	else
		rc = run_call(session, conn, &call);
	/* what was refused before anybody has read it */
	if (rc == STATUS_OK)
		rpc_frame_discard(session, &call.parcel);
	conn->deadline_ns = deadline;
	return rc;
}

/* The next message of a connection that is served. */
static binder_status_t serve_one(struct rpc_session *session,
				 struct rpc_conn *conn, bool *ret_eof)
{
	CLEANUP(rpc_frame_fini) struct rpc_frame frame = {0};
	binder_status_t rc;

	rc = rpc_frame_read(session, conn, &frame, ret_eof);
	if (rc != STATUS_OK)
		return rc;
	if (frame.command == RPC_TRANSACT) {
		/* who only makes oneway calls to this peer reads nothing there,
		 * and would keep what the peer has paid for long ago */
		rpc_drain_idle(session);
		return rpc_execute(session, conn, &frame);
	}
	if (frame.command != RPC_DEC_STRONG)
		return STATUS_BAD_TYPE; /* a reply to nothing */
	rpc_apply_dec_strong(session, &frame);
	return STATUS_OK;
}

binder_status_t rpc_serve_next(struct rpc_session *session,
			       struct rpc_conn *conn)
{
	bool eof;
	binder_status_t rc;

	rc = rpc_pay_owed(session, conn);
	return rc == STATUS_OK ? serve_one(session, conn, &eof) : rc;
}

void rpc_serve_end(struct rpc_session *session, struct rpc_conn *conn, bool eof)
{
	/* a client that closes one of several connections may do that; a
	 * server that does is gone */
	if (rpc_pool_incoming_done(session) || !eof || !session->is_server)
		rpc_session_end(session);
	rpc_pool_thread_ended(session, conn);
}

void rpc_serve(struct rpc_session *session, struct rpc_conn *conn)
{
	bool eof = false;
	binder_status_t rc = STATUS_OK;

	conn->deadline_ns = 0; /* a peer may be idle for ever */
	while (rc == STATUS_OK) {
		rc = rpc_pay_while_idle(session, conn);
		if (rc == STATUS_OK)
			rc = serve_one(session, conn, &eof);
	}
	rpc_serve_end(session, conn, eof);
}
