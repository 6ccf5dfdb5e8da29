/*
 * RPC binder while memory runs out: parcels, objects, and a session as the
 * client and as the server have it. The other side is bytes that are there
 * already, so that all runs on one thread and each run is the same.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <android/binder_parcel.h>
#include <android/binder_rpc_unstable.h>

#include "base/checked.h"
#include "base/error.h"
#include "rpc/rpc_server.h"
#include "support/oom.h"
#include "support/raw_peer.h"

/* A step of NDK's status: what runs out of memory ends the scenario. */
#define STEP(call)                                                 \
	do {                                                       \
		binder_status_t step_rc_ = (call);                 \
		if (step_rc_ != STATUS_OK)                         \
			return failure(step_rc_, __LINE__, #call); \
	} while (0)

static int failure(binder_status_t status, int line, const char *what)
{
	return status == STATUS_NO_MEMORY ? AVF_ERR_NO_MEMORY
					  : oom_broken(__FILE__, line, what);
}

/* ---- an object ------------------------------------------------------------
 */

enum {
	KEEP = FIRST_CALL_TRANSACTION, /* an object */
	GIVE,                          /* that object */
	ADD,
};

static AIBinder_Class *the_class;

static void *on_create(void *args)
{
	(void)args;
	oom_pause();
	args = calloc(1, sizeof(AIBinder *));
	oom_resume();
	OOM_MUST(args);
	return args;
}

static void on_destroy(void *user_data)
{
	AIBinder **kept = user_data;

	AIBinder_decStrong(*kept);
	free(kept);
}

static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	AIBinder **kept = AIBinder_getUserData(binder);
	AIBinder *read = NULL;
	int32_t number = 0;
	binder_status_t rc;

	switch (code) {
	case KEEP:
		rc = AParcel_readStrongBinder(in, &read);
		if (rc == STATUS_OK) {
			AIBinder_decStrong(*kept);
			*kept = read;
		}
		return rc;
	case GIVE:
		return AParcel_writeStrongBinder(out, *kept);
	default:
		rc = AParcel_readInt32(in, &number);
		return rc == STATUS_OK ? AParcel_writeInt32(out, number + 1)
				       : rc;
	}
}

/* ---- without a session ----------------------------------------------------
 */

static bool take_string(void *data, int32_t length, char **ret_buffer)
{
	*ret_buffer = data;
	return length <= 64;
}

static int fill_parcel(AParcel *p, AIBinder *binder, const AStatus *status)
{
	static const int32_t numbers[300] = {1, 2, 3};

	STEP(AParcel_writeStatusHeader(p, status));
	STEP(AParcel_writeString(p, "h\xc3\xa4llo", 6));
	STEP(AParcel_writeInt32Array(p, numbers, 300));
	for (int i = 0; i < 3; i++) {
		STEP(AParcel_writeStrongBinder(p, binder));
		STEP(AParcel_writeParcelFileDescriptor(p, 2));
	}
	return 0;
}

static int read_parcel(const AParcel *p)
{
	AStatus *status = NULL;
	char text[64];
	binder_status_t rc;

	(void)AParcel_setDataPosition(p, 0);
	rc = AParcel_readStatusHeader(p, &status);
	AStatus_delete(status);
	STEP(rc);
	STEP(AParcel_readString(p, text, take_string));
	OOM_EXPECT(strcmp(text, "h\xc3\xa4llo") == 0);
	return 0;
}

static int with_parcels(AParcel *one, AParcel *two, AIBinder *binder)
{
	AStatus *status;
	int rc;

	if (!one || !two || !binder)
		return AVF_ERR_NO_MEMORY;
	status = AStatus_fromExceptionCodeWithMessage(EX_ILLEGAL_STATE,
						      "message");
	rc = fill_parcel(one, binder, status);
	AStatus_delete(status);
	if (rc == 0)
		rc = read_parcel(one);
	if (rc < 0)
		return rc;
	AParcel_markSensitive(two);
	STEP(AParcel_writeInt32(two, 1));
	STEP(AParcel_appendFrom(one, two, 0, AParcel_getDataSize(one)));
	return 0;
}

static int parcels(void)
{
	AIBinder *binder = AIBinder_new(the_class, NULL);
	AParcel *one = AParcel_create();
	AParcel *two = AParcel_create();
	int rc = with_parcels(one, two, binder);

	AParcel_delete(one);
	AParcel_delete(two);
	OOM_EXPECT(!binder || AIBinder_debugGetRefCount(binder) == 1);
	AIBinder_decStrong(binder);
	return rc;
}

