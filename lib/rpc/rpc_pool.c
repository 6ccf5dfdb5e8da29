/*
 * Which connection a thread uses. A thread that serves a call uses the
 * connection of that call to call back: the peer is waiting there. Else it
 * takes a free one of those that are there to call on.
 */
#include "base/checked.h"
#include "rpc/rpc_session.h"

static bool is_mine(const struct rpc_conn *conn)
{
	return conn->owned && pthread_equal(conn->owner, pthread_self());
}

static struct rpc_conn *find_mine(struct rpc_conn *conn)
{
	while (conn && !is_mine(conn))
		conn = conn->next;
	return conn;
}

/* A free connection; counting begins at the turn, so that oneway calls spread
 * over all of them. */
static struct rpc_conn *find_free(const struct rpc_session *session)
{
	struct rpc_conn *before = NULL; /* free, in front of the turn */
	struct rpc_conn *conn = session->outgoing;

	for (size_t i = 0; conn; conn = conn->next, i++) {
		if (conn->owned)
			continue;
		if (i >= session->turn)
			return conn;
		if (!before)
			before = conn;
	}
	return before;
}

/* A connection on which this thread may call now, or NULL. */
static struct rpc_conn *find(const struct rpc_session *session,
			     enum rpc_use use)
{
	struct rpc_conn *serving = find_mine(session->incoming);
	struct rpc_conn *calling = find_mine(session->outgoing);
	struct rpc_conn *conn;

	/* a oneway call is not what the waiting peer expects */
	if (use != RPC_USE_ONEWAY) {
		if (serving && serving->allow_nested)
			return serving;
		if (calling && calling->allow_nested)
			return calling;
	}
	conn = find_free(session);
	if (conn || use != RPC_USE_REFCOUNT)
		return conn;
	/* references are welcome wherever the peer reads next */
	if (calling && !calling->writing)
		return calling;
	return serving && !serving->writing ? serving : NULL;
}

bool rpc_pool_pays_on(struct rpc_session *session, const struct rpc_conn *conn)
{
	bool same;

	(void)pthread_mutex_lock(&session->lock);
	same = find(session, RPC_USE_REFCOUNT) == conn;
	(void)pthread_mutex_unlock(&session->lock);
	return same;
}

/* Whether a free connection may come to this thread by waiting: somebody else
 * must have one, and not wait itself, be it for one of this thread's. */
static bool worth_waiting(const struct rpc_session *session)
{
	for (const struct rpc_conn *c = session->outgoing; c; c = c->next)
		if (!is_mine(c) && !(c->owned && c->owner_waits))
			return true;
	return false;
}

/* Say of the connections that this thread has whether it waits. */
static void mark_mine(struct rpc_session *session, bool waits)
{
	for (struct rpc_conn *c = session->outgoing; c; c = c->next)
		if (is_mine(c))
			c->owner_waits = waits;
}

static void wait_for_change(struct rpc_session *session)
{
	mark_mine(session, true);
	(void)pthread_cond_wait(&session->changed, &session->lock);
	mark_mine(session, false);
}

binder_status_t rpc_pool_get(struct rpc_session *session, enum rpc_use use,
			     struct rpc_conn **ret_conn)
{
	struct rpc_conn *conn = NULL;
	binder_status_t rc = STATUS_OK;

	(void)pthread_mutex_lock(&session->lock);
	for (;;) {
		if (session->ended)
			rc = STATUS_DEAD_OBJECT;
		else
			conn = find(session, use);
		/* who drops an object never waits for another thread's call */
		if (rc == STATUS_OK && !conn &&
		    (use == RPC_USE_REFCOUNT || !worth_waiting(session)))
			rc = STATUS_WOULD_BLOCK;
		if (rc != STATUS_OK || conn)
			break;
		wait_for_change(session);
	}
	if (conn) {
		conn->users++;
		conn->owner = pthread_self();
		conn->owned = true;
		if (use == RPC_USE_ONEWAY && session->n_outgoing > 0)
			session->turn =
				(session->turn + 1) % session->n_outgoing;
		*ret_conn = conn;
	}
	(void)pthread_mutex_unlock(&session->lock);
	return rc;
}

