/* The golden session of the protocol, from both sides, byte for byte; and what
 * a peer may and may not do once there is a session. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <android/binder_parcel.h>
#include <android/binder_rpc_unstable.h>

#include "base/checked.h"
#include "binder/object.h"
#include "binder/parcel.h"
#include "rpc/rpc_server.h"
#include "support/echo_object.h"
#include "support/raw_peer.h"

#define DESCRIPTOR "org.avf.test.ICalc"

/* The interface's name as a String16: length, 18 units, NUL, padding. */
#define TOKEN                                                            \
	"12000000 6f007200 67002e00 61007600 66002e00 74006500 73007400" \
	"2e004900 43006100 6c006300 00000000 "

enum {
	CALC_ADD = FIRST_CALL_TRANSACTION,
	CALC_CALL_BACK, /* an object, an int: calls it, returns its result */
	CALC_KEEP,      /* an object */
	CALC_FAIL,
};

static AIBinder_Class *calc_class;
static AIBinder *kept;

static void *calc_create(void *args)
{
	return args;
}

static void calc_destroy(void *user_data)
{
	(void)user_data;
}

static binder_status_t add(const AParcel *in, AParcel *out)
{
	int32_t a, b;
	AStatus *ok = AStatus_newOk();

	if (AParcel_readInt32(in, &a) != STATUS_OK ||
	    AParcel_readInt32(in, &b) != STATUS_OK)
		return STATUS_NOT_ENOUGH_DATA;
	(void)AParcel_writeStatusHeader(out, ok);
	return AParcel_writeInt32(out, a + b);
}

static binder_status_t call_back(const AParcel *in, AParcel *out)
{
	AParcel *arguments, *results = NULL;
	AIBinder *callback;
	int32_t value = 0;
	binder_status_t rc;

	rc = AParcel_readStrongBinder(in, &callback);
	if (rc != STATUS_OK)
		return rc;
	(void)AParcel_readInt32(in, &value);
	if (!AIBinder_associateClass(callback, calc_class)) {
		AIBinder_decStrong(callback);
		return STATUS_BAD_TYPE;
	}
	(void)AIBinder_prepareTransaction(callback, &arguments);
	(void)AParcel_writeInt32(arguments, value);
	(void)AParcel_writeInt32(arguments, 0);
	rc = AIBinder_transact(callback, CALC_ADD, &arguments, &results, 0);
	if (rc == STATUS_OK)
		rc = AParcel_appendFrom(results, out, 0,
					AParcel_getDataSize(results));
	AParcel_delete(results);
	AIBinder_decStrong(callback);
	return rc;
}

static binder_status_t calc_transact(AIBinder *binder, transaction_code_t code,
				     const AParcel *in, AParcel *out)
{
	(void)binder;
	switch (code) {
	case CALC_ADD:
		return add(in, out);
	case CALC_CALL_BACK:
		return call_back(in, out);
	case CALC_KEEP:
		AIBinder_decStrong(kept);
		kept = NULL;
		return AParcel_readStrongBinder(in, &kept);
	case CALC_FAIL:
		return STATUS_PERMISSION_DENIED;
	default:
		return STATUS_UNKNOWN_TRANSACTION;
	}
}

/* ---- a client that is bytes
 * -------------------------------------------------- */

static char path[128];
static ARpcServer *server;
static AIBinder *root;
static int client = -1;

static void start_server(void)
{
	raw_socket_path(path, sizeof(path));
	if (!calc_class)
		calc_class = AIBinder_Class_define(DESCRIPTOR, calc_create,
						   calc_destroy, calc_transact);
	root = AIBinder_new(calc_class, NULL);
	server = AvfRpcServer_newUnixDomain(root, path);
	cr_assert(server);
}

static void stop_server(void)
{
	AIBinder_decStrong(kept);
	close(client);
	ARpcServer_free(server);
	cr_expect_eq(AIBinder_debugGetRefCount(root), 1,
		     "nothing is left of the sessions");
	AIBinder_decStrong(root);
	(void)unlink(path);
}

/* Connect and open a session of version 1. */
static void open_session(void)
{
	ARpcServer_start(server);
	client = raw_connect(path);
	raw_send(client, RAW_HELLO("01000000") RAW_INIT);
	cr_assert(raw_expect(client, "01000000 00000000"));
}

