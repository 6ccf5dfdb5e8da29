/*
 * A session that a loop serves, byte by byte: the peer's messages come in
 * pieces, and whatever would make the loop wait ends the session.
 */
#include <criterion/criterion.h>

#include <string.h>
#include <sys/socket.h>

#include <android/binder_rpc_unstable.h>

#include "base/checked.h"
#include "base/fd.h"
#include "rpc/rpc_polled.h"
#include "support/echo_object.h"
#include "support/raw_peer.h"

#define HELLO   RAW_HELLO("01000000")
#define WELCOME "01000000 00000000 "
#define ID                                    \
	"41414141 41414141 41414141 41414141" \
	"41414141 41414141 41414141 41414141"
#define JOIN "01000000 01000000 00000000 00002000" ID

static struct rpc_session *session;
static struct rpc_polled first, second;
static int peer = -1, other = -1;
static struct echo_object echo;

/* The peer's end. */
static int connect_to(struct rpc_polled *polled, bool joins)
{
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(rpc_polled_accept(polled, session, joins, pair[1]), 0);
	return pair[0];
}

static void setup(void)
{
	AIBinder_Class *clazz = echo_class_new("x");
	AIBinder *root;

	AIBinder_Class_disableInterfaceTokenHeader(clazz);
	root = AIBinder_new(clazz, &echo);
	session = rpc_polled_session(root);
	AIBinder_decStrong(root);
	cr_assert_not_null(session);
	memset(session->id, 'A', sizeof(session->id));
	peer = connect_to(&first, false);
}

static void teardown(void)
{
	rpc_polled_fini(&first);
	rpc_polled_fini(&second);
	rpc_session_end(session);
	rpc_session_unref(session);
	fd_close(peer);
	fd_close(other);
	other = -1;
	cr_expect_eq(echo.created, echo.destroyed);
	echo = (struct echo_object){.calls = 0};
}

TestSuite(rpc_polled, .init = setup, .fini = teardown, .timeout = 60);

/* Give @hex to @polled, whose peer is @fd. */
static enum rpc_polled_state give(struct rpc_polled *polled, int fd,
				  const char *hex)
{
	raw_send(fd, hex);
	return rpc_polled_ready(polled);
}

#define SPECIAL(code) RAW_CALL(RAW_NONE, code, "00000000", RAW_NONE)
#define ROOT          SPECIAL("00000000")

/* Up to a peer that has the root. */
static void begin(void)
{
	cr_assert_eq(give(&first, peer, HELLO), RPC_POLLED_INIT);
	cr_assert_eq(give(&first, peer, RAW_INIT), RPC_POLLED_SERVES);
	cr_assert_eq(give(&first, peer, ROOT), RPC_POLLED_SERVES);
	cr_assert(raw_expect(peer, WELCOME));
}

static void skip(int fd)
{
	char bytes[4096];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

Test(rpc_polled, serves_a_message_when_all_of_it_is_there)
{
	begin();
	skip(peer);
	cr_expect_eq(give(&first, peer, RAW_HEADER("00000000", "28000000")),
		     RPC_POLLED_SERVES);
	cr_expect_eq(give(&first, peer, RAW_SERVER "05000000"),
		     RPC_POLLED_SERVES);
	cr_expect_eq(echo.calls, 0);
	cr_expect_eq(give(&first, peer,
			  "00000000 00000000 00000000 00000000 00000000 "
			  "00000000 00000000"),
		     RPC_POLLED_SERVES);
	cr_expect_eq(echo.calls, 1);
	cr_expect(raw_expect(
		peer, RAW_DEC(RAW_SERVER, "01000000")
			      RAW_REPLY("14000000", "b6ffffff", "00000000")));
}

Test(rpc_polled, serves_many_that_come_at_once)
{
	cr_assert_eq(give(&first, peer,
			  HELLO RAW_INIT ROOT RAW_CALL(RAW_SERVER, "05000000",
						       "00000000", RAW_NONE)
				  RAW_CALL(RAW_SERVER, "06000000", "00000000",
					   RAW_NONE)),
		     RPC_POLLED_SERVES);
	cr_expect_eq(echo.calls, 2);
}

Test(rpc_polled, agrees_to_the_older_version)
{
	cr_assert_eq(give(&first, peer, RAW_HELLO("00000000") RAW_INIT),
		     RPC_POLLED_SERVES);
	cr_expect(raw_expect(peer, "00000000 00000000"));
	cr_expect_eq(session->settings.version, 0);
}

Test(rpc_polled, answers_a_later_version_with_its_own)
{
	cr_assert_eq(give(&first, peer, RAW_HELLO("02000000") RAW_INIT),
		     RPC_POLLED_SERVES);
	cr_expect(raw_expect(peer, WELCOME));
}

Test(rpc_polled, ends_when_the_peer_closes)
{
	begin();
	skip(peer); /* or its end would be a reset */
	fd_close(peer);
	peer = -1;
	cr_expect_eq(rpc_polled_ready(&first), RPC_POLLED_ENDED);
	cr_expect_eq(first.error, STATUS_OK);
	rpc_polled_fini(&first);
	cr_expect(rpc_session_ended(session));
}

Test(rpc_polled, calls_on_the_second_connection)
{
	begin();
	other = connect_to(&second, true);
	cr_expect_eq(give(&second, other, JOIN), RPC_POLLED_GIVEN);
	cr_expect(raw_expect(other, RAW_INIT));
	cr_expect_eq(session->n_outgoing, 1);
	rpc_polled_fini(&second); /* no longer ours */
	cr_expect_eq(session->n_outgoing, 1);
	cr_expect_not(rpc_session_ended(session));
}

static const struct {
	const char *what, *bytes;
	binder_status_t error;
} joins[] = {
	{"begins a session", HELLO, STATUS_BAD_VALUE},
	{"has another id",
	 "01000000 01000000 00000000 00002000"
	 "41414141 41414141 41414141 41414141"
	 "41414141 41414141 41414141 41414142",
	 STATUS_PERMISSION_DENIED},
	{"wants to call", "01000000 00000000 00000000 00002000" ID,
	 STATUS_BAD_VALUE},
	{"wants descriptors", "01000000 01010000 00000000 00002000" ID,
	 STATUS_BAD_VALUE},
};

Test(rpc_polled, a_second_connection_that_is_wrong_is_refused)
{
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		other = connect_to(&second, true);
		cr_expect_eq(give(&second, other, joins[i].bytes),
			     RPC_POLLED_ENDED, "%s", joins[i].what);
		cr_expect_eq(second.error, joins[i].error, "%s", joins[i].what);
		rpc_polled_fini(&second);
		fd_close(other);
		other = -1;
		cr_expect_not(rpc_session_ended(session), "%s", joins[i].what);
		cr_expect_eq(session->n_outgoing, 0, "%s", joins[i].what);
	}
}

