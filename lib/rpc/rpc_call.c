/*
 * Calls out and calls in. A thread that calls reads its connection until the
 * reply is there, and serves the calls that come before it; a thread that
 * serves reads calls only. Both meet in execute().
 */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "binder/status.h"
#include "rpc/rpc_frame.h"
#include "rpc/rpc_oneway.h"

static void delete_parcel(AParcel **parcel)
{
	AParcel_delete(*parcel);
}

/* ---- paying references ------------------------------------------------------
 */

/* Pay on @conn. What the peer does not take at once is owed: a server that
 * waited for a client to read would not serve it meanwhile, and the client
 * reads when it is served. */
static binder_status_t pay_on(struct rpc_session *session,
			      struct rpc_conn *conn, uint64_t address,
			      uint64_t amount)
{
	uint32_t part;
	binder_status_t rc;

	for (; amount > 0; amount -= part) {
		part = (uint32_t)MIN(amount, UINT32_MAX);
		rc = rpc_frame_write_dec_strong(conn, address, part);
		if (rc == STATUS_WOULD_BLOCK)
			rpc_table_owe(&session->table, address, amount);
		if (rc != STATUS_OK)
			return rc;
	}
	return STATUS_OK;
}

void rpc_pay(struct rpc_session *session, uint64_t address, uint64_t amount)
{
	struct rpc_conn *conn;
	binder_status_t rc;

	rc = rpc_pool_get(session, RPC_USE_REFCOUNT, &conn);
	if (rc == STATUS_WOULD_BLOCK)
		rpc_table_owe(&session->table, address, amount);
	if (rc != STATUS_OK)
		return;
	rc = pay_on(session, conn, address, amount);
	rpc_pool_put(session, conn);
	if (rc != STATUS_OK && rc != STATUS_WOULD_BLOCK)
		rpc_session_end(session);
}

/* Pay on @conn what could not be paid where it arose. */
static binder_status_t pay_owed(struct rpc_session *session,
				struct rpc_conn *conn)
{
	uint64_t address, amount;
	binder_status_t rc = STATUS_OK;

	while (rc == STATUS_OK &&
	       rpc_table_take_owed(&session->table, &address, &amount))
		rc = pay_on(session, conn, address, amount);
	return rc == STATUS_WOULD_BLOCK ? STATUS_OK : rc;
}

/* The same until there is something to read. */
static binder_status_t pay_while_idle(struct rpc_session *session,
				      struct rpc_conn *conn)
{
	bool readable = false;
	binder_status_t rc = STATUS_OK;

	while (rc == STATUS_OK && !readable &&
	       rpc_table_owes(&session->table)) {
		rc = pay_owed(session, conn);
		if (rc == STATUS_OK && rpc_table_owes(&session->table))
			rc = rpc_conn_wait(conn, &readable);
	}
	return rc;
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

/* ---- calls in
 * ----------------------------------------------------------------- */

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
	if (!oneway)
		return run_sync(session, conn, call, target, rc);
	if (rc == STATUS_OK)
		return run_oneway(session, conn, call, target);
	AIBinder_decStrong(target);
	return rc; /* its number would be missing for ever */
}

/* Execute what is in @frame, and answer it. */
static binder_status_t execute(struct rpc_session *session,
			       struct rpc_conn *conn, struct rpc_frame *frame)
{
	CLEANUP(incoming_fini) struct incoming call = {0};
	uint64_t deadline;
	binder_status_t rc;

	rc = parse_call(session, frame, &call);
	if (rc != STATUS_OK)
		return rc;
	/* our reply has its own time */
	deadline =
		rpc_conn_set_timeout(conn, session->settings.call_timeout_ms);
	if (call.address == 0)
		rc = run_special(session, conn, &call);
	else
		rc = run_call(session, conn, &call);
	conn->deadline_ns = deadline;
	return rc;
}

/* A thread of the session: one message after the other. */
static binder_status_t serve_one(struct rpc_session *session,
				 struct rpc_conn *conn, bool *ret_eof)
{
	CLEANUP(rpc_frame_fini) struct rpc_frame frame = {0};
	binder_status_t rc;

	rc = rpc_frame_read(session, conn, &frame, ret_eof);
	if (rc != STATUS_OK)
		return rc;
	if (frame.command == RPC_TRANSACT)
		return execute(session, conn, &frame);
	if (frame.command != RPC_DEC_STRONG)
		return STATUS_BAD_TYPE; /* a reply to nothing */
	rpc_apply_dec_strong(session, &frame);
	return STATUS_OK;
}

void rpc_serve(struct rpc_session *session, struct rpc_conn *conn)
{
	bool eof = false;
	binder_status_t rc = STATUS_OK;

	conn->deadline_ns = 0; /* a peer may be idle for ever */
	while (rc == STATUS_OK) {
		rc = pay_while_idle(session, conn);
		if (rc == STATUS_OK)
			rc = serve_one(session, conn, &eof);
	}
	/* a client that closes one of several connections may do that; a
	 * server that does is gone */
	if (rpc_pool_incoming_done(session) || !eof || !session->is_server)
		rpc_session_end(session);
	rpc_pool_thread_ended(session, conn);
}

/* ---- calls out
 * ------------------------------------------------------------------ */

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
	if (*ret_status != STATUS_OK)
		return STATUS_OK;
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
			rc = execute(session, conn, &frame);
		else
			rpc_apply_dec_strong(session, &frame);
		rpc_frame_fini(&frame);
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
	conn->writing = true;
	rc = rpc_frame_write_call(session, conn, call, in);
	conn->writing = false;
	if (rc == STATUS_OK && !oneway)
		rc = await_reply(session, conn, &status, ret_out);
	conn->deadline_ns = deadline;
	conn->allow_nested = nested;
	if (rc == STATUS_OK)
		rc = pay_owed(session, conn);
	rpc_pool_put(session, conn);
	if (rc == STATUS_OK)
		return status;
	rpc_session_end(session);
	return rc == STATUS_TIMED_OUT ? rc : STATUS_DEAD_OBJECT;
}

void rpc_drain_idle(struct rpc_session *session)
{
	struct rpc_conn *conn;
	bool nested;
	binder_status_t rc = STATUS_OK;

	while (rc == STATUS_OK &&
	       (conn = rpc_pool_get_readable(session)) != NULL) {
		nested = conn->allow_nested;
		conn->allow_nested = false;
		rc = rpc_frame_drain(session, conn);
		conn->allow_nested = nested;
		rpc_pool_put(session, conn);
	}
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
		rpc_pool_put(session, conn);
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
