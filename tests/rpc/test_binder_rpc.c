/*
 * Android's binderRpcTest under its own names, over every transport and pair
 * of versions where that can make a difference: objects, sessions, death.
 */
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <android/binder_stability.h>

#include "base/checked.h"
#include "binder/object.h"
#include "support/raw_peer.h"
#include "support/rpc_fixture.h"
#include "support/rpc_vm.h"

/* ---- parcels
 * ---------------------------------------------------------------------- */

static void TransactionsMustBeMarkedRpc(struct rpc_fixture *f)
{
	AParcel *in, *out = NULL;

	CHECK(f, AIBinder_prepareTransaction(f->roots[0], &in) == STATUS_OK);
	CHECK(f, AParcel_reset(in) == STATUS_OK);
	CHECK(f, AIBinder_transact(f->roots[0], 1, &in, &out, 0) ==
			 STATUS_BAD_TYPE);
	CHECK(f, !in && !out);
}

static void EntireParcelFormatted(struct rpc_fixture *f)
{
	AParcel *in;

	/* a parcel of a call belongs to the session from its first byte on:
	 * an object of another session is refused before anything is sent */
	CHECK(f, AIBinder_prepareTransaction(f->roots[0], &in) == STATUS_OK);
	CHECK(f, in->session == f->roots[0]->session);
	CHECK(f, AParcel_writeStrongBinder(in, f->roots[1]) ==
			 STATUS_INVALID_OPERATION);
	CHECK(f, AParcel_writeStrongBinder(in, f->roots[0]) == STATUS_OK);
	AParcel_delete(in);
}

static void AppendSeparateFormats(struct rpc_fixture *f)
{
	AParcel *one, *two;

	CHECK(f, AIBinder_prepareTransaction(f->roots[0], &one) == STATUS_OK);
	CHECK(f, AIBinder_prepareTransaction(f->roots[1], &two) == STATUS_OK);
	CHECK(f, AParcel_appendFrom(one, two, 0, 4) == STATUS_BAD_TYPE);
	AParcel_delete(one);
	AParcel_delete(two);
}

/* ---- versions
 * ---------------------------------------------------------------------- */

static void CannotUseNextWireVersion(struct rpc_fixture *f)
{
	ARpcSession *session = ARpcSession_new();

	CHECK(f, !AvfRpcSession_setProtocolVersion(session, 3));
	CHECK(f, rpc_ask(f, RPC_ACCEPTS_VERSION, 3) == 0);
	CHECK(f, !AvfRpcSession_setProtocolVersion(session, UINT32_MAX));
	ARpcSession_free(session);
}

static void CannotUseExperimentalWireVersion(struct rpc_fixture *f)
{
	ARpcSession *session = ARpcSession_new();

	/* Android's builds that are no releases may */
	CHECK(f, !AvfRpcSession_setProtocolVersion(session, 0xf0000000));
	CHECK(f, rpc_ask(f, RPC_ACCEPTS_VERSION, 0xf0000000) == 0);
	ARpcSession_free(session);
}

static void VersionIsTheLowerOne(struct rpc_fixture *f)
{
	int64_t version = rpc_ask(f, RPC_VERSION, 0);

	CHECK(f, AvfRpcSession_getProtocolVersion(f->sessions[0]) == version);
	/* a server takes what it is asked before any other version */
	CHECK(f, version >= 0 && version <= f->highest_version);
}

/* ---- basics
 * -------------------------------------------------------------------------- */

static void Ping(struct rpc_fixture *f)
{
	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_OK);
	CHECK(f, AIBinder_isAlive(f->roots[0]));
	CHECK(f, AIBinder_isRemote(f->roots[0]));
}

static void GetInterfaceDescriptor(struct rpc_fixture *f)
{
	CHECK(f, strcmp(AIBinder_Class_getDescriptor(
				AIBinder_getClass(f->roots[0])),
			"org.avf.test.IBinderRpcTest") == 0);
}

static void UnknownTransaction(struct rpc_fixture *f)
{
	CHECK(f, service_unknown(f->roots[0]) == STATUS_UNKNOWN_TRANSACTION);
}

static void MultipleSessions(struct rpc_fixture *f)
{
	for (size_t i = 0; i < f->n_sessions; i++)
		CHECK(f, AIBinder_ping(f->roots[i]) == STATUS_OK);
	CHECK(f, rpc_ask(f, RPC_SESSIONS, 0) == (int64_t)f->n_sessions);
}

