/*
 * TLS of RPC binder while memory runs out: configurations, and a session's
 * handshake and first calls as the client, as the server, and as a client that
 * does not trust its server. OpenSSL's allocations fail like ours.
 *
 * The other side is a process of its own, started before anything is counted:
 * what it allocates is not seen, and one thread is all that this side has.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <android/binder_parcel.h>
#include <android/binder_rpc_tls.h>

#include "base/checked.h"
#include "base/error.h"
#include "rpc/rpc_server.h"
#include "rpctls/rpc_tls.h"
#include "support/echo_object.h"
#include "support/oom.h"
#include "support/raw_peer.h"

#define ROOM    4096
#define SECONDS 3600

static AIBinder_Class *the_class;
/* What both sides show and accept, and one that accepts nobody. */
static AvfRpcTls *mutual, *suspicious;

/* OpenSSL's queue of errors may be the application's, too. */
static bool queue_is_empty(void)
{
	return ERR_peek_error() == 0;
}

/* What OpenSSL keeps for this thread is made before a scenario, which would
 * lose its generators of random numbers without memory, and dropped after it,
 * so that each begins alike. */
static void begin(void)
{
	unsigned char byte;

	oom_pause();
	OOM_MUST(RAND_bytes(&byte, 1) == 1 && RAND_priv_bytes(&byte, 1) == 1);
	ERR_clear_error();
	oom_resume();
}

static void forget(void)
{
	OPENSSL_thread_stop();
}

/* What a call says when memory runs out. */
static int failure(binder_status_t status, int line, const char *what)
{
	if (!queue_is_empty())
		return oom_broken(__FILE__, line, "an error is left behind");
	return status == STATUS_NO_MEMORY ? AVF_ERR_NO_MEMORY
					  : oom_broken(__FILE__, line, what);
}

#define STEP(call)                                                 \
	do {                                                       \
		binder_status_t step_rc_ = (call);                 \
		if (step_rc_ != STATUS_OK)                         \
			return failure(step_rc_, __LINE__, #call); \
	} while (0)

/* ---- the other process
 * ---------------------------------------------------------------------------
 */

enum role { CLIENT = 1, SERVER };

/* Where it gets its orders, and answers. */
static int orders = -1;

/* A connection and which side of it to be. */
static void give_order(int fd, enum role role)
{
	char byte = (char)role;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS}};
	struct iovec part = {&byte, 1};
	const struct msghdr message = {.msg_iov = &part,
				       .msg_iovlen = 1,
				       .msg_control = &control,
				       .msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	OOM_MUST(sendmsg(orders, &message, MSG_NOSIGNAL) == 1);
	(void)close(fd);
}

/* The role, 0 when there are no more. */
static int take_order(int *ret_fd)
{
	char byte = 0;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};

	if (recvmsg(orders, &message, MSG_CMSG_CLOEXEC) != 1)
		return 0;
	memcpy(ret_fd, CMSG_DATA(&control.header), sizeof(*ret_fd));
	return byte;
}

static bool again(int fd, enum rpc_io io)
{
	struct pollfd p = {.fd = fd,
			   .events = io == RPC_IO_WANT_READ ? POLLIN : POLLOUT};

	return (io == RPC_IO_WANT_READ || io == RPC_IO_WANT_WRITE) &&
	       (poll(&p, 1, -1) == 1 || errno == EINTR);
}

static enum rpc_io say(void *layer, int fd, const void *bytes, size_t size)
{
	struct iovec part = {(void *)(uintptr_t)bytes, size};
	size_t n = 0;
	enum rpc_io io;

	do {
		io = rpc_tls_ops.write(layer, &part, 1, &n);
		if (io == RPC_IO_DONE) {
			part.iov_base = (char *)part.iov_base + n;
			part.iov_len -= n;
		}
	} while ((io == RPC_IO_DONE && part.iov_len > 0) || again(fd, io));
	return io;
}

