/*
 * Android's binderRpcTest under its own names: threads, oneway calls,
 * callbacks. Nothing here measures time: what must not wait is called while
 * what it would wait for is held back.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "support/rpc_fixture.h"

#define MAX_THREADS 20

/* A crowd of threads that call the same object. */
struct crowd {
	struct rpc_fixture *f;
	int32_t meeting; /* how many meet at once */
	int rounds;
	atomic_int n_bad;
};

static void run_crowd(struct crowd *crowd, void *(*run)(void *), size_t count)
{
	pthread_t threads[MAX_THREADS];

	for (size_t i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, run, crowd) != 0)
			abort();
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	CHECK(crowd->f, atomic_load(&crowd->n_bad) == 0);
}

static void *meet(void *data)
{
	struct crowd *crowd = data;

	if (service_meet(crowd->f->roots[0], crowd->meeting) != STATUS_OK)
		atomic_fetch_add(&crowd->n_bad, 1);
	return NULL;
}

/* As many calls at once as there are threads. */
static void ThreadPoolGreaterThanEqualRequested(struct rpc_fixture *f)
{
	struct crowd crowd = {.f = f, .meeting = 10};

	run_crowd(&crowd, meet, 10);
}

/* More callers than threads: the others wait, and get their turn. */
static void ThreadPoolOverSaturated(struct rpc_fixture *f)
{
	struct crowd crowd = {.f = f, .meeting = 10};

	run_crowd(&crowd, meet, 20);
}

static void ThreadPoolLimitOutgoing(struct rpc_fixture *f)
{
	struct crowd crowd = {.f = f, .meeting = 5};

	run_crowd(&crowd, meet, 20);
	CHECK(f, rpc_ask(f, RPC_CONNECTIONS, 0) == 5);
}

static void *ping_often(void *data)
{
	struct crowd *crowd = data;

	for (int i = 0; i < crowd->rounds; i++)
		if (AIBinder_ping(crowd->f->roots[0]) != STATUS_OK)
			atomic_fetch_add(&crowd->n_bad, 1);
	return NULL;
}

static void ThreadingStressTest(struct rpc_fixture *f)
{
	struct crowd crowd = {.f = f, .rounds = 200};

	run_crowd(&crowd, ping_often, 10);
}

/* Objects that are shared by threads, dropped by one and got by another. */
static void *trade_objects(void *data)
{
	struct crowd *crowd = data;
	AIBinder *root = crowd->f->roots[0];
	AIBinder *mine = service_new();
	AIBinder *one = NULL, *two = NULL;

	for (int i = 0; i < crowd->rounds; i++) {
		if (service_same(root, &one) != STATUS_OK || !one ||
		    AIBinder_ping(one) != STATUS_OK)
			atomic_fetch_add(&crowd->n_bad, 1);
		AIBinder_decStrong(one);
		if (service_repeat(root, mine, &two) != STATUS_OK ||
		    two != mine)
			atomic_fetch_add(&crowd->n_bad, 1);
		AIBinder_decStrong(two);
		one = two = NULL;
	}
	AIBinder_decStrong(mine);
	return NULL;
}

static void ObjectStressTest(struct rpc_fixture *f)
{
	struct crowd crowd = {.f = f, .rounds = 100};

	run_crowd(&crowd, trade_objects, 8);
}

static void *send_often(void *data)
{
	struct crowd *crowd = data;

	for (int i = 0; i < crowd->rounds; i++)
		if (service_send_string(crowd->f->roots[0], "a") != STATUS_OK)
			atomic_fetch_add(&crowd->n_bad, 1);
	return NULL;
}

static void OnewayStressTest(struct rpc_fixture *f)
{
	struct crowd crowd = {.f = f, .rounds = 1000};

	run_crowd(&crowd, send_often, 10);
	CHECK(f, rpc_ask(f, RPC_WAIT_QUEUED, 10000));
}

static void OnewayCallDoesNotWait(struct rpc_fixture *f)
{
	/* the handler waits for what happens after the call has returned */
	CHECK(f, service_wait_gate(f->roots[0], true) == STATUS_OK);
	(void)rpc_ask(f, RPC_OPEN_GATE, 0);
}

/* Each object gets its calls in order, whatever thread and connection they
 * take; several connections make them arrive in any. */