static void SendSomethingOneway(struct rpc_fixture *f)
{
	CHECK(f, service_send_string(f->roots[0], "asdf") == STATUS_OK);
	CHECK(f, rpc_ask(f, RPC_WAIT_QUEUED, 1));
	CHECK(f, rpc_ask(f, RPC_QUEUED, 0) == 4);
}

static void SendAndGetResultBack(struct rpc_fixture *f)
{
	char *text = NULL;

	CHECK(f,
	      service_double_string(f->roots[0], "cool ", &text) == STATUS_OK);
	CHECK(f, text && strcmp(text, "cool cool ") == 0);
	free(text);
}

static void SendAndGetResultBackBig(struct rpc_fixture *f)
{
	char single[4097], twice[8193];
	char *text = NULL;

	memset(single, 'a', sizeof(single) - 1);
	single[sizeof(single) - 1] = '\0';
	memset(twice, 'a', sizeof(twice) - 1);
	twice[sizeof(twice) - 1] = '\0';
	CHECK(f,
	      service_double_string(f->roots[0], single, &text) == STATUS_OK);
	CHECK(f, text && strcmp(text, twice) == 0);
	free(text);
}

static void InvalidNullBinderReturn(struct rpc_fixture *f)
{
	CHECK(f, service_null(f->roots[0]) == STATUS_UNEXPECTED_NULL);
}

/* ---- objects
 * ------------------------------------------------------------------------- */

static void CallMeBack(struct rpc_fixture *f)
{
	AIBinder *mine = service_new();
	AIBinder_Weak *weak = AIBinder_Weak_new(mine);
	int32_t status = -1;

	CHECK(f, service_ping_me(f->roots[0], mine, &status) == STATUS_OK);
	CHECK(f, status == STATUS_OK);
	AIBinder_decStrong(mine);
	/* the peer gave it back before it answered */
	CHECK(f, !AIBinder_Weak_promote(weak));
	AIBinder_Weak_delete(weak);
}

static void RepeatBinder(struct rpc_fixture *f)
{
	AIBinder *mine = service_new();
	AIBinder_Weak *weak = AIBinder_Weak_new(mine);
	AIBinder *back = NULL;

	CHECK(f, service_repeat(f->roots[0], mine, &back) == STATUS_OK);
	CHECK(f, back == mine);
	AIBinder_decStrong(back);
	AIBinder_decStrong(mine);
	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_OK);
	CHECK(f, !AIBinder_Weak_promote(weak));
	AIBinder_Weak_delete(weak);
}

static void RepeatTheirBinder(struct rpc_fixture *f)
{
	AIBinder *theirs = NULL, *back = NULL;
	int32_t count = -1;

	CHECK(f, service_open(f->roots[0], &theirs) == STATUS_OK);
	CHECK(f, service_repeat(f->roots[0], theirs, &back) == STATUS_OK);
	CHECK(f, back == theirs);
	AIBinder_decStrong(back);
	AIBinder_decStrong(theirs);
	CHECK(f, service_count_open(f->roots[0], &count) == STATUS_OK);
	CHECK(f, count == 0);
}

static void RepeatBinderNull(struct rpc_fixture *f)
{
	AIBinder *back = f->roots[0];

	CHECK(f, service_repeat(f->roots[0], NULL, &back) == STATUS_OK);
	CHECK(f, !back);
}

static void RepeatRootObject(struct rpc_fixture *f)
{
	AIBinder *back = NULL;

	CHECK(f, service_repeat(f->roots[0], f->roots[0], &back) == STATUS_OK);
	CHECK(f, back == f->roots[0]);
	AIBinder_decStrong(back);
}

static void HoldBinder(struct rpc_fixture *f)
{
	AIBinder *mine = service_new();
	AIBinder_Weak *weak = AIBinder_Weak_new(mine);
	AIBinder *back = NULL;

	CHECK(f, service_hold(f->roots[0], mine) == STATUS_OK);
	AIBinder_decStrong(mine);
	CHECK(f, service_held(f->roots[0], &back) == STATUS_OK);
	CHECK(f, back == mine);
	AIBinder_decStrong(back);
	CHECK(f, service_hold(f->roots[0], NULL) == STATUS_OK);
	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_OK);
	CHECK(f, !AIBinder_Weak_promote(weak));
	AIBinder_Weak_delete(weak);
}

