/* The first bytes of a connection, as they should not be. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "rpc/rpc_server.h"
#include "support/echo_object.h"
#include "support/raw_peer.h"

static char path[128];
static ARpcServer *server;
static struct echo_object state;
static AIBinder *root;

static void set_up(void)
{
	raw_socket_path(path, sizeof(path));
	root = AIBinder_new(echo_class_new("echo"), &state);
	server = AvfRpcServer_newUnixDomain(root, path);
	cr_assert(server);
}

static void tear_down(void)
{
	ARpcServer_free(server);
	cr_expect_eq(AIBinder_debugGetRefCount(root), 1);
	AIBinder_decStrong(root);
	(void)unlink(path);
}

TestSuite(handshake, .init = set_up, .fini = tear_down, .timeout = 60);

#define WELCOME "01000000 00000000"
#define ID_0    "00000000 00000000 00000000 00000000"

Test(handshake, refusals)
{
	static const struct {
		const char *what, *hello, *answer;
	} rows[] = {
		{"the incoming bit on a new session",
		 "01000000 01000000 00000000 00000000 " RAW_INIT, WELCOME},
		{"descriptors that the server does not carry",
		 "01000000 00010000 00000000 00000000 " RAW_INIT, WELCOME},
		{"a mode of elsewhere",
		 "01000000 00020000 00000000 00000000 " RAW_INIT, WELCOME},
		{"a mode that does not exist",
		 "01000000 00ff0000 00000000 00000000 " RAW_INIT, WELCOME},
		{"an id of one byte",
		 "01000000 00000000 00000000 00000100 " RAW_INIT, ""},
		{"an id of 33 bytes",
		 "01000000 00000000 00000000 00002100 " ID_0 ID_0 RAW_INIT, ""},
		{"an id of 65535 bytes",
		 "01000000 00000000 00000000 0000ffff " ID_0 ID_0, ""},
		{"an id that nobody has",
		 "01000000 00000000 00000000 00002000 " ID_0 ID_0 RAW_INIT, ""},
		{"an id that nobody has, to be called on",
		 "01000000 01000000 00000000 00002000 " ID_0 ID_0, ""},
		{"other words than cci",
		 RAW_HELLO("01000000") "63636a00 00000000", WELCOME},
		{"cci without its NUL",
		 RAW_HELLO("01000000") "63636920 00000000", WELCOME},
	};
	int fd;

	ARpcServer_start(server);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fd = raw_connect(path);
		raw_send(fd, rows[i].hello);
		cr_expect(raw_expect(fd, rows[i].answer), "%s", rows[i].what);
		cr_expect(raw_closed(fd), "%s", rows[i].what);
		close(fd);
	}
	cr_expect_eq(AvfRpcServer_countSessions(server), 0);
}

Test(handshake, versions_are_clamped)
{
	static const struct {
		const char *asked;
		uint32_t configured;
		const char *answer;
	} rows[] = {
		{"00000000", 1, "00000000 00000000"},
		{"01000000", 1, "01000000 00000000"},
		{"07000000", 1, "01000000 00000000"},
		{"000000f0", 1, "01000000 00000000"},
		{"ffffffff", 1, "01000000 00000000"},
		{"01000000", 0, "00000000 00000000"},
		{"02000000", 1, "01000000 00000000"},
		{"02000000", 2, "02000000 00000000"},
		{"03000000", 2, "02000000 00000000"},
		{"01000000", 2, "01000000 00000000"},
		{"00000000", 2, "00000000 00000000"},
	};
	char hello[128];
	int fd;

	ARpcServer_start(server);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		server->settings.version = rows[i].configured;
		(void)snprintf(hello, sizeof(hello),
			       "%s 00000000 00000000 00000000" RAW_INIT,
			       rows[i].asked);
		fd = raw_connect(path);
		raw_send(fd, hello);
		cr_expect(raw_expect(fd, rows[i].answer), "row %zu", i);
		close(fd);
	}
}

/* A session's id as the server says it, for further connections. */
static int open_session(char *join, size_t size, const char *options)
{
	unsigned char reply[72];
	int fd = raw_connect(path);
	size_t used;

	raw_send(fd, RAW_HELLO("01000000") RAW_INIT);
	cr_assert(raw_expect(fd, WELCOME));
	raw_send(fd, RAW_CALL(RAW_NONE, "02000000", "00000000", RAW_NONE));
	cr_assert_eq(recv(fd, reply, sizeof(reply), MSG_WAITALL),
		     sizeof(reply));
	used = (size_t)snprintf(join, size,
				"01000000 %s000000 00000000 00002000", options);
	for (size_t i = 40; i < sizeof(reply); i++)
		used += (size_t)snprintf(join + used, size - used, "%02x",
					 reply[i]);
	if (options[1] == '0')
		(void)snprintf(join + used, size - used, "%s", RAW_INIT);
	return fd;
}