static int with_object(AIBinder *binder, AIBinder *other)
{
	AIBinder *found = NULL;
	AIBinder_Weak *weak;
	AParcel *in = NULL, *out = NULL;

	if (!binder || !other)
		return AVF_ERR_NO_MEMORY;
	weak = AIBinder_Weak_new(binder);
	if (!weak)
		return AVF_ERR_NO_MEMORY;
	OOM_EXPECT(AIBinder_Weak_promote(weak) == binder);
	AIBinder_decStrong(binder);
	AIBinder_Weak_delete(weak);
	STEP(AIBinder_setExtension(binder, other));
	STEP(AIBinder_getExtension(binder, &found));
	OOM_EXPECT(found == other);
	AIBinder_decStrong(found);
	STEP(AIBinder_prepareTransaction(binder, &in));
	if (AParcel_writeStrongBinder(in, other) != STATUS_OK) {
		AParcel_delete(in);
		return AVF_ERR_NO_MEMORY;
	}
	STEP(AIBinder_transact(binder, KEEP, &in, &out, 0));
	AParcel_delete(out);
	return 0;
}

static int objects(void)
{
	AIBinder *binder = AIBinder_new(the_class, NULL);
	AIBinder *other = AIBinder_new(the_class, NULL);
	int rc = with_object(binder, other);

	AIBinder_decStrong(binder);
	OOM_EXPECT(!other || AIBinder_debugGetRefCount(other) == 1);
	AIBinder_decStrong(other);
	return rc;
}

/* ---- as a client ----------------------------------------------------------
 */

#define REPLY_INT(n)       RAW_REPLY("18000000", "00000000", "04000000") n " "
#define REPLY_EMPTY        RAW_REPLY("14000000", "00000000", "00000000")
#define CLIENT_ROOT(table) "01000000 " RAW_SERVER " 0c000000 " table

/* All that the server says to the client below. */
#define SERVER_WORDS                                    \
	REPLY_INT("01000000")                           \
	RAW_REPLY("38000000", "00000000", "24000000")   \
	"20000000 01010101 02020202 03030303 04040404 " \
	"05050505 06060606 07070707 08080808 "
#define MORE_WORDS                                                        \
	REPLY_EMPTY /* KEEP */                                            \
	RAW_CALL(RAW_CLIENT, "474e505f", "01000000", "01000000 00000000") \
		RAW_CALL(RAW_CLIENT, "474e505f", "01000000", RAW_NONE)    \
			RAW_DEC(RAW_SERVER, "03000000")

static int peer = -1;
static uint32_t version;

static int dial(void *param)
{
	int pair[2];

	(void)param;
	oom_pause();
	OOM_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	peer = pair[1];
	raw_send(peer,
		 version == 2 ? "02000000 00000000" : "01000000 00000000");
	raw_send(peer, SERVER_WORDS);
	if (version == 2) {
		raw_send(peer, RAW_REPLY("28000000", "00000000", "10000000")
				       CLIENT_ROOT("00000000"));
		raw_send(peer, MORE_WORDS RAW_REPLY("28000000", "00000000",
						    "10000000")
				       CLIENT_ROOT("00000000"));
	} else {
		raw_send(peer, RAW_REPLY("24000000", "00000000", "10000000")
				       CLIENT_ROOT(""));
		raw_send(peer,
			 MORE_WORDS RAW_REPLY("24000000", "00000000",
					      "10000000") CLIENT_ROOT(""));
	}
	oom_resume();
	return pair[0];
}

/* A call with an object and a call that gets one. */
static int use_root(AIBinder *root, AIBinder *mine)
{
	AParcel *in = NULL, *out = NULL;
	AIBinder *found = NULL;
	binder_status_t rc;

	__atomic_store_n(&root->clazz, the_class, __ATOMIC_RELEASE);
	if (AIBinder_prepareTransaction(root, &in) != STATUS_OK)
		return AVF_ERR_NO_MEMORY;
	rc = AParcel_writeStrongBinder(in, mine);
	if (rc == STATUS_OK)
		rc = AIBinder_transact(root, KEEP, &in, &out, 0);
	AParcel_delete(in);
	AParcel_delete(out);
	in = out = NULL;
	if (rc == STATUS_OK)
		rc = AIBinder_prepareTransaction(root, &in);
	if (rc == STATUS_OK)
		rc = AIBinder_transact(root, GIVE, &in, &out, 0);
	if (rc == STATUS_OK)
		rc = AParcel_readStrongBinder(out, &found);
	AParcel_delete(out);
	AIBinder_decStrong(found);
	return rc == STATUS_OK ? 0 : AVF_ERR_NO_MEMORY;
}

static int client_role(void)
{
	AIBinder *mine = AIBinder_new(the_class, NULL);
	ARpcSession *session = ARpcSession_new();
	AIBinder *root = NULL;
	int rc = AVF_ERR_NO_MEMORY;

	if (mine && session) {
		(void)AvfRpcSession_setProtocolVersion(session, version);
		root = ARpcSession_setupPreconnectedClient(session, dial, NULL);
	}
	if (root)
		rc = use_root(root, mine);
	AIBinder_decStrong(root);
	if (session)
		AvfRpcSession_shutdown(session, true);
	ARpcSession_free(session);
	if (peer >= 0)
		(void)close(peer);
	peer = -1;
	OOM_EXPECT(!mine || AIBinder_debugGetRefCount(mine) == 1);
	AIBinder_decStrong(mine);
	return rc;
}

