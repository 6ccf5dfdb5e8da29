#include "rpc/rpc_session.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/cleanup.h"

struct rpc_session *to_rpc_session(struct binder_session *base)
{
	return container_of(base, struct rpc_session, base);
}

static void session_ref(struct binder_session *base)
{
	rpc_session_use(to_rpc_session(base));
}

static void session_unref(struct binder_session *base)
{
	rpc_session_unuse(to_rpc_session(base));
}

static binder_status_t session_leave(struct binder_session *base,
				     AIBinder *binder, uint64_t *ret_address)
{
	return rpc_table_leave(&to_rpc_session(base)->table, base, binder,
			       ret_address);
}

static void session_undo_leave(struct binder_session *base, uint64_t address)
{
	rpc_session_paid(to_rpc_session(base), address, 1);
}

/* Whether nobody here can call, and nobody be called. What another thread does
 * meanwhile it sees, or is seen by: it looks here as well, after it has given
 * up the last of the other kind. */
static bool is_unused(struct rpc_session *session)
{
	return !session->is_server &&
	       __atomic_load_n(&session->users, __ATOMIC_SEQ_CST) == 0 &&
	       !rpc_table_exports(&session->table);
}

void rpc_session_paid(struct rpc_session *session, uint64_t address,
		      uint64_t amount)
{
	AIBinder *drop;
	uint64_t pay;
	bool empty;

	empty = rpc_table_paid(&session->table, address, amount, &drop, &pay);
	AIBinder_decStrong(drop);
	if (pay > 0)
		rpc_pay(session, address, pay);
	if (empty || (drop && is_unused(session)))
		rpc_session_end(session);
}

void rpc_session_use(struct rpc_session *session)
{
	if (__atomic_fetch_add(&session->users, 1, __ATOMIC_SEQ_CST) == 0)
		rpc_session_ref(session);
}

void rpc_session_unuse(struct rpc_session *session)
{
	if (!session ||
	    __atomic_fetch_sub(&session->users, 1, __ATOMIC_SEQ_CST) != 1)
		return;
	if (is_unused(session))
		rpc_session_end(session);
	rpc_session_unref(session);
}

/* Pay for @address what there is to pay. */
static void pay_for(struct rpc_session *session, uint64_t address,
		    const AIBinder *proxy)
{
	uint64_t amount;
	bool empty;

	amount = rpc_table_pay(&session->table, address, proxy, &empty);
	if (amount > 0)
		rpc_pay(session, address, amount);
	/* nobody can call anybody any more */
	if (empty)
		rpc_session_end(session);
}

static binder_status_t session_enter(struct binder_session *base,
				     uint64_t address, int32_t stability,
				     AIBinder **ret_binder)
{
	struct rpc_session *session = to_rpc_session(base);
	binder_status_t rc;

	rc = rpc_table_enter(&session->table, base, address, stability,
			     ret_binder);
	if (rc == STATUS_OK && !(*ret_binder)->session)
		pay_for(session, address, NULL); /* our own has come back */
	return rc;
}

static void session_release(struct binder_session *base, AIBinder *proxy)
{
	pay_for(to_rpc_session(base), proxy->address, proxy);
}

static bool session_is_alive(struct binder_session *base)
{
	return !rpc_session_ended(to_rpc_session(base));
}

static const struct binder_session_ops session_ops = {
	.ref = session_ref,
	.unref = session_unref,
	.transact = rpc_transact,
	.leave = session_leave,
	.undo_leave = session_undo_leave,
	.enter = session_enter,
	.release = session_release,
	.is_alive = session_is_alive,
};

struct rpc_session *rpc_session_new(bool is_server,
				    const struct rpc_settings *settings)
{
	struct rpc_session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->base.ops = &session_ops;
	session->refs = 1;
	session->is_server = is_server;
	session->settings = *settings;
	rpc_table_init(&session->table, is_server);
	rpc_debts_init(&session->debts);
	(void)pthread_mutex_init(&session->lock, NULL);   /* cannot fail */
	(void)pthread_cond_init(&session->changed, NULL); /* cannot fail */
	return session;
}

void rpc_session_ref(struct rpc_session *session)
{
	__atomic_fetch_add(&session->refs, 1, __ATOMIC_RELAXED);
}

