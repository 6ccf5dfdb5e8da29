/* Which connection a thread gets. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "binder/object.h"
#include "rpc/rpc_session.h"
#include "support/raw_peer.h"

static const struct rpc_settings settings = {.version = 1, .max_threads = 2};
static struct rpc_session *session;

static void set_up(void)
{
	session = rpc_session_new(true, &settings);
	cr_assert(session);
}

static void tear_down(void)
{
	rpc_session_end(session);
	rpc_session_unref(session);
}

TestSuite(pool, .init = set_up, .fini = tear_down, .timeout = 60);

/* A connection whose other end is *@ret_peer. */
static struct rpc_conn *new_conn(int *ret_peer)
{
	struct rpc_conn *conn;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
		     0);
	conn = rpc_conn_new(pair[0], false);
	*ret_peer = pair[1];
	cr_assert(conn);
	return conn;
}

static struct rpc_conn *add_outgoing(int *ret_peer)
{
	struct rpc_conn *conn = new_conn(ret_peer);

	cr_assert_eq(rpc_pool_add_outgoing(session, conn, 10), STATUS_OK);
	return conn;
}

/* What a thread that serves has done before: leaves it so. */
static void stop_serving(struct rpc_conn *conn)
{
	(void)rpc_pool_incoming_done(session);
	rpc_pool_thread_ended(session, conn);
}

Test(pool, nobody_to_call_on)
{
	struct rpc_conn *conn;

	for (int use = RPC_USE_CALL; use <= RPC_USE_REFCOUNT; use++)
		cr_expect_eq(rpc_pool_get(session, (enum rpc_use)use, &conn),
			     STATUS_WOULD_BLOCK);
	rpc_session_end(session);
	cr_expect_eq(rpc_pool_get(session, RPC_USE_CALL, &conn),
		     STATUS_DEAD_OBJECT);
	cr_expect_null(rpc_pool_get_readable(session));
}

Test(pool, one_that_is_used_is_not_free)
{
	struct rpc_conn *only, *conn, *again;
	int peer;

	only = add_outgoing(&peer);
	cr_assert_eq(rpc_pool_get(session, RPC_USE_CALL, &conn), STATUS_OK);
	cr_expect_eq(conn, only);
	/* waiting for oneself would be for ever */
	cr_expect_eq(rpc_pool_get(session, RPC_USE_CALL, &again),
		     STATUS_WOULD_BLOCK);
	cr_expect_eq(rpc_pool_get(session, RPC_USE_ONEWAY, &again),
		     STATUS_WOULD_BLOCK);
	/* references go along, between two messages */
	cr_expect_eq(rpc_pool_get(session, RPC_USE_REFCOUNT, &again),
		     STATUS_OK);
	rpc_pool_put(session, again);
	conn->writing = true;
	cr_expect_eq(rpc_pool_get(session, RPC_USE_REFCOUNT, &again),
		     STATUS_WOULD_BLOCK);
	conn->writing = false;
	rpc_pool_put(session, conn);
	cr_assert_eq(rpc_pool_get(session, RPC_USE_CALL, &conn), STATUS_OK);
	rpc_pool_put(session, conn);
	close(peer);
}

Test(pool, oneway_calls_take_turns)
{
	struct rpc_conn *seen[4];
	int peers[2];

	(void)add_outgoing(&peers[0]);
	(void)add_outgoing(&peers[1]);
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(rpc_pool_get(session, RPC_USE_ONEWAY, &seen[i]),
			     STATUS_OK);
		rpc_pool_put(session, seen[i]);
	}
	cr_expect_neq(seen[0], seen[1]);
	cr_expect_eq(seen[0], seen[2]);
	cr_expect_eq(seen[1], seen[3]);
	close(peers[0]);
	close(peers[1]);
}