/* Whatever the server was told: the socket cannot. */
Test(handshake, descriptors_over_tcp)
{
	static const ARpcSession_FileDescriptorTransportMode mode =
		ARpcSession_FileDescriptorTransportMode_Unix;
	ARpcServer *inet = ARpcServer_newInet(root, "127.0.0.1", 0);
	struct rpc_address address = {.size = sizeof(address.u)};
	int fd;

	ARpcServer_setSupportedFileDescriptorTransportModes(inet, &mode, 1);
	ARpcServer_start(inet);
	cr_assert_eq(getsockname(inet->fd, &address.u.any, &address.size), 0);
	fd = rpc_socket_connect(&address);
	cr_assert_geq(fd, 0);
	raw_send(fd, "01000000 00010000 00000000 00000000 " RAW_INIT);
	cr_expect(raw_expect(fd, WELCOME));
	cr_expect(raw_closed(fd));
	close(fd);
	ARpcServer_free(inet);
}

Test(handshake, more_connections_than_threads)
{
	char join[256];
	int first, second, third;

	AvfRpcServer_setMaxThreads(server, 2);
	ARpcServer_start(server);
	first = open_session(join, sizeof(join), "00");
	second = raw_connect(path);
	raw_send(second, join);
	raw_send(second, RAW_CALL(RAW_NONE, "01000000", "00000000", RAW_NONE));
	cr_expect(raw_expect(second, RAW_REPLY("18000000", "00000000",
					       "04000000") "02000000"));
	third = raw_connect(path);
	raw_send(third, join);
	cr_expect(raw_closed(third), "two threads, two connections");
	close(third);
	/* when one has gone, no other comes in its place */
	close(second);
	third = raw_connect(path);
	raw_send(third, join);
	cr_expect(raw_closed(third));
	close(third);
	close(first);
}

Test(handshake, a_connection_to_be_called_on)
{
	char join[256];
	int first, second;

	ARpcServer_start(server);
	first = open_session(join, sizeof(join), "01");
	second = raw_connect(path);
	raw_send(second, join);
	cr_expect(raw_expect(second, RAW_INIT));
	/* the session's end closes it, too */
	close(first);
	cr_expect(raw_closed(second));
	close(second);
}

Test(handshake, silence_has_a_deadline)
{
	int silent, half;

	AvfRpcServer_setHandshakeTimeout(server, 100);
	ARpcServer_start(server);
	silent = raw_connect(path);
	half = raw_connect(path);
	raw_send(half, RAW_HELLO("01000000") "6363");
	cr_expect(raw_closed(silent));
	cr_expect(raw_closed(half));
	close(silent);
	close(half);
}

Test(handshake, many_who_do_not_say_who_they_are)
{
	int fds[6], last;

	AvfRpcServer_setHandshakeTimeout(server, 0);
	AvfRpcServer_setMaxPendingConnections(server, 4);
	ARpcServer_start(server);
	for (size_t i = 0; i < 4; i++)
		fds[i] = raw_connect(path);
	/* connections are accepted in their order */
	last = raw_connect(path);
	cr_expect(raw_closed(last));
	close(last);
	/* those who did are no longer counted */
	raw_send(fds[0], RAW_HELLO("01000000") RAW_INIT);
	raw_send(fds[0], RAW_CALL(RAW_NONE, "01000000", "00000000", RAW_NONE));
	cr_expect(raw_expect(fds[0], WELCOME));
	cr_expect(raw_expect(fds[0], RAW_REPLY("18000000", "00000000",
					       "04000000") "01000000"));
	last = raw_connect(path);
	raw_send(last, RAW_HELLO("01000000") RAW_INIT);
	cr_expect(raw_expect(last, WELCOME));
	close(last);
	for (size_t i = 0; i < 4; i++)
		close(fds[i]);
}

/* Wait until a connection has its thread. */
static bool somebody_is_pending(void)
{
	const struct timespec ms = {.tv_nsec = 1000000};
	size_t pending = 0;

	for (int i = 0; i < 5000 && pending == 0; i++) {
		pthread_mutex_lock(&server->lock);
		pending = server->n_pending;
		pthread_mutex_unlock(&server->lock);
		nanosleep(&ms, NULL);
	}
	return pending > 0;
}

Test(handshake, a_server_that_ends_meanwhile)
{
	int silent;

	AvfRpcServer_setHandshakeTimeout(server, 0);
	ARpcServer_start(server);
	silent = raw_connect(path);
	raw_send(silent, "01000000");
	cr_assert(somebody_is_pending());
	cr_expect(ARpcServer_shutdown(server));
	cr_expect(raw_closed(silent));
	close(silent);
}

static size_t count_outgoing(void)
{
	struct rpc_session *session;
	size_t count;

	pthread_mutex_lock(&server->lock);
	session = server->sessions;
	pthread_mutex_lock(&session->lock);
	count = session->n_outgoing;
	pthread_mutex_unlock(&session->lock);
	pthread_mutex_unlock(&server->lock);
	return count;
}

/* A client that has read the server's word may be called back from then on:
 * the next call of its own may need it. The window is small, hence the
 * number. */
Test(handshake, the_server_can_call_as_soon_as_it_says_so)
{
	char join[256];
	int first, fds[60];

	ARpcServer_start(server);
	for (int round = 0; round < 10; round++) {
		first = open_session(join, sizeof(join), "01");
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
			fds[i] = raw_connect(path);
			raw_send(fds[i], join);
			cr_assert(raw_expect(fds[i], RAW_INIT));
			cr_assert_eq(count_outgoing(), i + 1);
		}
		close(first);
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
			cr_assert(raw_closed(fds[i]));
			close(fds[i]);
		}
	}
}