/* How many bytes come before the end. */
static uint32_t count_answer(void *layer, int fd)
{
	char bytes[ROOM];
	uint32_t total = 0;
	size_t n = 0;
	enum rpc_io io;

	do {
		io = rpc_tls_ops.read(layer, bytes, sizeof(bytes), &n);
		if (io == RPC_IO_DONE)
			total += (uint32_t)n;
	} while (io == RPC_IO_DONE || again(fd, io));
	return total;
}

#define REPLY_INT(n) RAW_REPLY("18000000", "00000000", "04000000") n " "
#define REPLY_PING   RAW_REPLY("14000000", "00000000", "00000000")
#define SERVER_WORDS                                                          \
	"01000000 00000000 " REPLY_INT("01000000") RAW_REPLY(                 \
		"38000000", "00000000",                                       \
		"24000000") "20000000 01010101 02020202 03030303 04040404 "   \
			    "05050505 06060606 07070707 08080808 " RAW_REPLY( \
				    "24000000", "00000000",                   \
				    "10000000") "01000000 " RAW_SERVER        \
						" 0c000000 " REPLY_PING
/* The root, its ping, and the payment for it. */
#define CLIENT_WORDS                                                   \
	RAW_HELLO("01000000")                                          \
	RAW_INIT RAW_CALL(RAW_NONE, "00000000", "00000000", RAW_NONE)  \
		RAW_CALL(RAW_SERVER, "474e505f", "00000000", RAW_NONE) \
			RAW_DEC(RAW_SERVER, "01000000")

/* The bytes of @hex, in @bytes of ROOM. */
static size_t to_bytes(const char *hex, char *bytes)
{
	int pair[2];
	ssize_t n;

	OOM_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	raw_send(pair[0], hex);
	n = recv(pair[1], bytes, ROOM, 0);
	OOM_MUST(n > 0 && n < ROOM);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return (size_t)n;
}

/* One connection: shake hands, say it all, and count what is answered. */
static uint32_t be_peer(int fd, enum role role)
{
	void *layer = rpc_tls_ops.open(mutual, fd, role == SERVER);
	char bytes[ROOM];
	uint32_t n = 0;
	size_t size =
		to_bytes(role == SERVER ? SERVER_WORDS : CLIENT_WORDS, bytes);
	enum rpc_io io;

	OOM_MUST(layer);
	do {
		io = rpc_tls_ops.handshake(layer);
	} while (again(fd, io));
	if (io == RPC_IO_DONE && say(layer, fd, bytes, size) == RPC_IO_DONE) {
		if (role == CLIENT)
			(void)shutdown(fd, SHUT_WR);
		n = count_answer(layer, fd);
	}
	rpc_tls_ops.close(layer);
	(void)close(fd);
	return n;
}

static void be_peers(void)
{
	int fd = -1;
	int role;
	uint32_t n;

	for (;;) {
		role = take_order(&fd);
		if (role == 0)
			_exit(0);
		n = be_peer(fd, (enum role)role);
		if (send(orders, &n, sizeof(n), MSG_NOSIGNAL) != sizeof(n))
			_exit(1);
	}
}

static pid_t start_peers(void)
{
	int pair[2];
	pid_t pid;

	OOM_MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) ==
		 0);
	pid = fork();
	OOM_MUST(pid >= 0);
	orders = pair[pid == 0];
	(void)close(pair[pid != 0]);
	if (pid == 0)
		be_peers();
	return pid;
}

/* A connection to it, which is @role. */
static int connect_peer(enum role role)
{
	int pair[2];

	oom_pause();
	OOM_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	give_order(pair[1], role);
	oom_resume();
	return pair[0];
}

/* What it got; its connection is at its end. */
static uint32_t peers_count(void)
{
	uint32_t n = 0;

	OOM_MUST(recv(orders, &n, sizeof(n), 0) == sizeof(n));
	return n;
}

