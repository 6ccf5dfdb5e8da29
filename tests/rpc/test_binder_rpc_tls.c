/*
 * Who is let in over TLS, and who is not: Android's RpcTransportTest under its
 * own names, with sessions in place of transports; then enemies of the
 * handshake. That everything else works is what the other programs show, which
 * run over TLS too. With the server in a VM its certificate and its clients'
 * travel over the control connection.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <android/binder_rpc_tls.h>

#include "base/checked.h"
#include "support/raw_peer.h"
#include "support/rpc_tls_scene.h"

#define ROOM 4096 /* more than a certificate has */

/* The client is refused, by itself or by the server. */
static void expect_refusal(struct rpc_fixture *f, struct tls_scene *s)
{
	binder_status_t error;

	tls_scene_connect(f, s);
	CHECK(f, !s->root);
	error = AvfRpcSession_getError(s->session);
	/* the alert may be lost when the server closes with bytes unread */
	CHECK(f,
	      error == STATUS_PERMISSION_DENIED || error == STATUS_DEAD_OBJECT);
	CHECK(f, rpc_ask(f, RPC_SESSIONS, 0) == 0);
	tls_scene_end(f, s);
}

static void GoodCertificate(struct rpc_fixture *f)
{
	struct tls_scene s = tls_scene_start(f);

	tls_scene_server_trusts(f, &s, s.client);
	tls_scene_trusts_server(f, &s, s.client);
	tls_scene_connect(f, &s);
	CHECK(f, s.root && AIBinder_ping(s.root) == STATUS_OK);
	tls_scene_end(f, &s);
}

static void MultipleClients(struct rpc_fixture *f)
{
	struct tls_scene s = tls_scene_start(f);
	AvfRpcTls *second = tls_scene_config();
	ARpcSession *session = ARpcSession_new();
	AIBinder *root;

	tls_scene_server_trusts(f, &s, s.client);
	tls_scene_trusts_server(f, &s, s.client);
	tls_scene_trusts_server(f, &s, second);
	CHECK(f, AvfRpcSession_setTls(session, second) == STATUS_OK);
	tls_scene_connect(f, &s);
	/* accepted while the server runs */
	tls_scene_server_trusts(f, &s, second);
	root = tls_scene_connect_session(f, session);
	CHECK(f, s.root && AIBinder_ping(s.root) == STATUS_OK);
	CHECK(f, root && AIBinder_ping(root) == STATUS_OK);
	AIBinder_decStrong(root);
	ARpcSession_free(session);
	AvfRpcTls_free(second);
	tls_scene_end(f, &s);
}

/* The client has not been told about this server. */
static void UntrustedServer(struct rpc_fixture *f)
{
	struct tls_scene s = tls_scene_start(f);

	tls_scene_server_trusts(f, &s, s.client);
	tls_scene_connect(f, &s);
	CHECK(f, !s.root);
	CHECK(f, AvfRpcSession_getError(s.session) == STATUS_PERMISSION_DENIED);
	tls_scene_end(f, &s);
}

/* It has been told about another one, of the same name. */
static void MaliciousServer(struct rpc_fixture *f)
{
	struct tls_scene s = tls_scene_start(f);
	AvfRpcTls *other = tls_scene_config();

	tls_scene_server_trusts(f, &s, s.client);
	tls_scene_trust(s.client, other);
	AvfRpcTls_free(other);
	tls_scene_connect(f, &s);
	CHECK(f, !s.root);
	CHECK(f, AvfRpcSession_getError(s.session) == STATUS_PERMISSION_DENIED);
	tls_scene_end(f, &s);
}

static void UntrustedClient(struct rpc_fixture *f)
{
	struct tls_scene s = tls_scene_start(f);

	tls_scene_trusts_server(f, &s, s.client);
	expect_refusal(f, &s);
}

static void MaliciousClient(struct rpc_fixture *f)
{
	struct tls_scene s = tls_scene_start(f);
	AvfRpcTls *other = tls_scene_config();

	tls_scene_trusts_server(f, &s, s.client);
	tls_scene_server_trusts(f, &s, other);
	AvfRpcTls_free(other);
	expect_refusal(f, &s);
}