struct rpc_conn *rpc_pool_get_readable(struct rpc_session *session)
{
	struct rpc_conn *conn;

	(void)pthread_mutex_lock(&session->lock);
	conn = session->ended ? NULL : session->outgoing;
	while (conn && (conn->owned || !rpc_conn_has_input(conn)))
		conn = conn->next;
	if (conn) {
		conn->users++;
		conn->owner = pthread_self();
		conn->owned = true;
	}
	(void)pthread_mutex_unlock(&session->lock);
	return conn;
}

/* Take @conn out of the list. */
static void unlink_conn(struct rpc_conn **list, const struct rpc_conn *conn)
{
	while (*list != conn)
		list = &(*list)->next;
	*list = conn->next;
}

static bool is_outgoing(const struct rpc_session *session,
			const struct rpc_conn *conn)
{
	const struct rpc_conn *c = session->outgoing;

	while (c && c != conn)
		c = c->next;
	return c != NULL;
}

void rpc_pool_put(struct rpc_session *session, struct rpc_conn *conn)
{
	struct rpc_conn *dead = NULL;

	(void)pthread_mutex_lock(&session->lock);
	conn->users--;
	if (conn->users == 0) {
		conn->owned = false;
		(void)pthread_cond_broadcast(&session->changed);
		if (session->ended && is_outgoing(session, conn)) {
			unlink_conn(&session->outgoing, conn);
			session->n_outgoing--;
			dead = conn;
		}
	}
	(void)pthread_mutex_unlock(&session->lock);
	rpc_conn_free(dead);
}

void rpc_pool_own(struct rpc_conn *conn)
{
	conn->owner = pthread_self();
	conn->owned = true;
	conn->users = 1;
}

binder_status_t rpc_pool_add_outgoing(struct rpc_session *session,
				      struct rpc_conn *conn, size_t max)
{
	binder_status_t rc = STATUS_OK;

	(void)pthread_mutex_lock(&session->lock);
	if (session->ended)
		rc = STATUS_DEAD_OBJECT;
	else if (session->n_outgoing >= max)
		rc = STATUS_BAD_VALUE;
	if (rc == STATUS_OK) {
		conn->next = session->outgoing;
		session->outgoing = conn;
		session->n_outgoing++;
		(void)pthread_cond_broadcast(&session->changed);
	}
	(void)pthread_mutex_unlock(&session->lock);
	if (rc != STATUS_OK)
		rpc_conn_free(conn);
	return rc;
}

binder_status_t rpc_pool_add_incoming(struct rpc_session *session,
				      struct rpc_conn *conn)
{
	binder_status_t rc = STATUS_OK;

	(void)pthread_mutex_lock(&session->lock);
	if (session->ended)
		rc = STATUS_DEAD_OBJECT;
	else if (session->n_incoming >= session->settings.max_threads ||
		 session->incoming_ended)
		rc = STATUS_BAD_VALUE;
	if (rc == STATUS_OK) {
		rpc_pool_own(conn);
		conn->next = session->incoming;
		session->incoming = conn;
		session->n_incoming++;
		session->n_threads++;
	}
	(void)pthread_mutex_unlock(&session->lock);
	return rc;
}

bool rpc_pool_incoming_done(struct rpc_session *session)
{
	bool last;

	(void)pthread_mutex_lock(&session->lock);
	session->n_incoming--;
	session->incoming_ended = true;
	last = session->n_incoming == 0;
	(void)pthread_mutex_unlock(&session->lock);
	return last;
}

void rpc_pool_thread_ended(struct rpc_session *session, struct rpc_conn *conn)
{
	(void)pthread_mutex_lock(&session->lock);
	unlink_conn(&session->incoming, conn);
	(void)pthread_mutex_unlock(&session->lock);
	rpc_conn_free(conn);
	/* last: whoever waits for it may count descriptors */
	(void)pthread_mutex_lock(&session->lock);
	session->n_threads--;
	(void)pthread_cond_broadcast(&session->changed);
	(void)pthread_mutex_unlock(&session->lock);
}