/* ---- configurations
 * ---------------------------------------------------------------------------
 */

static char cert_pem[ROOM], key_pem[ROOM], cert_der[ROOM];
static size_t cert_size, key_size, der_size;

static int with_new(AvfRpcTls *tls)
{
	char bytes[ROOM];
	size_t size = sizeof(bytes);

	if (!tls)
		return AVF_ERR_NO_MEMORY;
	STEP(AvfRpcTls_makeSelfSigned(tls, SECONDS));
	STEP(AvfRpcTls_getCertificate(tls, AvfRpcTls_Format_Pem, bytes, &size));
	STEP(AvfRpcTls_addTrustedPeer(tls, AvfRpcTls_Format_Pem, bytes, size));
	STEP(AvfRpcTls_addTrustedPeer(tls, AvfRpcTls_Format_Der, cert_der,
				      der_size));
	return 0;
}

static int make_config(void)
{
	AvfRpcTls *tls;
	int rc;

	begin();
	tls = AvfRpcTls_new();
	rc = with_new(tls);
	AvfRpcTls_free(tls);
	OOM_EXPECT(queue_is_empty());
	forget();
	return rc;
}

static int with_given(AvfRpcTls *tls)
{
	if (!tls)
		return AVF_ERR_NO_MEMORY;
	STEP(AvfRpcTls_setCertificate(tls, AvfRpcTls_Format_Pem, cert_pem,
				      cert_size, key_pem, key_size));
	return 0;
}

static int read_config(void)
{
	AvfRpcTls *tls;
	int rc;

	begin();
	tls = AvfRpcTls_new();
	rc = with_given(tls);
	AvfRpcTls_free(tls);
	OOM_EXPECT(queue_is_empty());
	forget();
	return rc;
}

/* ---- sessions
 * ---------------------------------------------------------------------------
 */

static int dial(void *param)
{
	*(bool *)param = true;
	return connect_peer(SERVER);
}

/* What became of a client's session whose memory ran out. OpenSSL loses the
 * reason of some failures on its way. */
static int sessions_failure(binder_status_t status)
{
	return status == STATUS_DEAD_OBJECT ||
			       status == STATUS_PERMISSION_DENIED
		       ? AVF_ERR_NO_MEMORY
		       : failure(status, __LINE__, "a session");
}

/* A session with @tls; its root answers, or it is not @is_let_in. */
static int client_with(AvfRpcTls *tls, bool is_let_in)
{
	ARpcSession *session = ARpcSession_new();
	bool has_dialed = false;
	AIBinder *root;
	binder_status_t rc;
	int result;

	if (!session)
		return AVF_ERR_NO_MEMORY;
	begin();
	rc = AvfRpcSession_setTls(session, tls);
	OOM_EXPECT(rc == STATUS_OK);
	root = ARpcSession_setupPreconnectedClient(session, dial, &has_dialed);
	rc = root ? AIBinder_ping(root) : AvfRpcSession_getError(session);
	AIBinder_decStrong(root);
	AvfRpcSession_shutdown(session, true);
	ARpcSession_free(session);
	if (has_dialed)
		(void)peers_count();
	if (!is_let_in) {
		OOM_EXPECT(!root);
		if (rc == STATUS_PERMISSION_DENIED)
			rc = STATUS_OK;
	}
	OOM_EXPECT(queue_is_empty());
	result = rc == STATUS_OK ? 0 : sessions_failure(rc);
	forget();
	return result;
}

static int client(void)
{
	return client_with(mutual, true);
}

/* Nothing that runs out makes it trust the server. */
static int client_without_trust(void)
{
	return client_with(suspicious, false);
}

static ARpcServer *new_server(AIBinder *root)
{
	char path[128];
	ARpcServer *server;

	raw_socket_path(path, sizeof(path));
	server = AvfRpcServer_newUnixDomain(root, path);
	(void)unlink(path);
	return server;
}