/* Ending a session wakes a thread that waits in a call: Android's Trigger and
 * CheckWaitingForRead. */
static void *wait_for_gate(void *data)
{
	struct tls_scene *s = data;

	return service_wait_gate(s->root, false) == STATUS_DEAD_OBJECT ? data
								       : NULL;
}

static bool somebody_waits(struct rpc_fixture *f)
{
	return rpc_ask(f, RPC_WAITING, 0) > 0;
}

static void Trigger(struct rpc_fixture *f)
{
	struct tls_scene s = tls_scene_start(f);
	pthread_t thread;
	void *good = NULL;

	tls_scene_server_trusts(f, &s, s.client);
	tls_scene_trusts_server(f, &s, s.client);
	tls_scene_connect(f, &s);
	CHECK(f, s.root && service_associate(s.root));
	if (pthread_create(&thread, NULL, wait_for_gate, &s) != 0)
		abort();
	CHECK(f, rpc_wait(f, somebody_waits));
	AvfRpcSession_shutdown(s.session, true);
	pthread_join(thread, &good);
	CHECK(f, good);
	(void)rpc_ask(f, RPC_OPEN_GATE, 0);
	tls_scene_end(f, &s);
}

/* A certificate that OpenSSL has made, of yesterday. */
static X509 *make_cert(EVP_PKEY *key)
{
	X509 *cert = X509_new();

	X509_set_version(cert, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(cert), -7200);
	X509_gmtime_adj(X509_getm_notAfter(cert), -3600);
	X509_set_pubkey(cert, key);
	if (X509_sign(cert, key, EVP_sha256()) <= 0)
		abort();
	return cert;
}

/* Both as text. */
static void write_pem(X509 *cert, EVP_PKEY *key, char *cert_text,
		      char *key_text)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	PEM_write_bio_X509(bio, cert);
	n = BIO_read(bio, cert_text, ROOM - 1);
	cert_text[n] = '\0';
	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	n = BIO_read(bio, key_text, ROOM - 1);
	key_text[n] = '\0';
	BIO_free(bio);
}

/* A key and a certificate that came as files. It has expired: no date counts,
 * only whether it is the one that is trusted. */
static void PreSignedCertificate(struct rpc_fixture *f)
{
	EVP_PKEY *made_key = EVP_EC_gen("P-256");
	X509 *made = make_cert(made_key);
	char cert[ROOM], key[ROOM];
	struct tls_scene s = tls_scene_start(f);
	AvfRpcTls *signed_tls = AvfRpcTls_new();
	ARpcSession *session = ARpcSession_new();
	AIBinder *root;

	write_pem(made, made_key, cert, key);
	X509_free(made);
	EVP_PKEY_free(made_key);
	CHECK(f, AvfRpcTls_setCertificate(signed_tls, AvfRpcTls_Format_Pem,
					  cert, strlen(cert), key,
					  strlen(key)) == STATUS_OK);
	tls_scene_server_trusts(f, &s, signed_tls);
	tls_scene_trusts_server(f, &s, signed_tls);
	CHECK(f, AvfRpcSession_setTls(session, signed_tls) == STATUS_OK);
	tls_scene_connect(f, &s);
	CHECK(f, !s.root);
	root = tls_scene_connect_session(f, session);
	CHECK(f, root && AIBinder_ping(root) == STATUS_OK);
	AIBinder_decStrong(root);
	ARpcSession_free(session);
	AvfRpcTls_free(signed_tls);
	tls_scene_end(f, &s);
}

/* ---- what does not go with it
 * ------------------------------------------------------------------ */

/* The server has both modes for whom it can send them to. */
static void NoDescriptorsOverTls(struct rpc_fixture *f)
{
	struct tls_scene s = tls_scene_start(f);

	tls_scene_server_trusts(f, &s, s.client);
	tls_scene_trusts_server(f, &s, s.client);
	ARpcSession_setFileDescriptorTransportMode(
		s.session, ARpcSession_FileDescriptorTransportMode_Unix);
	tls_scene_connect(f, &s);
	CHECK(f, !s.root);
	CHECK(f, AvfRpcSession_getError(s.session) == STATUS_INVALID_OPERATION);
	tls_scene_end(f, &s);
}