/* Free a list of connections. */
static void free_conns(struct rpc_conn *conn)
{
	struct rpc_conn *next;

	for (; conn; conn = next) {
		next = conn->next;
		rpc_conn_free(conn);
	}
}

void rpc_session_unref(struct rpc_session *session)
{
	if (!session ||
	    __atomic_fetch_sub(&session->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	AIBinder_decStrong(session->root);
	rpc_debts_fini(&session->debts);
	rpc_table_fini(&session->table);
	free_conns(session->outgoing);
	(void)pthread_cond_destroy(&session->changed);
	(void)pthread_mutex_destroy(&session->lock);
	free(session);
}

bool rpc_session_has_id(const struct rpc_session *session, const uint8_t *id)
{
	uint8_t difference = 0;

	for (size_t i = 0; i < RPC_SESSION_ID_SIZE; i++)
		difference |= session->id[i] ^ id[i];
	return difference == 0;
}

AIBinder *rpc_session_root(struct rpc_session *session)
{
	AIBinder *root;

	(void)pthread_mutex_lock(&session->lock);
	root = session->root;
	AIBinder_incStrong(root);
	(void)pthread_mutex_unlock(&session->lock);
	return root;
}

bool rpc_session_ended(struct rpc_session *session)
{
	bool ended;

	(void)pthread_mutex_lock(&session->lock);
	ended = session->ended;
	(void)pthread_mutex_unlock(&session->lock);
	return ended;
}

/* Wake everybody who reads, writes or waits. The connections that nobody uses
 * are freed here, the others by those who use them. */
static bool close_conns(struct rpc_session *session)
{
	struct rpc_conn **link = &session->outgoing;
	struct rpc_conn *idle = NULL;
	struct rpc_conn *conn;
	bool first;

	(void)pthread_mutex_lock(&session->lock);
	first = !session->ended;
	session->ended = true;
	while (first && (conn = *link) != NULL) {
		rpc_conn_shutdown(conn);
		if (conn->owned) {
			link = &conn->next;
			continue;
		}
		*link = conn->next;
		conn->next = idle;
		idle = conn;
		session->n_outgoing--;
	}
	for (conn = session->incoming; first && conn; conn = conn->next)
		rpc_conn_shutdown(conn);
	(void)pthread_cond_broadcast(&session->changed);
	(void)pthread_mutex_unlock(&session->lock);
	free_conns(idle);
	return first;
}

/* The root may keep objects of the peer, and these keep the session. */
static void drop_root(struct rpc_session *session)
{
	AIBinder *root;

	(void)pthread_mutex_lock(&session->lock);
	root = TAKE_PTR(session->root);
	(void)pthread_mutex_unlock(&session->lock);
	AIBinder_decStrong(root);
}

void rpc_session_end(struct rpc_session *session)
{
	struct rpc_node *nodes;

	if (!close_conns(session))
		return;
	/* the callers' references may be among those that are dropped */
	rpc_session_ref(session);
	nodes = rpc_table_close(&session->table);
	rpc_nodes_announce_death(nodes);
	rpc_nodes_free(nodes);
	drop_root(session);
	if (session->on_ended)
		session->on_ended(session, session->userdata);
	rpc_session_unref(session);
}

/* Whether the calling thread serves the session. With the lock held. */
static bool serves(const struct rpc_session *session)
{
	for (const struct rpc_conn *c = session->incoming; c; c = c->next)
		if (c->owned && pthread_equal(c->owner, pthread_self()))
			return true;
	return false;
}

void rpc_session_wait(struct rpc_session *session)
{
	bool own;

	(void)pthread_mutex_lock(&session->lock);
	own = serves(session);
	session->n_waiters += own ? 1 : 0;
	(void)pthread_cond_broadcast(&session->changed);
	/* who serves nothing is waited for by nobody, and waits for all */
	while (session->n_threads > (own ? session->n_waiters : 0))
		(void)pthread_cond_wait(&session->changed, &session->lock);
	session->n_waiters -= own ? 1 : 0;
	(void)pthread_mutex_unlock(&session->lock);
}

binder_status_t rpc_thread_start(void *(*run)(void *argument), void *argument)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	/* signals are the application's: they go to its threads */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, &attr, run, argument);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
	return rc == 0 ? STATUS_OK : STATUS_NO_MEMORY;
}