static void OnewayCallQueueing(struct rpc_fixture *f)
{
	const int32_t count = 2000;

	for (int32_t i = 0; i < count; i++)
		CHECK(f, service_send_int(f->roots[0], i) == STATUS_OK);
	CHECK(f, rpc_ask(f, RPC_WAIT_QUEUED, count));
	CHECK(f, rpc_ask(f, RPC_IN_ORDER, count));
}

/* Calls wait with their descriptors behind one that does not end. */
static void OnewayCallQueueingWithFds(struct rpc_fixture *f)
{
	char text[16];
	int fds[10];

	for (int i = 0; i < 10; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		CHECK(f, service_echo_file(f->roots[0], text, &fds[i]) ==
				 STATUS_OK);
	}
	CHECK(f, service_wait_gate(f->roots[0], true) == STATUS_OK);
	for (int i = 0; i < 10; i++) {
		CHECK(f, service_send_fd(f->roots[0], fds[i]) == STATUS_OK);
		close(fds[i]);
	}
	(void)rpc_ask(f, RPC_OPEN_GATE, 0);
	CHECK(f, rpc_ask(f, RPC_WAIT_QUEUED, 10));
	CHECK(f, rpc_ask(f, RPC_IN_ORDER, 10));
}

/* Send until the session is dead. */
static void *flood(void *data)
{
	struct crowd *crowd = data;
	binder_status_t rc;
	int sent = 0;

	do {
		rc = service_send_int(crowd->f->roots[0], sent++);
	} while (rc == STATUS_OK && sent < 1000000);
	if (rc != STATUS_DEAD_OBJECT)
		atomic_fetch_add(&crowd->n_bad, 1);
	return NULL;
}

/* A flood behind a call that does not end costs the flooder its session, and
 * nobody else. Two threads, since one will wait on the connection that the
 * server does not read, while the other fills the queue. */
static void OnewayCallExhaustion(struct rpc_fixture *f)
{
	struct crowd crowd = {.f = f};

	CHECK(f, service_wait_gate(f->roots[0], true) == STATUS_OK);
	run_crowd(&crowd, flood, 2);
	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_DEAD_OBJECT);
	CHECK(f, AIBinder_ping(f->roots[1]) == STATUS_OK);
	(void)rpc_ask(f, RPC_OPEN_GATE, 0);
	f->expect_dead = true;
}

/* Every kind of call, every kind of callback. */
static void Callbacks(struct rpc_fixture *f)
{
	AIBinder *mine = service_new();
	struct service *service = service_of(mine);
	size_t heard = 0;

	for (int i = 0; i < 4; i++) {
		CHECK(f, service_call_back(f->roots[0], mine, (i & 1) != 0,
					   (i & 2) != 0, 100 + i) == STATUS_OK);
		CHECK(f, service_wait_queued(service, ++heard, 60000));
		CHECK(f, service->queue[heard - 1] == 100 + i);
	}
	/* later, from a thread that serves no call */
	CHECK(f, service_hold(f->roots[0], mine) == STATUS_OK);
	CHECK(f, service_call_held_later(f->roots[0], 7) == STATUS_OK);
	CHECK(f, service_wait_queued(service, ++heard, 60000));
	CHECK(f, service->queue[heard - 1] == 7);
	CHECK(f, service_hold(f->roots[0], NULL) == STATUS_OK);
	AIBinder_decStrong(mine);
}

static bool only_the_root_is_known(struct rpc_fixture *f)
{
	return AvfRpcSession_countObjects(f->sessions[0]) == 1;
}

/* Not one of Android's: while a oneway callback runs, a callback that is
 * waited for pays its own reference and not the running one's. Else the
 * server would forget the object, and count the next oneway call from 0. */
static void OnewayWhileOneRuns(struct rpc_fixture *f)
{
	AIBinder *mine = service_new();
	struct service *service = service_of(mine);

	CHECK(f, service_call_back(f->roots[0], mine, false, true,
				   SERVICE_STALL) == STATUS_OK);
	CHECK(f, service_wait_queued(service, 1, 60000));
	CHECK(f, service_call_back(f->roots[0], mine, false, false, 2) ==
			 STATUS_OK);
	CHECK(f, service_call_back(f->roots[0], mine, false, true, 3) ==
			 STATUS_OK);
	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_OK);
	service_open_gate(service);
	CHECK(f, service_wait_queued(service, 3, 60000));
	CHECK(f, service->queue[1] == 2 && service->queue[2] == 3);
	/* while no call of ours takes the connection that is paid on: on the
	 * callbacks' own one nobody would read it */
	CHECK(f, rpc_wait(f, only_the_root_is_known));
	AIBinder_decStrong(mine);
}

