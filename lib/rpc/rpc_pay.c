/*
 * Paying references back: on a connection that this thread has anyway, on a
 * free one, or later by who has one.
 */
#include "base/checked.h"
#include "rpc/rpc_call.h"
#include "rpc/rpc_frame.h"

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
			rpc_debts_add(&session->debts, address, amount);
		/* a client that has gone wants nothing back, but may have
		 * called before: who reads finds the end behind its calls */
		if (rc == STATUS_DEAD_OBJECT && session->is_server)
			return STATUS_OK;
		if (rc != STATUS_OK)
			return rc;
	}
	return STATUS_OK;
}

/* Pay what is owed, until the peer takes no more. */
static binder_status_t pay_all(struct rpc_session *session,
			       struct rpc_conn *conn)
{
	uint64_t address, amount;
	binder_status_t rc = STATUS_OK;

	while (rc == STATUS_OK &&
	       rpc_debts_take(&session->debts, &address, &amount))
		rc = pay_on(session, conn, address, amount);
	return rc;
}

/*
 * Pay what is owed if a connection can be had. Whoever owes something looks
 * for a connection afterwards, and whoever puts one back looks for debts
 * afterwards: with the pool's lock between, one of the two sees the other.
 */
static void pay_debts(struct rpc_session *session)
{
	struct rpc_conn *conn;
	binder_status_t rc = STATUS_OK;

	while (rc == STATUS_OK && rpc_debts_any(&session->debts)) {
		if (rpc_pool_get(session, RPC_USE_REFCOUNT, &conn) != STATUS_OK)
			return;
		rc = pay_all(session, conn);
		rpc_pool_put(session, conn);
	}
	if (rc != STATUS_OK && rc != STATUS_WOULD_BLOCK)
		rpc_session_end(session);
}

void rpc_pay(struct rpc_session *session, uint64_t address, uint64_t amount)
{
	struct rpc_conn *conn;
	binder_status_t rc;

	rc = rpc_pool_get(session, RPC_USE_REFCOUNT, &conn);
	if (rc == STATUS_WOULD_BLOCK) {
		rpc_debts_add(&session->debts, address, amount);
		/* the last connection may have become free before that */
		pay_debts(session);
	}
	if (rc != STATUS_OK)
		return;
	rc = pay_on(session, conn, address, amount);
	rpc_pool_put(session, conn);
	if (rc == STATUS_OK)
		pay_debts(session);
	else if (rc != STATUS_WOULD_BLOCK)
		rpc_session_end(session);
}

binder_status_t rpc_pay_owed(struct rpc_session *session, struct rpc_conn *conn)
{
	binder_status_t rc = pay_all(session, conn);

	return rc == STATUS_WOULD_BLOCK ? STATUS_OK : rc;
}

void rpc_put_and_pay(struct rpc_session *session, struct rpc_conn *conn)
{
	rpc_pool_put(session, conn);
	pay_debts(session);
}

binder_status_t rpc_pay_while_idle(struct rpc_session *session,
				   struct rpc_conn *conn)
{
	bool readable = false;
	binder_status_t rc = STATUS_OK;

	while (rc == STATUS_OK && !readable && rpc_debts_any(&session->debts)) {
		rc = rpc_pay_owed(session, conn);
		if (rc == STATUS_OK && rpc_debts_any(&session->debts))
			rc = rpc_conn_wait(conn, &readable);
	}
	return rc;
}