/* Get the root object, which is the server's first. */
static void get_root(void)
{
	raw_send(client, RAW_CALL(RAW_NONE, "00000000", "00000000", RAW_NONE));
	cr_assert(raw_expect(client,
			     RAW_REPLY("24000000", "00000000",
				       "10000000") "01000000 " RAW_SERVER
						   " 0c000000"));
}

static size_t count_objects(void)
{
	return server->sessions ? rpc_table_count(&server->sessions->table)
				: 999;
}

TestSuite(serve, .init = start_server, .fini = stop_server, .timeout = 60);

Test(serve, the_golden_session)
{
	open_session();
	raw_send(client, RAW_CALL(RAW_NONE, "01000000", "00000000", RAW_NONE));
	cr_assert(raw_expect(client, RAW_REPLY("18000000", "00000000",
					       "04000000") "01000000"));
	raw_send(client, RAW_CALL(RAW_NONE, "02000000", "00000000", RAW_NONE));
	cr_assert(raw_expect(
		client,
		RAW_REPLY("38000000", "00000000",
			  "24000000") "20000000"
				      "xxxxxxxx xxxxxxxx xxxxxxxx xxxxxxxx"
				      "xxxxxxxx xxxxxxxx xxxxxxxx xxxxxxxx"));
	get_root();
	raw_send(client,
		 RAW_CALL(RAW_SERVER, "46544e5f", "00000000", RAW_NONE));
	cr_assert(raw_expect(client, RAW_DEC(RAW_SERVER, "01000000")
					     RAW_REPLY("40000000", "00000000",
						       "2c000000") TOKEN));
	raw_send(client, RAW_HEADER("00000000", "5c000000") RAW_SERVER
		 " 01000000 00000000 " RAW_NONE " 34000000 "
		 "00000000 00000000 00000000 " TOKEN "02000000 03000000");
	cr_assert(raw_expect(client, RAW_DEC(RAW_SERVER, "01000000") RAW_REPLY(
					     "1c000000", "00000000",
					     "08000000") "00000000 05000000"));
	/* a callback, nested: the interface's name first, then the method */
	raw_send(client, RAW_HEADER("00000000", "68000000") RAW_SERVER
		 " 02000000 00000000 " RAW_NONE " 40000000 "
		 "00000000 00000000 00000000 " TOKEN "01000000 " RAW_CLIENT
		 " 0c000000 15000000");
	cr_assert(raw_expect(client, RAW_CALL(RAW_CLIENT, "46544e5f",
					      "00000000", RAW_NONE)));
	raw_send(client, RAW_DEC(RAW_CLIENT, "01000000") RAW_REPLY(
				 "40000000", "00000000", "2c000000") TOKEN);
	cr_assert(raw_expect(
		client, RAW_HEADER("00000000", "5c000000") RAW_CLIENT
		" 01000000 00000000 " RAW_NONE " 34000000 "
		"00000000 00000000 00000000 " TOKEN "15000000 00000000"));
	raw_send(client, RAW_DEC(RAW_CLIENT, "01000000")
				 RAW_REPLY("1c000000", "00000000",
					   "08000000") "00000000 15000000");
	cr_assert(raw_expect(
		client,
		RAW_DEC(RAW_CLIENT, "01000000") RAW_DEC(RAW_SERVER, "01000000")
			RAW_REPLY("1c000000", "00000000",
				  "08000000") "00000000 15000000"));
	cr_expect_eq(count_objects(), 1, "only the root");
	/* the last reference ends the session */
	raw_send(client, RAW_DEC(RAW_SERVER, "01000000"));
	cr_expect(raw_closed(client));
}

Test(serve, version_0)
{
	ARpcServer_start(server);
	client = raw_connect(path);
	raw_send(client, RAW_HELLO("00000000") RAW_INIT);
	cr_assert(raw_expect(client, "00000000 00000000"));
	raw_send(client, RAW_CALL(RAW_NONE, "00000000", "00000000", RAW_NONE));
	/* the reply has the status alone; the field of the parcel's size is
	 * ignored in calls */
	cr_assert(raw_expect(
		client, RAW_HEADER("01000000",
				   "14000000") "00000000 01000000 " RAW_SERVER
					       " 0c000000"));
	raw_send(client, RAW_HEADER("00000000", "5c000000") RAW_SERVER
		 " 01000000 00000000 " RAW_NONE " 99999999 "
		 "00000000 00000000 00000000 " TOKEN "02000000 03000000");
	cr_assert(raw_expect(
		client,
		RAW_DEC(RAW_SERVER, "01000000") RAW_HEADER(
			"01000000", "0c000000") "00000000 00000000 05000000"));
}