/* The peer waits on the connection of the call that is served. */
Test(pool, a_handler_calls_back_on_its_own)
{
	struct rpc_conn *serving, *conn;
	int peer;

	serving = new_conn(&peer);
	cr_assert_eq(rpc_pool_add_incoming(session, serving), STATUS_OK);
	cr_expect_eq(rpc_pool_get(session, RPC_USE_CALL, &conn),
		     STATUS_WOULD_BLOCK, "a oneway handler: nobody waits");
	cr_assert_eq(rpc_pool_get(session, RPC_USE_REFCOUNT, &conn), STATUS_OK);
	cr_expect_eq(conn, serving);
	rpc_pool_put(session, conn);
	serving->allow_nested = true;
	cr_assert_eq(rpc_pool_get(session, RPC_USE_CALL, &conn), STATUS_OK);
	cr_expect_eq(conn, serving);
	cr_expect(rpc_pool_pays_on(session, serving));
	rpc_pool_put(session, conn);
	cr_expect_eq(rpc_pool_get(session, RPC_USE_ONEWAY, &conn),
		     STATUS_WOULD_BLOCK, "nobody expects a oneway call there");
	stop_serving(serving);
	close(peer);
}

Test(pool, a_free_one_is_better_for_references)
{
	struct rpc_conn *serving, *calling, *conn;
	int peers[2];

	serving = new_conn(&peers[0]);
	cr_assert_eq(rpc_pool_add_incoming(session, serving), STATUS_OK);
	calling = add_outgoing(&peers[1]);
	cr_expect_not(rpc_pool_pays_on(session, serving));
	cr_assert_eq(rpc_pool_get(session, RPC_USE_REFCOUNT, &conn), STATUS_OK);
	cr_expect_eq(conn, calling);
	rpc_pool_put(session, conn);
	stop_serving(serving);
	close(peers[0]);
	close(peers[1]);
}

Test(pool, there_is_a_limit)
{
	struct rpc_conn *serving[3];
	int peers[4];

	for (int i = 0; i < 3; i++)
		serving[i] = new_conn(&peers[i]);
	cr_expect_eq(rpc_pool_add_incoming(session, serving[0]), STATUS_OK);
	cr_expect_eq(rpc_pool_add_incoming(session, serving[1]), STATUS_OK);
	cr_expect_eq(rpc_pool_add_incoming(session, serving[2]),
		     STATUS_BAD_VALUE, "two threads");
	/* when one has ended, no other comes in its place */
	cr_expect_not(rpc_pool_incoming_done(session));
	rpc_pool_thread_ended(session, serving[1]);
	cr_expect_eq(rpc_pool_add_incoming(session, serving[2]),
		     STATUS_BAD_VALUE);
	rpc_conn_free(serving[2]); /* still the caller's */
	cr_expect(rpc_pool_incoming_done(session), "the last one");
	rpc_pool_thread_ended(session, serving[0]);
	/* and for those that are called on; taken, also when refused */
	cr_expect_eq(rpc_pool_add_outgoing(session, new_conn(&peers[3]), 0),
		     STATUS_BAD_VALUE);
	cr_expect(raw_closed(peers[3]));
	for (int i = 0; i < 4; i++)
		close(peers[i]);
}

Test(pool, what_has_come_on_one_that_is_free)
{
	struct rpc_conn *conn, *found;
	int peer;

	conn = add_outgoing(&peer);
	cr_expect_null(rpc_pool_get_readable(session));
	raw_send(peer, "00");
	found = rpc_pool_get_readable(session);
	cr_expect_eq(found, conn);
	cr_expect_null(rpc_pool_get_readable(session), "it is used now");
	rpc_pool_put(session, found);
	close(peer);
}

/* ---- two threads
 * ---------------------------------------------------------------------- */

static binder_status_t result;

static void *get_one(void *unused)
{
	struct rpc_conn *conn;

	(void)unused;
	result = rpc_pool_get(session, RPC_USE_CALL, &conn);
	if (result == STATUS_OK)
		rpc_pool_put(session, conn);
	return NULL;
}

Test(pool, others_wait_for_one_that_is_used)
{
	struct rpc_conn *conn;
	pthread_t thread;
	int peer;

	(void)add_outgoing(&peer);
	cr_assert_eq(rpc_pool_get(session, RPC_USE_CALL, &conn), STATUS_OK);
	cr_assert_eq(pthread_create(&thread, NULL, get_one, NULL), 0);
	rpc_pool_put(session, conn);
	pthread_join(thread, NULL);
	cr_expect_eq(result, STATUS_OK);
	close(peer);
}