static const struct {
	const char *what, *bytes;
	binder_status_t error;
} wrongs[] = {
	{"a body that never comes would be waited for",
	 RAW_HEADER("00000000", "f0070000") "00", STATUS_OK},
	{"a body beyond the buffer", RAW_HEADER("00000000", "f1070000"),
	 STATUS_NO_MEMORY},
	{"a body of 4 GiB", RAW_HEADER("00000000", "ffffffff"),
	 STATUS_NO_MEMORY},
	{"a reply to nothing", RAW_REPLY("14000000", "00000000", "00000000"),
	 STATUS_BAD_TYPE},
	{"a command that does not exist", RAW_HEADER("03000000", "00000000"),
	 STATUS_BAD_TYPE},
	{"a oneway call before its turn",
	 RAW_CALL(RAW_SERVER, "05000000", "01000000", "01000000 00000000"),
	 STATUS_FAILED_TRANSACTION},
	{"a oneway question about the process",
	 RAW_CALL(RAW_SERVER, "4449505f", "01000000", RAW_NONE),
	 STATUS_UNKNOWN_TRANSACTION},
};

Test(rpc_polled, refuses_what_is_wrong)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		begin();
		cr_expect_eq(give(&first, peer, wrongs[i].bytes),
			     wrongs[i].error == STATUS_OK ? RPC_POLLED_SERVES
							  : RPC_POLLED_ENDED,
			     "%s", wrongs[i].what);
		cr_expect_eq(first.error, wrongs[i].error, "%s: %d",
			     wrongs[i].what, first.error);
		cr_expect_eq(echo.calls, 0, "%s", wrongs[i].what);
		teardown();
		setup();
	}
}

Test(rpc_polled, answers_no_question_about_the_process)
{
	begin();
	skip(peer);
	cr_expect_eq(
		give(&first, peer,
		     RAW_CALL(RAW_SERVER, "4449505f", "00000000", RAW_NONE)),
		RPC_POLLED_SERVES);
	cr_expect(raw_expect(
		peer, RAW_DEC(RAW_SERVER, "01000000")
			      RAW_REPLY("14000000", "b6ffffff", "00000000")));
}

Test(rpc_polled, does_not_wait_for_a_peer_that_does_not_read)
{
	enum rpc_polled_state state = RPC_POLLED_SERVES;

	begin();
	for (int i = 0; i < 100000 && state == RPC_POLLED_SERVES; i++)
		state = give(&first, peer, SPECIAL("02000000"));
	cr_expect_eq(state, RPC_POLLED_ENDED);
	cr_expect_eq(first.error, STATUS_TIMED_OUT);
}

/* ---- a client that is called ------------------------------------------------
 */

static int give_fd(void *param)
{
	return *(int *)param;
}

Test(rpc_polled, lets_a_server_call_the_client)
{
	/* what the server answers: version, threads, id, root */
	static const char answers[] = WELCOME RAW_REPLY(
		"18000000", "00000000",
		"04000000") "01000000 " RAW_REPLY("38000000", "00000000",
						  "24000000") "20000000 " ID
		RAW_REPLY("24000000", "00000000",
			  "10000000") "01000000 " RAW_SERVER "0c000000";
	ARpcSession *client = ARpcSession_new();
	struct rpc_polled calls;
	AIBinder *root;
	int pair[2], more[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, more), 0);
	raw_send(pair[0], answers);
	root = ARpcSession_setupPreconnectedClient(client, give_fd, &pair[1]);
	cr_assert_not_null(root, "%d", AvfRpcSession_getError(client));
	ARpcSession_free(client);
	cr_assert_eq(rpc_polled_join(&calls, root, more[1]), 0);
	cr_expect(raw_expect(more[0], JOIN));
	cr_expect_eq(rpc_polled_wait(&calls, 1), STATUS_TIMED_OUT);
	raw_send(more[0], RAW_INIT);
	cr_expect_eq(rpc_polled_wait(&calls, -1), STATUS_OK);
	cr_expect_eq(calls.state, RPC_POLLED_SERVES);
	cr_expect_eq(give(&calls, more[0], SPECIAL("01000000")),
		     RPC_POLLED_SERVES);
	cr_expect(raw_expect(more[0], RAW_REPLY("18000000", "00000000",
						"04000000") "01000000"));
	fd_close(more[0]);
	cr_expect_eq(rpc_polled_ready(&calls), RPC_POLLED_ENDED);
	rpc_polled_fini(&calls);
	cr_expect_not(AIBinder_isAlive(root));
	AIBinder_decStrong(root);
	fd_close(pair[0]);
}