/* What only the call suffers from: the session goes on. */
Test(serve, calls_that_are_refused)
{
	static const struct {
		const char *what, *request, *answer;
	} rows[] = {
		{"an unknown special call",
		 RAW_CALL(RAW_NONE, "03000000", "00000000", RAW_NONE),
		 RAW_REPLY("14000000", "b6ffffff", "00000000")},
		{"code 0 on an object",
		 RAW_CALL(RAW_SERVER, "00000000", "00000000", RAW_NONE),
		 RAW_DEC(RAW_SERVER, "01000000")
			 RAW_REPLY("14000000", "b6ffffff", "00000000")},
		{"a method without the interface's name",
		 RAW_CALL(RAW_SERVER, "01000000", "00000000", RAW_NONE),
		 RAW_DEC(RAW_SERVER, "01000000")
			 RAW_REPLY("14000000", "01000080", "00000000")},
		{"an address with unknown options",
		 RAW_CALL("07000000 00000000", "46544e5f", "00000000",
			  RAW_NONE),
		 RAW_REPLY("14000000", "eaffffff", "00000000")},
		{"an address that nobody created",
		 RAW_CALL("02000000 00000000", "46544e5f", "00000000",
			  RAW_NONE),
		 RAW_REPLY("14000000", "eaffffff", "00000000")},
		{"dump without a descriptor",
		 RAW_CALL(RAW_SERVER, "504d445f", "00000000", RAW_NONE),
		 RAW_DEC(RAW_SERVER, "01000000")
			 RAW_REPLY("14000000", "00000000", "00000000")},
		{"a table without a descriptor",
		 RAW_HEADER("00000000", "34000000") RAW_SERVER
		 " 474e505f 00000000 " RAW_NONE " 08000000 "
		 "00000000 00000000 00000000 02000000 00000000 00000000",
		 RAW_DEC(RAW_SERVER, "01000000")
			 RAW_REPLY("14000000", "eaffffff", "00000000")},
		{"references to nothing are ignored",
		 RAW_DEC("03000000 07000000", "01000000")
			 RAW_CALL(RAW_NONE, "01000000", "00000000", RAW_NONE),
		 RAW_REPLY("18000000", "00000000", "04000000") "01000000"},
		{"too many references are ignored",
		 RAW_DEC(RAW_SERVER, "ffffffff")
			 RAW_CALL(RAW_NONE, "01000000", "00000000", RAW_NONE),
		 RAW_REPLY("18000000", "00000000", "04000000") "01000000"},
		{"a special call without an answer",
		 RAW_CALL(RAW_NONE, "01000000", "01000000", RAW_NONE)
			 RAW_CALL(RAW_NONE, "01000000", "00000000", RAW_NONE),
		 RAW_REPLY("18000000", "00000000", "04000000") "01000000"},
	};

	open_session();
	get_root();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		raw_send(client, rows[i].request);
		cr_assert(raw_expect(client, rows[i].answer), "%s",
			  rows[i].what);
	}
	cr_expect_eq(count_objects(), 1);
}