static void SameBinderEquality(struct rpc_fixture *f)
{
	AIBinder *one = NULL, *two = NULL;

	CHECK(f, service_same(f->roots[0], &one) == STATUS_OK);
	CHECK(f, service_same(f->roots[0], &two) == STATUS_OK);
	CHECK(f, one && one == two);
	AIBinder_decStrong(one);
	AIBinder_decStrong(two);
}

static void SameBinderEqualityWeak(struct rpc_fixture *f)
{
	AIBinder *one = NULL;
	AIBinder_Weak *weak;

	CHECK(f, service_same(f->roots[0], &one) == STATUS_OK);
	weak = AIBinder_Weak_new(one);
	AIBinder_decStrong(one);
	CHECK(f, !AIBinder_Weak_promote(weak));
	CHECK(f, service_same(f->roots[0], &one) == STATUS_OK);
	CHECK(f, !AIBinder_Weak_promote(weak));
	AIBinder_decStrong(one);
	AIBinder_Weak_delete(weak);
}

static void NestedTransactions(struct rpc_fixture *f)
{
	AIBinder *mine = service_new();

	CHECK(f, service_nest(f->roots[0], mine, 10) == STATUS_OK);
	CHECK(f, AIBinder_debugGetRefCount(mine) == 1);
	AIBinder_decStrong(mine);
}

static void NestedTransactionsHaveALimit(struct rpc_fixture *f)
{
	AIBinder *mine = service_new();

	CHECK(f, service_nest(f->roots[0], mine, 1000) ==
			 STATUS_FAILED_TRANSACTION);
	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_OK);
	AIBinder_decStrong(mine);
	/* versions 0 and 1 do not say where the objects of a parcel are: those
	 * of the call that was refused stay counted until the session ends */
	f->unread = AvfRpcSession_getProtocolVersion(f->sessions[0]) < 2;
}

static void SingleSession(struct rpc_fixture *f)
{
	AIBinder *child = NULL;
	int32_t count = -1;

	CHECK(f, service_open(f->roots[0], &child) == STATUS_OK);
	CHECK(f, service_count_open(f->roots[0], &count) == STATUS_OK);
	CHECK(f, count == 1);
	AIBinder_decStrong(child);
	CHECK(f, service_count_open(f->roots[0], &count) == STATUS_OK);
	CHECK(f, count == 0);
}

static void ManySessions(struct rpc_fixture *f)
{
	AIBinder *children[15] = {NULL};
	int32_t count;

	for (int32_t i = 0; i < 15; i++) {
		CHECK(f, service_count_open(f->roots[0], &count) == STATUS_OK);
		CHECK(f, count == i);
		CHECK(f, service_open(f->roots[0], &children[i]) == STATUS_OK);
	}
	for (int32_t i = 15; i > 0; i--) {
		AIBinder_decStrong(children[i - 1]);
		CHECK(f, service_count_open(f->roots[0], &count) == STATUS_OK);
		CHECK(f, count == i - 1);
	}
}

static void CannotMixBindersBetweenUnrelatedSocketSessions(
	struct rpc_fixture *f)
{
	struct rpc_fixture other;
	const struct rpc_options options = {.transport = f->transport,
					    .client_version = 1,
					    .server.version = 1};
	AIBinder *back = NULL;

	rpc_fixture_start(&other, &options);
	CHECK(f, service_repeat(f->roots[0], other.roots[0], &back) ==
			 STATUS_INVALID_OPERATION);
	rpc_fixture_stop(&other);
	CHECK(f, !other.bad && !back);
}

static void CannotMixBindersBetweenTwoSessionsToTheSameServer(
	struct rpc_fixture *f)
{
	AIBinder *back = NULL;

	CHECK(f, service_repeat(f->roots[0], f->roots[1], &back) ==
			 STATUS_INVALID_OPERATION);
	CHECK(f, !back);
}

static void WorksWithLibbinderNdkPing(struct rpc_fixture *f)
{
	AIBinder_incStrong(f->roots[0]);
	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_OK);
	AIBinder_decStrong(f->roots[0]);
}

static void WorksWithLibbinderNdkUserTransaction(struct rpc_fixture *f)
{
	AParcel *in, *out;

	CHECK(f, AIBinder_prepareTransaction(f->roots[0], &in) == STATUS_OK);
	CHECK(f, AParcel_writeString(in, "aoeu", 4) == STATUS_OK);
	CHECK(f, AIBinder_transact(f->roots[0], 2, &in, &out, 0) == STATUS_OK);
	CHECK(f, AParcel_getDataSize(out) == 4 + 20);
	AParcel_delete(out);
}