static void NoBootstrapOverTls(struct rpc_fixture *f)
{
	AvfRpcTls *tls = tls_scene_config();
	ARpcSession *session = ARpcSession_new();
	AIBinder *root = service_new();
	ARpcServer *server;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	server = ARpcServer_newUnixDomainBootstrap(root, pair[0]);
	CHECK(f, AvfRpcServer_setTls(server, tls) == STATUS_INVALID_OPERATION);
	CHECK(f, AvfRpcSession_setTls(session, tls) == STATUS_OK);
	CHECK(f, !ARpcSession_setupUnixDomainBootstrapClient(session, pair[1]));
	CHECK(f, AvfRpcSession_getError(session) == STATUS_INVALID_OPERATION);
	ARpcSession_free(session);
	ARpcServer_free(server);
	AIBinder_decStrong(root);
	AvfRpcTls_free(tls);
	close(pair[1]);
}

static void NotWithoutACertificate(struct rpc_fixture *f)
{
	struct tls_scene s = tls_scene_start(f);
	AvfRpcTls *empty = AvfRpcTls_new();
	ARpcServer *server = ARpcServer_newInet(f->served.root, "127.0.0.1", 0);

	CHECK(f,
	      AvfRpcServer_setTls(server, empty) == STATUS_INVALID_OPERATION);
	CHECK(f, AvfRpcSession_setTls(s.session, empty) ==
			 STATUS_INVALID_OPERATION);
	CHECK(f, AvfRpcServer_setTls(server, NULL) == STATUS_UNEXPECTED_NULL);
	CHECK(f, AvfRpcServer_setTls(server, s.server) == STATUS_OK);
	/* not any more when it runs */
	CHECK(f, AvfRpcServer_setTls(f->served.server, s.server) ==
			 STATUS_INVALID_OPERATION);
	ARpcServer_free(server);
	AvfRpcTls_free(empty);
	tls_scene_end(f, &s);
}

/* ---- enemies
 * ---------------------------------------------------------------------- */

/* A server whose limits of the handshake are @ms and @pending. */
static struct tls_scene set_limits(struct rpc_fixture *f, uint32_t ms,
				   uint32_t pending)
{
	struct tls_scene s =
		tls_scene_start_with(f, (struct rpc_server_options){
						.has_limits = true,
						.handshake_ms = ms,
						.max_pending = pending,
					});

	tls_scene_server_trusts(f, &s, s.client);
	tls_scene_trusts_server(f, &s, s.client);
	return s;
}

/* What is no TLS: a session's hello, other words, the half of a record. */
static void BytesThatAreNoTls(struct rpc_fixture *f)
{
	static const char *const words[] = {
		RAW_HELLO("01000000") RAW_INIT,
		"47455420 2f204854 54502f31 2e310d0a 0d0a",
		"16030100 00",
		"16030100 0101",
		"1603ffff ffff0000",
		"15030300 02022e",
	};
	struct tls_scene s = set_limits(f, 10000, 64);
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		fd = tls_scene_dial(f);
		raw_send(fd, words[i]);
		(void)shutdown(fd, SHUT_WR);
		CHECK(f, raw_closed(fd));
		close(fd);
	}
	CHECK(f, rpc_ask(f, RPC_SESSIONS, 0) == 0);
	/* the server has borne it */
	tls_scene_connect(f, &s);
	CHECK(f, s.root && AIBinder_ping(s.root) == STATUS_OK);
	tls_scene_end(f, &s);
}

static void SilenceHasADeadline(struct rpc_fixture *f)
{
	struct tls_scene s = set_limits(f, 100, 64);
	int silent = tls_scene_dial(f);
	int half = tls_scene_dial(f);

	raw_send(half, "16030100 c8010000 c4");
	CHECK(f, raw_closed(silent));
	CHECK(f, raw_closed(half));
	close(silent);
	close(half);
	tls_scene_end(f, &s);
}