/* What ends the session. */
Test(serve, protocol_errors)
{
	static const struct {
		const char *what, *request;
	} rows[] = {
		{"a call whose body is too short",
		 RAW_HEADER("00000000",
			    "24000000") "00000000 00000000 00000000 00000000 "
					"00000000 "
					"00000000 00000000 00000000 00000000"},
		{"a parcel larger than the body",
		 RAW_HEADER("00000000", "28000000") RAW_NONE
		 " 01000000 00000000 " RAW_NONE
		 " 04000000 00000000 00000000 00000000"},
		{"a table that is no multiple of four",
		 RAW_HEADER("00000000", "2a000000") RAW_SERVER
		 " 474e505f 00000000 " RAW_NONE
		 " 00000000 00000000 00000000 00000000 0000"},
		{"a body beyond the limit", RAW_HEADER("00000000", "01600900")},
		{"a body of four gigabytes",
		 RAW_HEADER("00000000", "ffffffff")},
		{"an unknown command", RAW_HEADER("03000000", "00000000")},
		{"references of a wrong size",
		 RAW_HEADER("02000000",
			    "0c000000") "03000000 00000000 01000000"},
		{"a reply to nothing",
		 RAW_REPLY("14000000", "00000000", "00000000")},
		{"a call on an object that does not exist",
		 RAW_CALL("03000000 01000000", "474e505f", "00000000",
			  RAW_NONE)},
		{"a call on an object of the caller's",
		 RAW_CALL(RAW_CLIENT, "474e505f", "00000000", RAW_NONE)},
		{"a oneway number that was there before",
		 RAW_CALL(RAW_SERVER, "474e505f", "01000000", RAW_NONE)
			 RAW_CALL(RAW_SERVER, "474e505f", "01000000",
				  "01000000 00000000")
				 RAW_CALL(RAW_SERVER, "474e505f", "01000000",
					  "01000000 00000000")},
	};

	open_session();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		get_root();
		raw_send(client, rows[i].request);
		cr_expect(raw_closed(client), "%s", rows[i].what);
		close(client);
		client = raw_connect(path);
		raw_send(client, RAW_HELLO("01000000") RAW_INIT);
		cr_assert(raw_expect(client, "01000000 00000000"), "%s",
			  rows[i].what);
	}
}

/* An unknown object that only the server could have made is no object. */
Test(serve, objects_of_our_own_making)
{
	open_session();
	get_root();
	raw_send(client, RAW_HEADER("00000000", "64000000") RAW_SERVER
		 " 03000000 00000000 " RAW_NONE " 3c000000 "
		 "00000000 00000000 00000000 " TOKEN
		 "01000000 03000000 07000000 0c000000");
	cr_assert(raw_expect(
		client, RAW_DEC(RAW_SERVER, "01000000")
				RAW_REPLY("14000000", "eaffffff", "00000000")));
	/* the client's own is one, and is given back when it is dropped */
	raw_send(client, RAW_HEADER("00000000", "64000000") RAW_SERVER
		 " 03000000 00000000 " RAW_NONE " 3c000000 "
		 "00000000 00000000 00000000 " TOKEN "01000000 " RAW_CLIENT
		 " 3f000000");
	cr_assert(raw_expect(
		client, RAW_DEC(RAW_SERVER, "01000000")
				RAW_REPLY("14000000", "00000000", "00000000")));
	cr_expect_eq(count_objects(), 2);
	cr_expect_eq(kept->stability, STABILITY_VINTF);
	/* a second stability of the same object */
	raw_send(client, RAW_HEADER("00000000", "64000000") RAW_SERVER
		 " 03000000 00000000 " RAW_NONE " 3c000000 "
		 "00000000 00000000 00000000 " TOKEN "01000000 " RAW_CLIENT
		 " 0c000000");
	/* the old one is dropped by the handler before it reads */
	cr_assert(raw_expect(
		client,
		RAW_DEC(RAW_CLIENT, "01000000") RAW_DEC(RAW_SERVER, "01000000")
			RAW_REPLY("14000000", "00000000", "00000000")));
}

/* What a handler reports ends nothing, and its target is paid all the same. */
Test(serve, a_handler_that_fails)
{
	open_session();
	get_root();
	raw_send(client, RAW_HEADER("00000000", "54000000") RAW_SERVER
		 " 04000000 00000000 " RAW_NONE " 2c000000 "
		 "00000000 00000000 00000000 " TOKEN);
	cr_assert(raw_expect(
		client, RAW_DEC(RAW_SERVER, "01000000")
				RAW_REPLY("14000000", "ffffffff", "00000000")));
}

/* Number 1 before number 0: both run in order, and are paid at once. */
Test(serve, oneway_calls_wait_for_their_turn)
{
	open_session();
	get_root();
	raw_send(client, RAW_CALL(RAW_SERVER, "474e505f", "01000000",
				  "01000000 00000000"));
	raw_send(client, RAW_CALL(RAW_NONE, "01000000", "00000000", RAW_NONE));
	cr_assert(raw_expect(client, RAW_REPLY("18000000", "00000000",
					       "04000000") "01000000"));
	raw_send(client,
		 RAW_CALL(RAW_SERVER, "474e505f", "01000000", RAW_NONE));
	cr_assert(raw_expect(client, RAW_DEC(RAW_SERVER, "02000000")));
	cr_expect_eq(count_objects(), 1);
}