static int client(void)
{
	version = 1;
	return client_role();
}

static int client_version_2(void)
{
	version = 2;
	return client_role();
}

/* ---- as a server ----------------------------------------------------------
 */

#define ROOM 4096

/* A call with the client's object, in version 1 or with a table. */
#define KEEP_CALL(size, table)                                                 \
	RAW_HEADER("00000000", size)                                           \
	RAW_SERVER " 01000000 00000000 " RAW_NONE                              \
		   " 10000000 00000000 00000000 00000000 01000000 " RAW_CLIENT \
		   " 0c000000 " table

/* What the client says: all kinds of messages. */
static void say(int fd)
{
	raw_send(fd,
		 version == 2 ? RAW_HELLO("02000000") : RAW_HELLO("01000000"));
	raw_send(fd,
		 RAW_INIT RAW_CALL(RAW_NONE, "01000000", "00000000", RAW_NONE)
			 RAW_CALL(RAW_NONE, "00000000", "00000000", RAW_NONE));
	raw_send(fd, version == 2 ? KEEP_CALL("3c000000", "00000000")
				  : KEEP_CALL("38000000", ""));
	raw_send(fd, RAW_CALL(RAW_SERVER, "02000000", "00000000", RAW_NONE)
			     RAW_CALL(RAW_SERVER, "474e505f", "01000000",
				      "01000000 00000000")
				     RAW_CALL(RAW_SERVER, "474e505f",
					      "01000000", RAW_NONE));
	raw_send(fd, RAW_CALL(RAW_SERVER, "46544e5f", "00000000", RAW_NONE)
			     RAW_CALL(RAW_SERVER, "5458455f", "00000000",
				      RAW_NONE));
	(void)shutdown(fd, SHUT_WR);
}

/* Serve what a client has said, on this thread. */
static void serve(ARpcServer *server, int fd)
{
	struct rpc_worker worker = {
		.server = server, .fd = fd, .pending = true};

	server->n_pending = 1;
	rpc_server_run_worker(&worker);
}

static ARpcServer *new_server(AIBinder *root)
{
	int pair[2];
	ARpcServer *server;

	OOM_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	server = ARpcServer_newUnixDomainBootstrap(root, pair[0]);
	(void)close(pair[1]);
	if (server)
		(void)AvfRpcServer_setProtocolVersion(server, version);
	return server;
}

/* What the server answers when nothing fails, for each version. */
static char answers[3][ROOM];
static ssize_t n_answers[3];

/* Whether the answers at @fd are the whole of it. */
static int compare_answers(int fd)
{
	char bytes[ROOM];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_WAITALL | MSG_DONTWAIT);

	if (n_answers[version] == 0) {
		OOM_MUST(n > 300);
		n_answers[version] = n;
		memcpy(answers[version], bytes, (size_t)n);
	}
	return n == n_answers[version] &&
			       memcmp(bytes, answers[version], (size_t)n) == 0
		       ? 0
		       : AVF_ERR_NO_MEMORY;
}

static int server_role(void)
{
	AIBinder *root = AIBinder_new(the_class, NULL);
	ARpcServer *server = root ? new_server(root) : NULL;
	int rc = AVF_ERR_NO_MEMORY;
	int pair[2];

	if (server) {
		OOM_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				    pair) == 0);
		say(pair[1]);
		serve(server, pair[0]);
		OOM_EXPECT(AvfRpcServer_countSessions(server) == 0);
		OOM_EXPECT(server->n_pending == 0);
		rc = compare_answers(pair[1]);
		(void)close(pair[1]);
	}
	ARpcServer_free(server);
	OOM_EXPECT(!root || AIBinder_debugGetRefCount(root) == 1);
	AIBinder_decStrong(root);
	return rc;
}

static int server_version_1(void)
{
	version = 1;
	return server_role();
}

static int server_version_2(void)
{
	version = 2;
	return server_role();
}

/* In a session it may be the peer's call that fails, or a reference that is
 * paid too late: nothing that somebody here is told. */
static const struct oom_scenario scenarios[] = {
	{"parcels", parcels, true},
	{"objects", objects, true},
	{"client", client, true},
	{"client_version_2", client_version_2, true},
	{"server", server_version_1, true},
	{"server_version_2", server_version_2, true},
};

int main(int argc, char **argv)
{
	the_class =
		AIBinder_Class_define("x", on_create, on_destroy, on_transact);
	OOM_MUST(the_class);
	AIBinder_Class_disableInterfaceTokenHeader(the_class);
	return oom_main(argc, argv, scenarios, ARRAY_SIZE(scenarios));
}