/* The end wakes those who wait; what is used is freed by who uses it. */
Test(pool, the_end_of_the_session)
{
	struct rpc_conn *conn;
	pthread_t thread;
	int peer;

	(void)add_outgoing(&peer);
	cr_assert_eq(rpc_pool_get(session, RPC_USE_CALL, &conn), STATUS_OK);
	cr_assert_eq(pthread_create(&thread, NULL, get_one, NULL), 0);
	rpc_session_end(session);
	pthread_join(thread, NULL);
	cr_expect_eq(result, STATUS_DEAD_OBJECT);
	cr_expect_eq(session->n_outgoing, 1);
	rpc_pool_put(session, conn);
	cr_expect_eq(session->n_outgoing, 0);
	cr_expect(raw_closed(peer));
	cr_expect_eq(rpc_pool_add_outgoing(session, new_conn(&peer), 10),
		     STATUS_DEAD_OBJECT);
	close(peer);
}

/* ---- references while others call
 * ----------------------------------------------------- */

static AIBinder *proxy;
static pthread_barrier_t step;

static void *drop_it(void *unused)
{
	(void)unused;
	AIBinder_decStrong(proxy);
	return NULL;
}

/* Dropping an object waits for nobody's call: what is to be paid is left to
 * who has the connection. */
Test(pool, a_reference_does_not_wait_for_a_call)
{
	AIBinder *other;
	struct rpc_conn *conn;
	pthread_t thread;
	int peer;

	(void)add_outgoing(&peer);
	cr_assert_eq(session->base.ops->enter(&session->base, 1,
					      STABILITY_SYSTEM, &proxy),
		     STATUS_OK);
	cr_assert_eq(session->base.ops->enter(&session->base, 1ULL << 32 | 1,
					      STABILITY_SYSTEM, &other),
		     STATUS_OK);
	cr_assert_eq(rpc_pool_get(session, RPC_USE_CALL, &conn), STATUS_OK);
	cr_assert_eq(pthread_create(&thread, NULL, drop_it, NULL), 0);
	pthread_join(thread, NULL);
	cr_expect(rpc_debts_any(&session->debts));
	rpc_put_and_pay(session, conn);
	cr_expect_not(rpc_debts_any(&session->debts));
	cr_expect(raw_expect(peer, RAW_DEC(RAW_CLIENT, "01000000")));
	AIBinder_decStrong(other);
	close(peer);
}

/* Has a connection, and wants another one. */
static void *want_two(void *unused)
{
	struct rpc_conn *one, *two;

	(void)unused;
	cr_assert_eq(rpc_pool_get(session, RPC_USE_CALL, &one), STATUS_OK);
	pthread_barrier_wait(&step);
	result = rpc_pool_get(session, RPC_USE_CALL, &two);
	if (result == STATUS_OK)
		rpc_pool_put(session, two);
	rpc_pool_put(session, one);
	return NULL;
}

static bool all_but_one_wait(void)
{
	unsigned int n = 0;

	(void)pthread_mutex_lock(&session->lock);
	for (const struct rpc_conn *c = session->outgoing; c; c = c->next)
		n += c->owner_waits;
	(void)pthread_mutex_unlock(&session->lock);
	return n == session->n_outgoing - 1;
}

/* Two that each have what the other one wants: the second is refused. */
Test(pool, those_who_would_wait_for_each_other)
{
	struct rpc_conn *conn, *again;
	pthread_t thread;
	int peers[2];

	(void)add_outgoing(&peers[0]);
	(void)add_outgoing(&peers[1]);
	pthread_barrier_init(&step, NULL, 2);
	cr_assert_eq(rpc_pool_get(session, RPC_USE_CALL, &conn), STATUS_OK);
	cr_assert_eq(pthread_create(&thread, NULL, want_two, NULL), 0);
	pthread_barrier_wait(&step);
	while (!all_but_one_wait())
		sched_yield();
	cr_expect_eq(rpc_pool_get(session, RPC_USE_CALL, &again),
		     STATUS_WOULD_BLOCK);
	rpc_pool_put(session, conn);
	pthread_join(thread, NULL);
	cr_expect_eq(result, STATUS_OK, "the first one gets it");
	pthread_barrier_destroy(&step);
	close(peers[0]);
	close(peers[1]);
}