Test(serve, a_peer_that_calls_without_end)
{
	/* each callback is answered with another call */
	open_session();
	get_root();
	for (int i = 0; i < (int)RPC_MAX_DEPTH; i++) {
		raw_send(client, RAW_HEADER("00000000", "68000000") RAW_SERVER
			 " 02000000 00000000 " RAW_NONE " 40000000 "
			 "00000000 00000000 00000000 " TOKEN
			 "01000000 " RAW_CLIENT " 0c000000 15000000");
		/* the name is asked for each time, since none answers */
		cr_assert(raw_expect(client, RAW_CALL(RAW_CLIENT, "46544e5f",
						      "00000000", RAW_NONE)));
	}
	raw_send(client,
		 RAW_CALL(RAW_SERVER, "474e505f", "00000000", RAW_NONE));
	cr_assert(raw_expect(client,
			     "02000000 10000000 00000000 00000000 " RAW_SERVER
			     " 21000000 00000000" RAW_REPLY(
				     "14000000", "02000080", "00000000")));
}

/* Who does not answer a callback loses the session, and not its thread here. */
Test(serve, a_time_out_of_a_callback)
{
	AvfRpcServer_setCallTimeout(server, 200);
	open_session();
	get_root();
	raw_send(client, RAW_HEADER("00000000", "68000000") RAW_SERVER
		 " 02000000 00000000 " RAW_NONE " 40000000 "
		 "00000000 00000000 00000000 " TOKEN "01000000 " RAW_CLIENT
		 " 0c000000 15000000");
	cr_assert(raw_expect(client, RAW_CALL(RAW_CLIENT, "46544e5f",
					      "00000000", RAW_NONE)));
	cr_expect(raw_closed(client));
}

/* ---- a server that is bytes
 * --------------------------------------------------- */

static int listener = -1;
static int peer = -1;

/* Accept, and set a session of one connection up. */
static bool play_set_up(const char *welcome)
{
	peer = raw_accept(listener);
	if (!raw_expect(peer, RAW_HELLO("01000000") RAW_INIT))
		return false;
	raw_send(peer, welcome);
	if (!raw_expect(peer,
			RAW_CALL(RAW_NONE, "01000000", "00000000", RAW_NONE)))
		return false;
	raw_send(peer,
		 RAW_REPLY("18000000", "00000000", "04000000") "01000000");
	if (!raw_expect(peer,
			RAW_CALL(RAW_NONE, "02000000", "00000000", RAW_NONE)))
		return false;
	raw_send(peer,
		 RAW_REPLY("38000000", "00000000",
			   "24000000") "20000000 00010203 04050607 08090a0b "
				       "0c0d0e0f"
				       "10111213 14151617 18191a1b 1c1d1e1f");
	return raw_expect(peer,
			  RAW_CALL(RAW_NONE, "00000000", "00000000", RAW_NONE));
}

static void *play_golden(void *unused)
{
	bool good = play_set_up("01000000 00000000");

	(void)unused;
	raw_send(peer,
		 RAW_REPLY("24000000", "00000000",
			   "10000000") "01000000 " RAW_SERVER " 0c000000");
	good = good && raw_expect(peer, RAW_CALL(RAW_SERVER, "46544e5f",
						 "00000000", RAW_NONE));
	raw_send(peer, RAW_DEC(RAW_SERVER, "01000000") RAW_REPLY(
			       "40000000", "00000000", "2c000000") TOKEN);
	good = good &&
	       raw_expect(peer, RAW_HEADER("00000000", "5c000000") RAW_SERVER
			  " 01000000 00000000 " RAW_NONE " 34000000 "
			  "00000000 00000000 00000000 " TOKEN
			  "02000000 03000000");
	raw_send(peer, RAW_DEC(RAW_SERVER, "01000000")
			       RAW_REPLY("1c000000", "00000000",
					 "08000000") "00000000 05000000");
	/* the root is given up: its reference is paid, the socket closed */
	good = good && raw_expect(peer, RAW_DEC(RAW_SERVER, "01000000")) &&
	       raw_closed(peer);
	return good ? &listener : NULL;
}

/* Play a server on a thread while the client below talks to it. */
static void start_playing(void *(*play)(void *), pthread_t *thread)
{
	raw_socket_path(path, sizeof(path));
	if (!calc_class)
		calc_class = AIBinder_Class_define(DESCRIPTOR, calc_create,
						   calc_destroy, calc_transact);
	listener = raw_listen(path);
	cr_assert_eq(pthread_create(thread, NULL, play, NULL), 0);
}

