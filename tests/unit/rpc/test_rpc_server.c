/* Servers: who is let in, and how they end. */
#include <criterion/criterion.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <linux/vm_sockets.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "rpc/rpc_server.h"
#include "support/echo_object.h"
#include "support/raw_peer.h"

/* The CID from which all seem to come; there is no vsock in a unit test. */
static unsigned int peer_cid = VMADDR_CID_ANY;

int getpeername(int fd, __SOCKADDR_ARG address, socklen_t *restrict size)
{
	const struct sockaddr_vm vm = {.svm_family = AF_VSOCK,
				       .svm_cid = peer_cid};

	if (peer_cid == VMADDR_CID_ANY)
		return (int)syscall(SYS_getpeername, fd, address.__sockaddr__,
				    size);
	memcpy(address.__sockaddr__, &vm, sizeof(vm));
	*size = sizeof(vm);
	return 0;
}

/* How often there was no descriptor for a client. */
static unsigned int n_emfile;

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict size, int flags)
{
	int rc = (int)syscall(SYS_accept4, fd, address.__sockaddr__, size,
			      flags);

	if (rc < 0 && errno == EMFILE)
		__atomic_fetch_add(&n_emfile, 1, __ATOMIC_RELAXED);
	return rc;
}

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

TestSuite(server, .init = set_up, .fini = tear_down, .timeout = 60);

#define WELCOME "01000000 00000000"

/* Whether a new connection is welcome; it stays open as *@ret_fd. */
static bool is_welcome(int *ret_fd)
{
	*ret_fd = raw_connect(path);
	raw_send(*ret_fd, RAW_HELLO("01000000") RAW_INIT);
	return raw_expect(*ret_fd, WELCOME);
}

Test(server, one_that_never_starts)
{
	cr_expect_not(ARpcServer_shutdown(server));
	ARpcServer_start(server);
	/* it is over: nothing is accepted */
	cr_expect_not(server->started);
	ARpcServer_free(NULL);
}

static void *join(void *data)
{
	ARpcServer_join(data);
	return NULL;
}

Test(server, join_ends_with_the_server)
{
	pthread_t thread;
	int fd;

	cr_assert_eq(pthread_create(&thread, NULL, join, server), 0);
	cr_expect(is_welcome(&fd));
	ARpcServer_join(server); /* one accepts; this returns at once */
	ARpcServer_start(server);
	cr_expect(ARpcServer_shutdown(server));
	pthread_join(thread, NULL);
	cr_expect(raw_closed(fd));
	close(fd);
}

Test(server, without_a_root)
{
	ARpcServer *empty;
	char other[128];
	int fd;

	raw_socket_path(other, sizeof(other));
	empty = AvfRpcServer_newUnixDomain(NULL, other);
	ARpcServer_start(empty);
	fd = raw_connect(other);
	raw_send(fd, RAW_HELLO("01000000") RAW_INIT RAW_CALL(
			     RAW_NONE, "00000000", "00000000", RAW_NONE));
	cr_expect(raw_expect(
		fd, WELCOME RAW_REPLY("1c000000", "00000000",
				      "08000000") "00000000 00000000"));
	close(fd);
	ARpcServer_free(empty);
	(void)unlink(other);
}

Test(server, sockets_that_cannot_be)
{
	int fds[2];

	cr_expect_null(AvfRpcServer_newUnixDomain(root, path), "it is taken");
	cr_expect_null(AvfRpcServer_newUnixDomain(root, "/no/such/folder/s"));
	cr_expect_null(ARpcServer_newInet(root, "localhost", 0), "a name");
	cr_expect_null(ARpcServer_newInet(root, "127.0.0.1", 65536));
	cr_expect_null(ARpcServer_newBoundSocket(root, -1));
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	cr_expect_null(ARpcServer_newBoundSocket(root, fds[0]));
	cr_expect_eq(fcntl(fds[0], F_GETFD), -1, "it was taken");
	close(fds[1]);
}

Test(server, what_was_said_before_a_hang_up_is_answered)
{
	int fd;

	ARpcServer_start(server);
	fd = raw_connect(path);
	raw_send(fd, RAW_HELLO("01000000") RAW_INIT RAW_CALL(
			     RAW_NONE, "01000000", "00000000", RAW_NONE));
	(void)shutdown(fd, SHUT_WR);
	cr_expect(raw_expect(fd, WELCOME RAW_REPLY("18000000", "00000000",
						   "04000000") "01000000"));
	cr_expect(raw_closed(fd));
	close(fd);
}

/* ---- the end, by one of its own
 * ---------------------------------------------------- */

static void *on_create(void *args)
{
	return args;
}

static void on_destroy(void *user_data)
{
	(void)user_data;
}

static ARpcServer *doomed;
static AIBinder_Class *ending_class;

static binder_status_t shut_down(AIBinder *binder, transaction_code_t code,
				 const AParcel *in, AParcel *out)
{
	(void)binder;
	(void)code;
	(void)in;
	(void)out;
	cr_expect(ARpcServer_shutdown(doomed), "it does not wait for itself");
	return STATUS_OK;
}