static void OnewayCallbackWithNoThread(struct rpc_fixture *f)
{
	AIBinder *mine = service_new();

	CHECK(f, service_call_back(f->roots[0], mine, false, true, 1) ==
			 STATUS_WOULD_BLOCK);
	/* a callback that the client waits for needs no thread */
	CHECK(f, service_call_back(f->roots[0], mine, false, false, 2) ==
			 STATUS_OK);
	AIBinder_decStrong(mine);
}

/* An object that the server drops where it has no connection to say so: it is
 * said with the next call. */
static void ReferencesArePaidLater(struct rpc_fixture *f)
{
	AIBinder *mine = service_new();
	AIBinder_Weak *weak = AIBinder_Weak_new(mine);

	CHECK(f, service_hold(f->roots[0], mine) == STATUS_OK);
	AIBinder_decStrong(mine);
	(void)rpc_ask(f, RPC_DROP_HELD, 0);
	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_OK);
	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_OK);
	CHECK(f, !AIBinder_Weak_promote(weak));
	AIBinder_Weak_delete(weak);
}

#define LAST_WORDS 200

static bool no_session(struct rpc_fixture *f)
{
	return rpc_ask(f, RPC_SESSIONS, 0) == 0;
}

static bool all_connected(struct rpc_fixture *f)
{
	return rpc_ask(f, RPC_CONNECTIONS, 0) == 4;
}

/* Not one of Android's: the client lets go of everything right after oneway
 * calls, while the server owes it what they took along. All of them arrive, in
 * order, and the session ends by itself on both sides. */
static void OnewayCallsOfOneWhoLeaves(struct rpc_fixture *f)
{
	/* a connection that the server has not taken when the others end comes
	 * too late for the session */
	CHECK(f, rpc_wait(f, all_connected));
	for (int32_t i = 0; i < LAST_WORDS; i++)
		CHECK(f, service_send_int(f->roots[0], i) == STATUS_OK);
	AIBinder_decStrong(f->roots[0]);
	ARpcSession_free(f->sessions[0]);
	f->n_sessions = 0;
	CHECK(f, rpc_ask(f, RPC_WAIT_QUEUED, LAST_WORDS));
	CHECK(f, rpc_ask(f, RPC_IN_ORDER, LAST_WORDS));
	CHECK(f, rpc_wait(f, no_session));
}

/* ---- the end, from everywhere
 * --------------------------------------------------------- */

/* Times four threads this is less than may wait for its turn: a thread that is
 * not scheduled has the number that all others wait for. */
#define FEW_ONEWAY 2000

static void *call_until_the_end(void *data)
{
	struct crowd *crowd = data;
	binder_status_t rc = STATUS_OK;

	for (int i = 0; rc == STATUS_OK; i++)
		rc = i < FEW_ONEWAY ? service_send_int(crowd->f->roots[0], i)
				    : AIBinder_ping(crowd->f->roots[0]);
	if (rc != STATUS_DEAD_OBJECT)
		atomic_fetch_add(&crowd->n_bad, 1);
	return NULL;
}

/* A server that ends while calls are under way. */
static void ShutdownDuringCalls(struct rpc_fixture *f)
{
	pthread_t threads[4];
	struct crowd crowd = {.f = f};

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		if (pthread_create(&threads[i], NULL, call_until_the_end,
				   &crowd) != 0)
			abort();
	CHECK(f, rpc_ask(f, RPC_WAIT_QUEUED, 100));
	CHECK(f, rpc_ask(f, RPC_SHUTDOWN, 0) == 1);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	CHECK(f, atomic_load(&crowd.n_bad) == 0);
	f->expect_dead = true;
}

static void *end_session(void *data)
{
	struct crowd *crowd = data;

	AvfRpcSession_shutdown(crowd->f->sessions[0], true);
	return NULL;
}

static void ManyEndASession(struct rpc_fixture *f)
{
	struct crowd crowd = {.f = f};

	run_crowd(&crowd, end_session, 8);
	CHECK(f, !AIBinder_isAlive(f->roots[0]));
	f->expect_dead = true;
}

/* A call that waits for ever ends with its session. */
static void *wait_for_ever(void *data)
{
	struct crowd *crowd = data;

	if (service_wait_gate(crowd->f->roots[0], false) != STATUS_DEAD_OBJECT)
		atomic_fetch_add(&crowd->n_bad, 1);
	return NULL;
}

