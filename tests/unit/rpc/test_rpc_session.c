/* The life of a session, without a peer. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <signal.h>

#include "rpc/rpc_session.h"
#include "support/echo_object.h"

static const struct rpc_settings settings = {.version = 1, .max_threads = 1};
static struct rpc_session *session;
static struct echo_object state;
static AIBinder *local;
static int n_ended;

static void on_ended(struct rpc_session *ended, void *userdata)
{
	cr_expect_eq(ended, session);
	cr_expect_eq(userdata, &n_ended);
	n_ended++;
}

static void set_up(void)
{
	session = rpc_session_new(true, &settings);
	session->on_ended = on_ended;
	session->userdata = &n_ended;
	local = AIBinder_new(echo_class_new("echo"), &state);
}

static void tear_down(void)
{
	rpc_session_end(session);
	cr_expect_eq(session->refs, 1, "nothing holds it any more");
	rpc_session_unref(session);
	cr_expect_eq(AIBinder_debugGetRefCount(local), 1);
	AIBinder_decStrong(local);
	cr_expect_eq(n_ended, 1);
}

TestSuite(session, .init = set_up, .fini = tear_down, .timeout = 60);

static AIBinder *enter(uint64_t address)
{
	AIBinder *binder = NULL;

	cr_assert_eq(session->base.ops->enter(&session->base, address,
					      STABILITY_SYSTEM, &binder),
		     STATUS_OK);
	return binder;
}

Test(session, ends_once)
{
	cr_expect(session->base.ops->is_alive(&session->base));
	rpc_session_end(session);
	rpc_session_end(session);
	cr_expect_eq(n_ended, 1);
	cr_expect(rpc_session_ended(session));
	cr_expect_not(session->base.ops->is_alive(&session->base));
	rpc_session_wait(session); /* nobody serves it */
}

Test(session, gives_its_root_up)
{
	AIBinder *root;

	AIBinder_incStrong(local);
	session->root = local;
	root = rpc_session_root(session);
	cr_expect_eq(root, local);
	AIBinder_decStrong(root);
	rpc_session_end(session);
	cr_expect_null(rpc_session_root(session));
	cr_expect_eq(AIBinder_debugGetRefCount(local), 1);
}

/* The last object ends the session: nobody could call anybody. */
Test(session, ends_with_its_last_object)
{
	AIBinder *one = enter(1);
	AIBinder *two = enter(1ULL << 32 | 1);

	cr_expect_eq(session->refs, 2, "both together have one");
	cr_expect_eq(session->users, 2);
	AIBinder_decStrong(one);
	cr_expect_eq(n_ended, 0);
	AIBinder_decStrong(two);
	cr_expect_eq(n_ended, 1);
}

Test(session, a_parcel_that_is_not_sent_ends_it_too)
{
	uint64_t address;

	cr_assert_eq(session->base.ops->leave(&session->base, local, &address),
		     STATUS_OK);
	cr_expect_eq(AIBinder_debugGetRefCount(local), 2);
	session->base.ops->undo_leave(&session->base, address);
	cr_expect_eq(AIBinder_debugGetRefCount(local), 1);
	cr_expect_eq(n_ended, 1);
}

Test(session, objects_of_a_dead_one)
{
	AIBinder *theirs = enter(1);
	AIBinder *back = NULL;
	uint64_t address;

	rpc_session_end(session);
	cr_expect_not(AIBinder_isAlive(theirs));
	cr_expect_eq(AIBinder_ping(theirs), STATUS_DEAD_OBJECT);
	cr_expect_eq(session->base.ops->leave(&session->base, local, &address),
		     STATUS_DEAD_OBJECT);
	cr_expect_eq(session->base.ops->enter(&session->base, 1,
					      STABILITY_SYSTEM, &back),
		     STATUS_DEAD_OBJECT);
	AIBinder_decStrong(theirs);
}

/* ---- death
 * ------------------------------------------------------------------------ */

static int n_died;

/* A recipient does what it likes: it asks, drops, ends the session. */
static void on_died(void *cookie)
{
	AIBinder **other = cookie;

	n_died++;
	cr_expect(rpc_session_ended(session));
	rpc_session_end(session);
	AIBinder_decStrong(*other);
	*other = NULL;
}

Test(session, recipients_are_told_and_may_drop_objects)
{
	AIBinder_DeathRecipient *recipient =
		AIBinder_DeathRecipient_new(on_died);
	AIBinder *one = enter(1);
	AIBinder *two = enter(1ULL << 32 | 1);

	session->base.notices_death = true;
	cr_assert_eq(AIBinder_linkToDeath(one, recipient, &two), STATUS_OK);
	cr_assert_eq(AIBinder_linkToDeath(two, recipient, &one), STATUS_OK);
	rpc_session_end(session);
	/* the other one may have gone with the first recipient */
	cr_expect_geq(n_died, 1);
	cr_expect_leq(n_died, 2);
	AIBinder_decStrong(one);
	AIBinder_decStrong(two);
	AIBinder_DeathRecipient_delete(recipient);
}

/* ---- threads
 * ------------------------------------------------------------------------ */

static void *end_it(void *unused)
{
	(void)unused;
	rpc_session_end(session);
	return NULL;
}

Test(session, many_end_it)
{
	pthread_t threads[8];
	AIBinder *theirs = enter(1);

	for (int i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, end_it, NULL),
			     0);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(n_ended, 1);
	AIBinder_decStrong(theirs);
}

static pthread_barrier_t both_serve;

/* A thread that serves, whose method ends the session and waits. */
static void *serve_and_wait(void *argument)
{
	struct rpc_conn *conn = argument;

	cr_assert_eq(rpc_pool_add_incoming(session, conn), STATUS_OK);
	pthread_barrier_wait(&both_serve);
	rpc_session_end(session);
	rpc_session_wait(session);
	(void)rpc_pool_incoming_done(session);
	rpc_pool_thread_ended(session, conn);
	return NULL;
}

Test(session, two_of_its_threads_wait_for_its_end)
{
	pthread_t threads[2];
	AIBinder *theirs = enter(1);

	session->settings.max_threads = 2;
	pthread_barrier_init(&both_serve, NULL, 3);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, serve_and_wait,
					    rpc_conn_new(-1, false)),
			     0);
	pthread_barrier_wait(&both_serve);
	/* this one serves nothing: it waits for both */
	rpc_session_wait(session);
	cr_expect_eq(session->n_threads, 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(session->n_waiters, 0);
	pthread_barrier_destroy(&both_serve);
	AIBinder_decStrong(theirs);
}

static sigset_t mask;

static void *look_at_mask(void *argument)
{
	(void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
	pthread_mutex_unlock(argument);
	return NULL;
}

/* Signals are the application's. */
Test(session, its_threads_take_no_signals)
{
	pthread_mutex_t started = PTHREAD_MUTEX_INITIALIZER;
	sigset_t before, after;

	(void)pthread_sigmask(SIG_SETMASK, NULL, &before);
	pthread_mutex_lock(&started);
	cr_assert_eq(rpc_thread_start(look_at_mask, &started), STATUS_OK);
	pthread_mutex_lock(&started);
	cr_expect_eq(sigismember(&mask, SIGTERM), 1);
	cr_expect_eq(sigismember(&mask, SIGCHLD), 1);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &after);
	cr_expect_eq(sigismember(&after, SIGTERM),
		     sigismember(&before, SIGTERM), "ours is as it was");
}