Test(server, shut_down_by_a_method_of_its_own)
{
	const struct timespec ms = {.tv_nsec = 1000000};
	AIBinder *object;
	char other[128];
	int fd;

	ending_class =
		AIBinder_Class_define("end", on_create, on_destroy, shut_down);
	AIBinder_Class_disableInterfaceTokenHeader(ending_class);
	object = AIBinder_new(ending_class, NULL);
	raw_socket_path(other, sizeof(other));
	doomed = AvfRpcServer_newUnixDomain(object, other);
	ARpcServer_start(doomed);
	fd = raw_connect(other);
	raw_send(fd, RAW_HELLO("01000000") RAW_INIT RAW_CALL(
			     RAW_NONE, "00000000", "00000000", RAW_NONE));
	raw_send(fd, RAW_CALL(RAW_SERVER, "01000000", "00000000", RAW_NONE));
	cr_expect(raw_closed(fd));
	close(fd);
	ARpcServer_free(doomed);
	/* the thread of the method is on its way out */
	for (int i = 0; i < 10000 && AIBinder_debugGetRefCount(object) > 1; i++)
		(void)nanosleep(&ms, NULL);
	cr_expect_eq(AIBinder_debugGetRefCount(object), 1);
	AIBinder_decStrong(object);
	(void)unlink(other);
}

/* ---- who is let in
 * ------------------------------------------------------------------ */

static bool refuse(const struct sockaddr *address, socklen_t size, void *cookie)
{
	cr_expect_eq(address->sa_family, AF_UNIX);
	cr_expect_gt(size, 0);
	++*(int *)cookie;
	return *(int *)cookie > 1;
}

Test(server, a_filter_decides)
{
	int asked = 0, fd;

	AvfRpcServer_setConnectionFilter(server, refuse, &asked);
	ARpcServer_start(server);
	fd = raw_connect(path);
	cr_expect(raw_closed(fd));
	close(fd);
	cr_expect(is_welcome(&fd));
	close(fd);
	cr_expect_eq(asked, 2);
}

/* A server for one CID lets nobody in who has none, be it that of nobody. */
Test(server, one_cid)
{
	int fd;

	server->only_cid = 0;
	ARpcServer_start(server);
	fd = raw_connect(path);
	cr_expect(raw_closed(fd));
	close(fd);
}

Test(server, one_cid_and_another)
{
	int fd;

	server->only_cid = 3;
	peer_cid = 4;
	ARpcServer_start(server);
	fd = raw_connect(path);
	cr_expect(raw_closed(fd));
	close(fd);
	peer_cid = 3;
	cr_expect(is_welcome(&fd));
	close(fd);
}

Test(server, ids_are_compared_whole)
{
	uint8_t id[RPC_SESSION_ID_SIZE];
	struct rpc_session *session;
	int fd;

	ARpcServer_start(server);
	cr_assert(is_welcome(&fd));
	raw_send(fd, RAW_CALL(RAW_NONE, "01000000", "00000000", RAW_NONE));
	cr_assert(raw_expect(
		fd, RAW_REPLY("18000000", "00000000", "04000000") "01000000"));
	memcpy(id, server->sessions->id, sizeof(id));
	for (size_t i = 0; i < sizeof(id); i++) {
		id[i] ^= 0x80;
		cr_expect_null(rpc_server_find_session(server, id), "byte %zu",
			       i);
		id[i] ^= 0x80;
	}
	session = rpc_server_find_session(server, id);
	cr_expect(session);
	rpc_session_unref(session);
	close(fd);
}

/* ---- descriptors run out
 * ------------------------------------------------------------ */

static int highest_fd(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	int highest = 0;

	while ((entry = readdir(dir)) != NULL)
		highest = MAX(highest, (int)strtol(entry->d_name, NULL, 10));
	closedir(dir);
	return highest;
}

/* Wait until that was so @count times; the suite has a time-out. */
static void wait_for_emfile(unsigned int count)
{
	const struct timespec ms = {.tv_nsec = 1000000};

	while (__atomic_load_n(&n_emfile, __ATOMIC_RELAXED) < count)
		(void)nanosleep(&ms, NULL);
}

/* A client is accepted once there are descriptors again: the loop survives
 * EMFILE. */
Test(server, accepting_survives_emfile)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int filler[64], n = 0;
	struct rlimit limit, before;
	int fd;

	/* no client before it, whose descriptor might be free in between */
	ARpcServer_start(server);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(un.sun_path, path, strlen(path));
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)highest_fd() + 2;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while (n < 64 && (filler[n] = dup(fd)) >= 0)
		n++;
	cr_assert_lt(n, 64);
	cr_assert_eq(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	raw_send(fd, RAW_HELLO("01000000") RAW_INIT);
	wait_for_emfile(2);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	cr_expect(raw_expect(fd, WELCOME));
	while (n > 0)
		close(filler[--n]);
	close(fd);
}