static void stop_playing(pthread_t thread)
{
	void *good;

	cr_assert_eq(pthread_join(thread, &good), 0);
	cr_expect(good, "the server saw what it expected");
	close(peer);
	close(listener);
	(void)unlink(path);
}

static binder_status_t call_add(AIBinder *binder, int32_t *ret_sum)
{
	AParcel *in, *out;
	AStatus *status;
	binder_status_t rc;

	rc = AIBinder_prepareTransaction(binder, &in);
	if (rc != STATUS_OK)
		return rc;
	(void)AParcel_writeInt32(in, 2);
	(void)AParcel_writeInt32(in, 3);
	rc = AIBinder_transact(binder, CALC_ADD, &in, &out, 0);
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_readStatusHeader(out, &status);
	if (rc == STATUS_OK)
		AStatus_delete(status);
	if (rc == STATUS_OK)
		rc = AParcel_readInt32(out, ret_sum);
	AParcel_delete(out);
	return rc;
}

Test(call, the_golden_session, .timeout = 60)
{
	ARpcSession *session = ARpcSession_new();
	pthread_t thread;
	AIBinder *found;
	int32_t sum = 0;

	start_playing(play_golden, &thread);
	found = ARpcSession_setupUnixDomainClient(session, path);
	cr_assert(found);
	cr_expect(AIBinder_associateClass(found, calc_class));
	cr_expect_eq(call_add(found, &sum), STATUS_OK);
	cr_expect_eq(sum, 5);
	cr_expect_eq(AvfRpcSession_countObjects(session), 1);
	AIBinder_decStrong(found);
	cr_expect_eq(AvfRpcSession_countObjects(session), 0);
	ARpcSession_free(session);
	stop_playing(thread);
}

/* ---- answers of a server that is not one
 * --------------------------------------- */

static const char *bad_answer;

static void *play_bad_answer(void *unused)
{
	bool good = play_set_up("01000000 00000000");

	(void)unused;
	raw_send(peer,
		 RAW_REPLY("24000000", "00000000",
			   "10000000") "01000000 " RAW_SERVER " 0c000000");
	good = good && raw_expect(peer, RAW_CALL(RAW_SERVER, "474e505f",
						 "00000000", RAW_NONE));
	raw_send(peer, bad_answer);
	good = good && raw_closed(peer);
	return good ? &listener : NULL;
}

Test(call, answers_that_end_the_session, .timeout = 60)
{
	static const char *const answers[] = {
		/* no such command, and one in the wrong place */
		RAW_HEADER("07000000", "00000000"),
		/* a reply that is too short, and one that is too long */
		RAW_HEADER("01000000",
			   "10000000") "00000000 00000000 00000000 00000000",
		RAW_HEADER("01000000", "15600900"),
		/* a parcel larger than its reply */
		RAW_REPLY("14000000", "00000000", "04000000"),
		/* a table of three bytes */
		RAW_HEADER("01000000", "17000000") "00000000 00000000 00000000 "
						   "00000000 00000000 000000",
		/* a call on an object that was never sent */
		RAW_CALL(RAW_CLIENT, "474e505f", "00000000", RAW_NONE),
		RAW_CALL(RAW_SERVER, "474e505f", "00000000", RAW_NONE),
		/* references of a wrong size */
		RAW_HEADER("02000000", "14000000") "00000000 00000000 00000000 "
						   "00000000 00000000",
	};
	ARpcSession *session;
	pthread_t thread;
	AIBinder *found;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		bad_answer = answers[i];
		start_playing(play_bad_answer, &thread);
		session = ARpcSession_new();
		found = ARpcSession_setupUnixDomainClient(session, path);
		cr_assert(found);
		cr_expect_eq(AIBinder_ping(found), STATUS_DEAD_OBJECT,
			     "answer %zu", i);
		cr_expect_not(AIBinder_isAlive(found));
		cr_expect_eq(AIBinder_ping(found), STATUS_DEAD_OBJECT);
		cr_expect_eq(AvfRpcSession_countObjects(session), 0);
		AIBinder_decStrong(found);
		ARpcSession_free(session);
		stop_playing(thread);
	}
}