/* ---- frames
 * ----------------------------------------------------------------------------
 */

/* Bodies that a peer of the session's version is known to take. */
static void FramesHaveALimit(struct rpc_fixture *f)
{
	bool large = AvfRpcSession_getProtocolVersion(f->sessions[0]) >= 2;
	const size_t size = large ? 310000 : 60000;
	char *text = calloc(1, size + 1);
	char *back = NULL;

	memset(text, 'x', size);
	CHECK(f, service_double_string(f->roots[0], text, &back) ==
			 STATUS_FAILED_TRANSACTION);
	/* an answer that is too large is replaced by a status */
	text[size / 2] = '\0';
	CHECK(f, service_double_string(f->roots[0], text, &back) ==
			 STATUS_FAILED_TRANSACTION);
	text[size / 4] = '\0';
	CHECK(f, service_double_string(f->roots[0], text, &back) == STATUS_OK);
	CHECK(f, back && strlen(back) == size / 2);
	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_OK);
	free(back);
	free(text);
}

static void LargerFramesThanTheServerTakes(struct rpc_fixture *f)
{
	char *text = calloc(1, 2001);
	char *back = NULL;

	memset(text, 'x', 2000);
	CHECK(f, service_double_string(f->roots[0], text, &back) ==
			 STATUS_DEAD_OBJECT);
	CHECK(f, !AIBinder_isAlive(f->roots[0]));
	f->expect_dead = true;
	free(text);
}

/* ---- death
 * -----------------------------------------------------------------------------
 */

/* What a recipient has heard. */
struct news {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int died, unlinked;
};

static void on_died(void *cookie)
{
	struct news *news = cookie;

	pthread_mutex_lock(&news->lock);
	news->died++;
	pthread_cond_broadcast(&news->changed);
	pthread_mutex_unlock(&news->lock);
}

static void on_unlinked(void *cookie)
{
	struct news *news = cookie;

	pthread_mutex_lock(&news->lock);
	news->unlinked++;
	pthread_cond_broadcast(&news->changed);
	pthread_mutex_unlock(&news->lock);
}

/* Wait until the recipient has heard it all. */
static void await_news(struct news *news)
{
	pthread_mutex_lock(&news->lock);
	while (news->unlinked == 0)
		pthread_cond_wait(&news->changed, &news->lock);
	pthread_mutex_unlock(&news->lock);
}

static AIBinder_DeathRecipient *new_recipient(struct news *news)
{
	AIBinder_DeathRecipient *recipient =
		AIBinder_DeathRecipient_new(on_died);

	*news = (struct news){.died = 0};
	pthread_mutex_init(&news->lock, NULL);
	pthread_cond_init(&news->changed, NULL);
	AIBinder_DeathRecipient_setOnUnlinked(recipient, on_unlinked);
	return recipient;
}

static void SingleDeathRecipient(struct rpc_fixture *f)
{
	struct news news;
	AIBinder_DeathRecipient *recipient = new_recipient(&news);

	CHECK(f,
	      AIBinder_linkToDeath(f->roots[0], recipient, &news) == STATUS_OK);
	CHECK(f, rpc_ask(f, RPC_SHUTDOWN, 0) == 1);
	await_news(&news);
	CHECK(f, news.died == 1);
	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_DEAD_OBJECT);
	CHECK(f, AIBinder_linkToDeath(f->roots[0], recipient, &news) ==
			 STATUS_DEAD_OBJECT);
	CHECK(f, AIBinder_unlinkToDeath(f->roots[0], recipient, &news) ==
			 STATUS_DEAD_OBJECT);
	AIBinder_DeathRecipient_delete(recipient);
	f->expect_dead = true;
}

static void SingleDeathRecipientOnShutdown(struct rpc_fixture *f)
{
	struct news news;
	AIBinder_DeathRecipient *recipient = new_recipient(&news);

	CHECK(f,
	      AIBinder_linkToDeath(f->roots[0], recipient, &news) == STATUS_OK);
	AvfRpcSession_shutdown(f->sessions[0], true);
	await_news(&news);
	CHECK(f, news.died == 1);
	AIBinder_DeathRecipient_delete(recipient);
	f->expect_dead = true;
}