static void ManyWhoDoNotShakeHands(struct rpc_fixture *f)
{
	struct tls_scene s = set_limits(f, 0, 3);
	int fds[3], last;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = tls_scene_dial(f);
	last = tls_scene_dial(f);
	CHECK(f, raw_closed(last));
	close(last);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	tls_scene_end(f, &s);
}

/* A peer that is plain OpenSSL, with what it likes. Returns the reason for
 * which the server ends it, 0 when it does not. */
static int greet(struct rpc_fixture *f, SSL_CTX *ctx)
{
	int fd = tls_scene_dial(f);
	SSL *ssl = SSL_new(ctx);
	char byte;
	int rc;

	SSL_set_fd(ssl, fd);
	ERR_clear_error();
	rc = SSL_connect(ssl);
	/* with TLS 1.3 the server's word about our certificate comes later */
	if (rc == 1)
		rc = SSL_read(ssl, &byte, 1);
	rc = rc <= 0 ? ERR_GET_REASON(ERR_peek_error()) : 0;
	SSL_free(ssl);
	close(fd);
	return rc;
}

static void TheServersAlerts(struct rpc_fixture *f)
{
	struct tls_scene s = set_limits(f, 10000, 64);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = make_cert(key);

	/* a client without a certificate */
	CHECK(f, greet(f, ctx) == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
	/* one with a certificate that nobody knows */
	CHECK(f, SSL_CTX_use_certificate(ctx, cert) == 1);
	CHECK(f, SSL_CTX_use_PrivateKey(ctx, key) == 1);
	CHECK(f, greet(f, ctx) == SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN);
	/* an older protocol */
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	CHECK(f, greet(f, ctx) == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
	X509_free(cert);
	EVP_PKEY_free(key);
	SSL_CTX_free(ctx);
	tls_scene_end(f, &s);
}

/* A client of TLS, and a server that answers in plain words. */
static int dial_plain(void *param)
{
	int *peer = param;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	*peer = pair[1];
	raw_send(pair[1], "01000000 00000000");
	return pair[0];
}

static void AServerThatIsNoTls(struct rpc_fixture *f)
{
	struct tls_scene s = set_limits(f, 10000, 64);
	int peer = -1;

	CHECK(f, !ARpcSession_setupPreconnectedClient(s.session, dial_plain,
						      &peer));
	CHECK(f, AvfRpcSession_getError(s.session) == STATUS_DEAD_OBJECT);
	close(peer);
	tls_scene_end(f, &s);
}

/* A server that never answers costs no more than the call's time-out. */
static int dial_silence(void *param)
{
	int *peer = param;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	*peer = pair[1];
	return pair[0];
}

static void AServerThatIsSilent(struct rpc_fixture *f)
{
	struct tls_scene s = set_limits(f, 10000, 64);
	int peer = -1;

	AvfRpcSession_setCallTimeout(s.session, 100);
	CHECK(f, !ARpcSession_setupPreconnectedClient(s.session, dial_silence,
						      &peer));
	CHECK(f, AvfRpcSession_getError(s.session) == STATUS_TIMED_OUT);
	close(peer);
	tls_scene_end(f, &s);
}

static const struct rpc_test tests[] = {
	RPC_BARE(GoodCertificate),
	RPC_BARE(MultipleClients),
	RPC_BARE(UntrustedServer),
	RPC_BARE(MaliciousServer),
	RPC_BARE(UntrustedClient),
	RPC_BARE(MaliciousClient),
	RPC_BARE(Trigger),
	RPC_BARE(PreSignedCertificate),
	RPC_BARE(NoDescriptorsOverTls),
	RPC_HERE_BARE(NoBootstrapOverTls, "of a Unix socket"),
	RPC_HERE_BARE(NotWithoutACertificate, "before a server starts"),
	RPC_BARE(BytesThatAreNoTls),
	RPC_BARE(SilenceHasADeadline),
	RPC_BARE(ManyWhoDoNotShakeHands),
	RPC_BARE(TheServersAlerts),
	RPC_HERE_BARE(AServerThatIsNoTls, "the server is a socket"),
	RPC_HERE_BARE(AServerThatIsSilent, "the server is a socket"),
};

int main(int argc, char **argv)
{
	return rpc_run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