static bool somebody_waits(struct rpc_fixture *f)
{
	return rpc_ask(f, RPC_WAITING, 0) > 0;
}

static void CallsEndWithTheirSession(struct rpc_fixture *f)
{
	struct crowd crowd = {.f = f};
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_for_ever, &crowd) != 0)
		abort();
	CHECK(f, rpc_wait(f, somebody_waits));
	AvfRpcSession_shutdown(f->sessions[0], true);
	pthread_join(thread, NULL);
	CHECK(f, atomic_load(&crowd.n_bad) == 0);
	(void)rpc_ask(f, RPC_OPEN_GATE, 0);
	f->expect_dead = true;
}

/* Death recipients come and go while the session ends. */
static atomic_int n_deaths, n_unlinks;

static void count_death(void *cookie)
{
	(void)cookie;
	atomic_fetch_add(&n_deaths, 1);
}

static void count_unlink(void *cookie)
{
	(void)cookie;
	atomic_fetch_add(&n_unlinks, 1);
}

static void *link_often(void *data)
{
	struct crowd *crowd = data;
	AIBinder *root = crowd->f->roots[0];
	AIBinder_DeathRecipient *recipient;
	int linked;

	for (int i = 0; i < crowd->rounds; i++) {
		recipient = AIBinder_DeathRecipient_new(count_death);
		AIBinder_DeathRecipient_setOnUnlinked(recipient, count_unlink);
		linked = AIBinder_linkToDeath(root, recipient, &linked) ==
			 STATUS_OK;
		if (linked)
			atomic_fetch_add(&crowd->n_bad, 1);
		if (i & 1)
			(void)AIBinder_unlinkToDeath(root, recipient, &linked);
		AIBinder_DeathRecipient_delete(recipient);
	}
	return NULL;
}

static void DeathStressTest(struct rpc_fixture *f)
{
	struct crowd crowd = {.f = f, .rounds = 300};
	pthread_t threads[4];

	atomic_store(&n_unlinks, 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		if (pthread_create(&threads[i], NULL, link_often, &crowd) != 0)
			abort();
	AvfRpcSession_shutdown(f->sessions[0], false);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	/* every link that was made has ended, once */
	CHECK(f, atomic_load(&n_unlinks) == atomic_load(&crowd.n_bad));
	f->expect_dead = true;
}

static const struct rpc_test tests[] = {
	RPC_ALL(ThreadPoolGreaterThanEqualRequested, .server.threads = 10),
	RPC_ALL(ThreadPoolOverSaturated, .server.threads = 10),
	RPC_ALL(ThreadPoolLimitOutgoing, .server.threads = 20, .outgoing = 5),
	RPC_ALL(ThreadingStressTest, .server.threads = 10),
	RPC_ONE(ObjectStressTest, .server.threads = 4),
	RPC_ONE(OnewayStressTest, .server.threads = 10),
	RPC_ALL(OnewayCallDoesNotWait, .server.threads = 1),
	RPC_ALL(OnewayCallQueueing, .server.threads = 10),
	RPC_HERE(OnewayCallQueueingWithFds, "vsock carries no descriptors",
		 .server.threads = 10, .fds = true),
	RPC_ONE(OnewayCallExhaustion, .server.threads = 2, .n_sessions = 2),
	RPC_ALL(Callbacks, .server.threads = 1, .incoming = 1),
	RPC_ONE(Callbacks, .server.threads = 10, .incoming = 3),
	RPC_ALL(OnewayWhileOneRuns, .server.threads = 1, .incoming = 2),
	RPC_ALL(OnewayCallbackWithNoThread, .server.threads = 1),
	RPC_ALL(ReferencesArePaidLater, .server.threads = 1),
	RPC_ALL(OnewayCallsOfOneWhoLeaves, .server.threads = 4),
	RPC_ALL(OnewayCallsOfOneWhoLeaves, .server.threads = 4, .incoming = 2),
	RPC_ALL(ShutdownDuringCalls, .server.threads = 4),
	RPC_ALL(ManyEndASession, .server.threads = 4, .incoming = 2),
	RPC_ALL(CallsEndWithTheirSession, .server.threads = 1),
	RPC_ONE(DeathStressTest, .server.threads = 1, .incoming = 1),
};

int main(int argc, char **argv)
{
	return rpc_run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