static void UnlinkDeathRecipient(struct rpc_fixture *f)
{
	struct news news;
	AIBinder_DeathRecipient *recipient = new_recipient(&news);

	CHECK(f,
	      AIBinder_linkToDeath(f->roots[0], recipient, &news) == STATUS_OK);
	CHECK(f, AIBinder_unlinkToDeath(f->roots[0], recipient, &news) ==
			 STATUS_OK);
	CHECK(f, AIBinder_unlinkToDeath(f->roots[0], recipient, &news) ==
			 STATUS_NAME_NOT_FOUND);
	CHECK(f, rpc_ask(f, RPC_SHUTDOWN, 0) == 1);
	AvfRpcSession_shutdown(f->sessions[0], true);
	CHECK(f, news.died == 0 && news.unlinked == 1);
	AIBinder_DeathRecipient_delete(recipient);
	f->expect_dead = true;
}

static void DeathRecipientFailsWithoutIncoming(struct rpc_fixture *f)
{
	struct news news;
	AIBinder_DeathRecipient *recipient = new_recipient(&news);

	CHECK(f, AIBinder_linkToDeath(f->roots[0], recipient, &news) ==
			 STATUS_INVALID_OPERATION);
	AIBinder_DeathRecipient_delete(recipient);
}

/* The program itself, as the server that a call ends. */
static int serve_until_death(const char *path)
{
	AIBinder *root = service_new();
	ARpcServer *server = AvfRpcServer_newUnixDomain(root, path);

	printf("listens\n");
	fflush(stdout);
	ARpcServer_join(server);
	return 1;
}

/* Start the program again, and wait until it listens. */
static pid_t start_server_process(char *path)
{
	char program[] = "/proc/self/exe", how[] = "--serve";
	char *argv[] = {program, how, path, NULL};
	posix_spawn_file_actions_t actions;
	char line[16];
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		abort();
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	if (posix_spawn(&pid, program, &actions, NULL, argv, environ) != 0)
		abort();
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (read(fds[0], line, sizeof(line)) <= 0)
		abort();
	close(fds[0]);
	return pid;
}

/* What a client sees of its server's end. */
static void see_death(struct rpc_fixture *f, ARpcSession *session,
		      AIBinder *root, bool oneway)
{
	binder_status_t rc;

	CHECK(f, root && service_associate(root));
	rc = service_die(root, oneway);
	CHECK(f, rc == (oneway ? STATUS_OK : STATUS_DEAD_OBJECT));
	CHECK(f, AIBinder_ping(root) == STATUS_DEAD_OBJECT);
	CHECK(f, AvfRpcSession_countObjects(session) == 0);
	AIBinder_decStrong(root);
	ARpcSession_free(session);
}

static void die(struct rpc_fixture *f, bool oneway)
{
	char path[sizeof(f->path)];
	ARpcSession *session = ARpcSession_new();
	int status;
	pid_t pid;

	raw_socket_path(path, sizeof(path));
	pid = start_server_process(path);
	see_death(f, session, ARpcSession_setupUnixDomainClient(session, path),
		  oneway);
	CHECK(f, waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
			 WEXITSTATUS(status) == 0);
	unlink(path);
}

/* The payload ends, and the VM with it. */
static void die_in_vm(struct rpc_fixture *f, bool oneway)
{
	const struct rpc_options options = {.transport = f->transport,
					    .client_version = 1,
					    .server.version = 1};
	ARpcSession *session = ARpcSession_new();

	CHECK(f, rpc_vm_start());
	rpc_fixture_start_server(f, &options);
	see_death(f, session, rpc_fixture_connect(f, &options, session),
		  oneway);
	close(f->control);
	CHECK(f, rpc_vm_ends());
}

static void Die(struct rpc_fixture *f)
{
	void (*const run)(struct rpc_fixture *, bool) =
		f->transport == RPC_VSOCK ? die_in_vm : die;

	run(f, false);
	run(f, true);
}

/* ---- servers
 * ------------------------------------------------------------------------------
 */