static void *play_silence(void *unused)
{
	bool good = play_set_up("01000000 00000000");

	(void)unused;
	raw_send(peer,
		 RAW_REPLY("24000000", "00000000",
			   "10000000") "01000000 " RAW_SERVER " 0c000000");
	good = good &&
	       raw_expect(peer, RAW_CALL(RAW_SERVER, "474e505f", "00000000",
					 RAW_NONE)) &&
	       raw_closed(peer);
	return good ? &listener : NULL;
}

/* After a time-out nobody may read the late reply for the next one. */
Test(call, a_time_out_ends_the_session, .timeout = 60)
{
	ARpcSession *session = ARpcSession_new();
	pthread_t thread;
	AIBinder *found;

	start_playing(play_silence, &thread);
	AvfRpcSession_setCallTimeout(session, 200);
	found = ARpcSession_setupUnixDomainClient(session, path);
	cr_assert(found);
	cr_expect_eq(AIBinder_ping(found), STATUS_TIMED_OUT);
	cr_expect_eq(AIBinder_ping(found), STATUS_DEAD_OBJECT);
	AIBinder_decStrong(found);
	ARpcSession_free(session);
	stop_playing(thread);
}

/* ---- a server that pays late, or never
 * ----------------------------------------- */

static void send_oneway(AIBinder *binder)
{
	AParcel *in = parcel_new(binder->session), *out = NULL;

	cr_expect_eq(object_call(binder, CODE_PING, in, FLAG_ONEWAY, &out),
		     STATUS_OK);
}

/* Give the root, and take a oneway call on it. */
static bool play_oneway(void)
{
	bool good = play_set_up("01000000 00000000");

	raw_send(peer,
		 RAW_REPLY("24000000", "00000000",
			   "10000000") "01000000 " RAW_SERVER " 0c000000");
	return good && raw_expect(peer, RAW_CALL(RAW_SERVER, "474e505f",
						 "01000000", RAW_NONE));
}

static void *play_one_who_never_pays(void *unused)
{
	bool good = play_oneway() && raw_closed(peer);

	(void)unused;
	return good ? &listener : NULL;
}

/* What the server owes keeps nothing here: whoever of the root and the handle
 * goes last takes the session along. */
Test(call, a_session_without_users_ends_though_nobody_has_paid, .timeout = 60)
{
	ARpcSession *session;
	pthread_t thread;
	AIBinder *found;

	for (int handle_first = 0; handle_first < 2; handle_first++) {
		start_playing(play_one_who_never_pays, &thread);
		session = ARpcSession_new();
		found = ARpcSession_setupUnixDomainClient(session, path);
		cr_assert(found);
		send_oneway(found);
		if (handle_first)
			ARpcSession_free(session);
		AIBinder_decStrong(found);
		if (!handle_first)
			ARpcSession_free(session);
		stop_playing(thread);
	}
}

static pthread_barrier_t dropped;

static void *play_one_who_pays_late(void *unused)
{
	bool good = play_oneway();
	char byte;

	(void)unused;
	pthread_barrier_wait(&dropped);
	good = good && recv(peer, &byte, 1, MSG_DONTWAIT) < 0;
	raw_send(peer, RAW_DEC(RAW_SERVER, "01000000"));
	pthread_barrier_wait(&dropped);
	good = good && raw_expect(peer, RAW_DEC(RAW_SERVER, "01000000")) &&
	       raw_closed(peer);
	return good ? &listener : NULL;
}

/* A reference that is given back on another connection could be there before
 * the call: the server would not know the object any more. */
Test(call, what_is_on_its_way_keeps_its_target_with_the_server, .timeout = 60)
{
	ARpcSession *session = ARpcSession_new();
	pthread_t thread;
	AIBinder *found;

	pthread_barrier_init(&dropped, NULL, 2);
	start_playing(play_one_who_pays_late, &thread);
	found = ARpcSession_setupUnixDomainClient(session, path);
	cr_assert(found);
	send_oneway(found);
	AIBinder_decStrong(found);
	cr_expect_eq(AvfRpcSession_countObjects(session), 1);
	pthread_barrier_wait(&dropped);
	pthread_barrier_wait(&dropped);
	cr_expect_eq(AvfRpcSession_countObjects(session), 0);
	ARpcSession_free(session);
	stop_playing(thread);
	pthread_barrier_destroy(&dropped);
}