/* Serve what the other process says, on this thread. Fewer bytes than it gets
 * when all is well are a call that failed. */
static int serve(ARpcServer *server)
{
	static uint32_t whole;
	struct rpc_worker worker = {
		.server = server, .fd = connect_peer(CLIENT), .pending = true};
	uint32_t n;

	begin();
	OOM_EXPECT(AvfRpcServer_setTls(server, mutual) == STATUS_OK);
	server->n_pending = 1;
	rpc_server_run_worker(&worker);
	OOM_EXPECT(AvfRpcServer_countSessions(server) == 0);
	OOM_EXPECT(server->n_pending == 0);
	OOM_EXPECT(queue_is_empty());
	forget();
	n = peers_count();
	if (whole == 0) {
		OOM_MUST(n > 0);
		whole = n;
	}
	OOM_EXPECT(n <= whole);
	return n == whole ? 0 : AVF_ERR_NO_MEMORY;
}

static int server(void)
{
	struct echo_object object = {0};
	AIBinder *root = AIBinder_new(the_class, &object);
	ARpcServer *server = root ? new_server(root) : NULL;
	int rc = server ? serve(server) : AVF_ERR_NO_MEMORY;

	ARpcServer_free(server);
	OOM_EXPECT(!root || AIBinder_debugGetRefCount(root) == 1);
	AIBinder_decStrong(root);
	return rc;
}

/* OpenSSL goes on without some of what it asks for. */
static const struct oom_scenario scenarios[] = {
	{"make_config", make_config, true},
	{"read_config", read_config, true},
	{"client", client, true},
	{"client_without_trust", client_without_trust, true},
	{"server", server, true},
};

/* A certificate and its key as text, and the certificate as bytes. */
static void write_files(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = rpc_cert_make(key, SECONDS);
	struct rpc_der der;
	BIO *bio = BIO_new(BIO_s_mem());

	OOM_MUST(bio && cert && rpc_der_of(cert, &der) && der.size <= ROOM);
	memcpy(cert_der, der.bytes, der.size);
	der_size = der.size;
	rpc_der_fini(&der);
	OOM_MUST(PEM_write_bio_X509(bio, cert) == 1);
	cert_size = (size_t)BIO_read(bio, cert_pem, ROOM);
	OOM_MUST(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL,
					  NULL) == 1);
	key_size = (size_t)BIO_read(bio, key_pem, ROOM);
	BIO_free(bio);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void trust(AvfRpcTls *tls, const AvfRpcTls *peer)
{
	char bytes[ROOM];
	size_t size = sizeof(bytes);

	OOM_MUST(AvfRpcTls_getCertificate(peer, AvfRpcTls_Format_Der, bytes,
					  &size) == STATUS_OK);
	OOM_MUST(AvfRpcTls_addTrustedPeer(tls, AvfRpcTls_Format_Der, bytes,
					  size) == STATUS_OK);
}

static void make_configs(void)
{
	mutual = AvfRpcTls_new();
	suspicious = AvfRpcTls_new();
	OOM_MUST(mutual && suspicious);
	OOM_MUST(AvfRpcTls_makeSelfSigned(mutual, SECONDS) == STATUS_OK);
	OOM_MUST(AvfRpcTls_makeSelfSigned(suspicious, SECONDS) == STATUS_OK);
	trust(mutual, mutual);
	trust(mutual, suspicious);
}

int main(int argc, char **argv)
{
	pid_t peers;
	int rc;

	the_class = echo_class_new("x");
	write_files();
	make_configs();
	peers = start_peers();
	rc = oom_main(argc, argv, scenarios, ARRAY_SIZE(scenarios));
	(void)close(orders);
	(void)waitpid(peers, NULL, 0);
	AvfRpcTls_free(mutual);
	AvfRpcTls_free(suspicious);
	return rc;
}