static void SeparateRootObject(struct rpc_fixture *f)
{
	const struct rpc_options options = {.transport = f->transport,
					    .client_version = 1,
					    .server.version = 1,
					    .server.root_per_session = true};

	rpc_fixture_start_server(f, &options);
	f->n_sessions = 2;
	for (size_t i = 0; i < 2; i++) {
		f->sessions[i] = ARpcSession_new();
		f->roots[i] = rpc_fixture_connect(f, &options, f->sessions[i]);
		CHECK(f, service_associate(f->roots[i]));
	}
	CHECK(f, rpc_ask(f, RPC_ROOTS, 0) == 2);
	/* each has its own state, and none is the server's */
	CHECK(f, service_hold(f->roots[0], f->roots[0]) == STATUS_OK);
	CHECK(f, service_wait_gate(f->roots[1], false) == STATUS_OK);
	CHECK(f, rpc_ask(f, RPC_HOLDS, 0) == 0);
	CHECK(f, service_hold(f->roots[0], NULL) == STATUS_OK);
	rpc_fixture_stop(f);
}

static void ConnectionFilter(struct rpc_fixture *f)
{
	const struct rpc_options options = {.transport = f->transport,
					    .client_version = 1,
					    .server.version = 1,
					    .server.refuse_all = true};
	ARpcSession *session = ARpcSession_new();

	rpc_fixture_start_server(f, &options);
	CHECK(f, !rpc_fixture_connect(f, &options, session));
	CHECK(f, AvfRpcSession_getError(session) == STATUS_DEAD_OBJECT);
	CHECK(f, rpc_ask(f, RPC_REFUSED, 0) == 1);
	ARpcSession_free(session);
	rpc_fixture_stop(f);
}

static void *join_server(void *server)
{
	ARpcServer_join(server);
	return NULL;
}

static bool is_accepting(struct rpc_fixture *f)
{
	bool accepting;

	pthread_mutex_lock(&f->served.server->lock);
	accepting = f->served.server->accepting;
	pthread_mutex_unlock(&f->served.server->lock);
	return accepting;
}

static void Shutdown(struct rpc_fixture *f)
{
	pthread_t thread;

	f->served.root = service_new();
	snprintf(f->path, sizeof(f->path), "/tmp/avf-rpc-shutdown.%d",
		 getpid());
	f->served.server = AvfRpcServer_newUnixDomain(f->served.root, f->path);
	CHECK(f, !ARpcServer_shutdown(f->served.server));
	ARpcServer_free(f->served.server);
	unlink(f->path);
	f->served.server = AvfRpcServer_newUnixDomain(f->served.root, f->path);
	CHECK(f, pthread_create(&thread, NULL, join_server, f->served.server) ==
			 0);
	CHECK(f, rpc_wait(f, is_accepting));
	CHECK(f, ARpcServer_shutdown(f->served.server));
	CHECK(f, pthread_join(thread, NULL) == 0);
	ARpcServer_free(f->served.server);
	AIBinder_decStrong(f->served.root);
	unlink(f->path);
}

static void SetExternalServerTest(struct rpc_fixture *f)
{
	/* over RPC_BOUND the server was given its socket; without one it
	 * cannot be made */
	AIBinder *root = service_new();

	CHECK(f, !ARpcServer_newBoundSocket(root, -1));
	CHECK(f, !ARpcServer_newBoundSocket(root, open("/dev/null", O_RDONLY)));
	CHECK(f, AIBinder_debugGetRefCount(root) == 1);
	AIBinder_decStrong(root);
}

static void NullRoot(struct rpc_fixture *f)
{
	const struct rpc_options options = {.transport = f->transport,
					    .client_version = 1,
					    .server.version = 1,
					    .server.no_root = true,
					    .incoming = 1};
	ARpcSession *session = ARpcSession_new();

	rpc_fixture_start_server(f, &options);
	CHECK(f, !rpc_fixture_connect(f, &options, session));
	CHECK(f, AvfRpcSession_getError(session) == STATUS_OK);
	/* nothing holds the session, so freeing its handle ends it */
	ARpcSession_free(session);
	rpc_fixture_stop(f);
}

/* The root keeps an object of the client, which keeps the session, which must
 * not keep the root. */
static void RootThatKeepsItsClient(struct rpc_fixture *f)
{
	AIBinder *mine = service_new();

	CHECK(f, service_hold(f->roots[0], mine) == STATUS_OK);
	AIBinder_decStrong(mine);
	AvfRpcSession_shutdown(f->sessions[0], true);
	f->expect_dead = true;
}

static unsigned int count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned int count = 0;

	while (dir && readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static bool threads_have_ended(struct rpc_fixture *f)
{
	return count_threads() <= f->threads;
}

static bool no_session_is_left(struct rpc_fixture *f)
{
	return rpc_ask(f, RPC_SESSIONS, 0) == 0;
}

/* Nobody ends the session: its root and its handle are dropped, no more. */
static void SessionWithIncomingThreadpoolDoesntLeak(struct rpc_fixture *f)
{
	const unsigned int servers = f->transport == RPC_VSOCK ? 0 : 1;

	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_OK);
	f->threads = count_threads() - 3 - servers;
	AIBinder_decStrong(f->roots[0]);
	ARpcSession_free(f->sessions[0]);
	f->n_sessions = 0;
	CHECK(f, rpc_wait(f, no_session_is_left));
	CHECK(f, rpc_wait(f, threads_have_ended));
}

/* Of the functions that make and run a server. */
#define NO_SERVER "it is about a server in this process"

static const struct rpc_test tests[] = {
	RPC_ONE(EntireParcelFormatted, .n_sessions = 2),
	RPC_ONE(TransactionsMustBeMarkedRpc, .server.threads = 1),
	RPC_ONE(AppendSeparateFormats, .n_sessions = 2),
	RPC_ONE(CannotUseNextWireVersion, .server.threads = 1),
	RPC_ONE(CannotUseExperimentalWireVersion, .server.threads = 1),
	RPC_ALL(VersionIsTheLowerOne, .server.threads = 1),
	RPC_ALL(Ping, .server.threads = 1),
	RPC_ALL(GetInterfaceDescriptor, .server.threads = 1),
	RPC_ALL(UnknownTransaction, .server.threads = 1),
	RPC_ALL(MultipleSessions, .n_sessions = 5),
	RPC_ALL(SendSomethingOneway, .server.threads = 1),
	RPC_ALL(SendAndGetResultBack, .server.threads = 1),
	RPC_ALL(SendAndGetResultBackBig, .server.threads = 1),
	RPC_ALL(InvalidNullBinderReturn, .server.threads = 1),
	RPC_ALL(CallMeBack, .server.threads = 1),
	RPC_ALL(RepeatBinder, .server.threads = 1),
	RPC_ALL(RepeatTheirBinder, .server.threads = 1),
	RPC_ALL(RepeatBinderNull, .server.threads = 1),
	RPC_ALL(RepeatRootObject, .server.threads = 1),
	RPC_ALL(HoldBinder, .server.threads = 1),
	RPC_ALL(SameBinderEquality, .server.threads = 1),
	RPC_ALL(SameBinderEqualityWeak, .server.threads = 1),
	RPC_ALL(NestedTransactions, .server.threads = 1),
	RPC_ALL(NestedTransactionsHaveALimit, .server.threads = 1),
	RPC_ALL(SingleSession, .server.threads = 1),
	RPC_ALL(ManySessions, .server.threads = 1),
	RPC_ONE(CannotMixBindersBetweenUnrelatedSocketSessions,
		.server.threads = 1),
	RPC_ONE(CannotMixBindersBetweenTwoSessionsToTheSameServer,
		.n_sessions = 2),
	RPC_ALL(WorksWithLibbinderNdkPing, .server.threads = 1),
	RPC_ALL(WorksWithLibbinderNdkUserTransaction, .server.threads = 1),
	RPC_ONE(FramesHaveALimit, .server.threads = 1),
	RPC_ONE(LargerFramesThanTheServerTakes, .server.max_frame = 2000),
	RPC_ALL(SingleDeathRecipient, .incoming = 1),
	RPC_ALL(SingleDeathRecipientOnShutdown, .incoming = 1),
	RPC_ALL(UnlinkDeathRecipient, .incoming = 1),
	RPC_ALL(DeathRecipientFailsWithoutIncoming, .server.threads = 1),
	RPC_ALL(RootThatKeepsItsClient, .server.threads = 1),
	RPC_ALL(SessionWithIncomingThreadpoolDoesntLeak, .incoming = 3),
	RPC_BARE(SeparateRootObject),
	RPC_BARE(ConnectionFilter),
	RPC_HERE_BARE(Shutdown, NO_SERVER),
	RPC_HERE_BARE(SetExternalServerTest, NO_SERVER),
	RPC_BARE(NullRoot),
	RPC_BARE(Die), /* the last one: a VM ends with it */
};

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--serve") == 0)
		return serve_until_death(argv[2]);
	return rpc_run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
