/*
 * Who is let in over TLS, and who is not: Android's RpcTransportTest under its
 * own names, with sessions in place of transports; then enemies of the
 * handshake. That everything else works is what the other programs show, which
 * run over TLS too.
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
#include "support/rpc_fixture.h"

#define ROOM 4096

static AvfRpcTls *new_tls(void)
{
	AvfRpcTls *tls = AvfRpcTls_new();

	if (!tls || AvfRpcTls_makeSelfSigned(tls, 3600) != STATUS_OK)
		abort();
	return tls;
}

/* @tls accepts @peer from now on. */
static void trust(AvfRpcTls *tls, const AvfRpcTls *peer)
{
	char bytes[ROOM];
	size_t size = sizeof(bytes);

	if (AvfRpcTls_getCertificate(peer, AvfRpcTls_Format_Pem, bytes,
				     &size) != STATUS_OK ||
	    AvfRpcTls_addTrustedPeer(tls, AvfRpcTls_Format_Pem, bytes, size) !=
		    STATUS_OK)
		abort();
}

/* A server and what one client has to say to it. */
struct scene {
	AvfRpcTls *server, *client;
	AIBinder *root;
	ARpcSession *session;
};

/* A server that shows its own certificate, before it starts. */
static struct scene set_scene(struct rpc_fixture *f)
{
	struct scene s = {.server = new_tls(), .client = new_tls()};

	raw_socket_path(f->path, sizeof(f->path));
	f->bootstrap = -1;
	f->control = -1;
	f->served.root = service_new();
	f->served.server = AvfRpcServer_newUnixDomain(f->served.root, f->path);
	CHECK(f, AvfRpcServer_setTls(f->served.server, s.server) == STATUS_OK);
	s.session = ARpcSession_new();
	CHECK(f, AvfRpcSession_setTls(s.session, s.client) == STATUS_OK);
	return s;
}

static void connect_scene(struct rpc_fixture *f, struct scene *s)
{
	ARpcServer_start(f->served.server);
	s->root = ARpcSession_setupUnixDomainClient(s->session, f->path);
}

static bool no_sessions(struct rpc_fixture *f)
{
	return rpc_ask(f, RPC_SESSIONS, 0) == 0;
}

static void end_scene(struct rpc_fixture *f, struct scene *s)
{
	AIBinder_decStrong(s->root);
	ARpcSession_free(s->session);
	CHECK(f, rpc_wait(f, no_sessions));
	ARpcServer_free(f->served.server);
	CHECK(f, AIBinder_debugGetRefCount(f->served.root) == 1);
	AIBinder_decStrong(f->served.root);
	AvfRpcTls_free(s->server);
	AvfRpcTls_free(s->client);
	unlink(f->path);
}

/* The client is refused, by itself or by the server. */
static void expect_refusal(struct rpc_fixture *f, struct scene *s)
{
	binder_status_t error;

	connect_scene(f, s);
	CHECK(f, !s->root);
	error = AvfRpcSession_getError(s->session);
	/* the alert may be lost when the server closes with bytes unread */
	CHECK(f,
	      error == STATUS_PERMISSION_DENIED || error == STATUS_DEAD_OBJECT);
	CHECK(f, AvfRpcServer_countSessions(f->served.server) == 0);
	end_scene(f, s);
}

static void GoodCertificate(struct rpc_fixture *f)
{
	struct scene s = set_scene(f);

	trust(s.server, s.client);
	trust(s.client, s.server);
	connect_scene(f, &s);
	CHECK(f, s.root && AIBinder_ping(s.root) == STATUS_OK);
	end_scene(f, &s);
}

static void MultipleClients(struct rpc_fixture *f)
{
	struct scene s = set_scene(f);
	AvfRpcTls *second = new_tls();
	ARpcSession *session = ARpcSession_new();
	AIBinder *root;

	trust(s.server, s.client);
	trust(s.client, s.server);
	trust(second, s.server);
	CHECK(f, AvfRpcSession_setTls(session, second) == STATUS_OK);
	connect_scene(f, &s);
	/* accepted while the server runs */
	trust(s.server, second);
	root = ARpcSession_setupUnixDomainClient(session, f->path);
	CHECK(f, s.root && AIBinder_ping(s.root) == STATUS_OK);
	CHECK(f, root && AIBinder_ping(root) == STATUS_OK);
	AIBinder_decStrong(root);
	ARpcSession_free(session);
	AvfRpcTls_free(second);
	end_scene(f, &s);
}

/* The client has not been told about this server. */
static void UntrustedServer(struct rpc_fixture *f)
{
	struct scene s = set_scene(f);

	trust(s.server, s.client);
	connect_scene(f, &s);
	CHECK(f, !s.root);
	CHECK(f, AvfRpcSession_getError(s.session) == STATUS_PERMISSION_DENIED);
	end_scene(f, &s);
}

/* It has been told about another one, of the same name. */
static void MaliciousServer(struct rpc_fixture *f)
{
	struct scene s = set_scene(f);
	AvfRpcTls *other = new_tls();

	trust(s.server, s.client);
	trust(s.client, other);
	AvfRpcTls_free(other);
	connect_scene(f, &s);
	CHECK(f, !s.root);
	CHECK(f, AvfRpcSession_getError(s.session) == STATUS_PERMISSION_DENIED);
	end_scene(f, &s);
}

static void UntrustedClient(struct rpc_fixture *f)
{
	struct scene s = set_scene(f);

	trust(s.client, s.server);
	expect_refusal(f, &s);
}

static void MaliciousClient(struct rpc_fixture *f)
{
	struct scene s = set_scene(f);
	AvfRpcTls *other = new_tls();

	trust(s.client, s.server);
	trust(s.server, other);
	AvfRpcTls_free(other);
	expect_refusal(f, &s);
}

/* Ending a session wakes a thread that waits in a call: Android's Trigger and
 * CheckWaitingForRead. */
static void *wait_for_gate(void *data)
{
	struct scene *s = data;

	return service_wait_gate(s->root, false) == STATUS_DEAD_OBJECT ? data
								       : NULL;
}

static bool somebody_waits(struct rpc_fixture *f)
{
	return rpc_ask(f, RPC_WAITING, 0) > 0;
}

static void Trigger(struct rpc_fixture *f)
{
	struct scene s = set_scene(f);
	pthread_t thread;
	void *good = NULL;

	trust(s.server, s.client);
	trust(s.client, s.server);
	connect_scene(f, &s);
	CHECK(f, s.root && service_associate(s.root));
	if (pthread_create(&thread, NULL, wait_for_gate, &s) != 0)
		abort();
	CHECK(f, rpc_wait(f, somebody_waits));
	AvfRpcSession_shutdown(s.session, true);
	pthread_join(thread, &good);
	CHECK(f, good);
	(void)rpc_ask(f, RPC_OPEN_GATE, 0);
	end_scene(f, &s);
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
	struct scene s = set_scene(f);
	AvfRpcTls *signed_tls = AvfRpcTls_new();
	ARpcSession *session = ARpcSession_new();
	AIBinder *root;

	write_pem(made, made_key, cert, key);
	X509_free(made);
	EVP_PKEY_free(made_key);
	CHECK(f, AvfRpcTls_setCertificate(signed_tls, AvfRpcTls_Format_Pem,
					  cert, strlen(cert), key,
					  strlen(key)) == STATUS_OK);
	trust(s.server, signed_tls);
	trust(signed_tls, s.server);
	CHECK(f, AvfRpcSession_setTls(session, signed_tls) == STATUS_OK);
	connect_scene(f, &s);
	CHECK(f, !s.root);
	root = ARpcSession_setupUnixDomainClient(session, f->path);
	CHECK(f, root && AIBinder_ping(root) == STATUS_OK);
	AIBinder_decStrong(root);
	ARpcSession_free(session);
	AvfRpcTls_free(signed_tls);
	end_scene(f, &s);
}

/* ---- what does not go with it
 * ------------------------------------------------------------------ */

static void NoDescriptorsOverTls(struct rpc_fixture *f)
{
	static const ARpcSession_FileDescriptorTransportMode modes[] = {
		ARpcSession_FileDescriptorTransportMode_None,
		ARpcSession_FileDescriptorTransportMode_Unix,
	};
	struct scene s = set_scene(f);

	trust(s.server, s.client);
	trust(s.client, s.server);
	ARpcServer_setSupportedFileDescriptorTransportModes(f->served.server,
							    modes, 2);
	ARpcSession_setFileDescriptorTransportMode(
		s.session, ARpcSession_FileDescriptorTransportMode_Unix);
	connect_scene(f, &s);
	CHECK(f, !s.root);
	CHECK(f, AvfRpcSession_getError(s.session) == STATUS_INVALID_OPERATION);
	end_scene(f, &s);
}

static void NoBootstrapOverTls(struct rpc_fixture *f)
{
	AvfRpcTls *tls = new_tls();
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
	struct scene s = set_scene(f);
	AvfRpcTls *empty = AvfRpcTls_new();

	CHECK(f, AvfRpcServer_setTls(f->served.server, empty) ==
			 STATUS_INVALID_OPERATION);
	CHECK(f, AvfRpcSession_setTls(s.session, empty) ==
			 STATUS_INVALID_OPERATION);
	CHECK(f, AvfRpcServer_setTls(f->served.server, NULL) ==
			 STATUS_UNEXPECTED_NULL);
	ARpcServer_start(f->served.server);
	CHECK(f, AvfRpcServer_setTls(f->served.server, s.server) ==
			 STATUS_INVALID_OPERATION);
	AvfRpcTls_free(empty);
	end_scene(f, &s);
}

/* ---- enemies
 * ---------------------------------------------------------------------- */

/* A server whose limits of the handshake are @ms and @pending. */
static struct scene set_limits(struct rpc_fixture *f, uint32_t ms,
			       size_t pending)
{
	struct scene s = set_scene(f);

	trust(s.server, s.client);
	trust(s.client, s.server);
	AvfRpcServer_setHandshakeTimeout(f->served.server, ms);
	AvfRpcServer_setMaxPendingConnections(f->served.server, pending);
	ARpcServer_start(f->served.server);
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
	struct scene s = set_limits(f, 10000, 64);
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		fd = raw_connect(f->path);
		raw_send(fd, words[i]);
		(void)shutdown(fd, SHUT_WR);
		CHECK(f, raw_closed(fd));
		close(fd);
	}
	CHECK(f, AvfRpcServer_countSessions(f->served.server) == 0);
	/* the server has borne it */
	s.root = ARpcSession_setupUnixDomainClient(s.session, f->path);
	CHECK(f, s.root && AIBinder_ping(s.root) == STATUS_OK);
	end_scene(f, &s);
}

static void SilenceHasADeadline(struct rpc_fixture *f)
{
	struct scene s = set_limits(f, 100, 64);
	int silent = raw_connect(f->path);
	int half = raw_connect(f->path);

	raw_send(half, "16030100 c8010000 c4");
	CHECK(f, raw_closed(silent));
	CHECK(f, raw_closed(half));
	close(silent);
	close(half);
	end_scene(f, &s);
}

static void ManyWhoDoNotShakeHands(struct rpc_fixture *f)
{
	struct scene s = set_limits(f, 0, 3);
	int fds[3], last;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = raw_connect(f->path);
	last = raw_connect(f->path);
	CHECK(f, raw_closed(last));
	close(last);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	end_scene(f, &s);
}

/* A peer that is plain OpenSSL, with what it likes. Returns the reason for
 * which the server ends it, 0 when it does not. */
static int greet(struct rpc_fixture *f, SSL_CTX *ctx)
{
	int fd = raw_connect(f->path);
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
	struct scene s = set_limits(f, 10000, 64);
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
	end_scene(f, &s);
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
	struct scene s = set_limits(f, 10000, 64);
	int peer = -1;

	CHECK(f, !ARpcSession_setupPreconnectedClient(s.session, dial_plain,
						      &peer));
	CHECK(f, AvfRpcSession_getError(s.session) == STATUS_DEAD_OBJECT);
	close(peer);
	end_scene(f, &s);
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
	struct scene s = set_limits(f, 10000, 64);
	int peer = -1;

	AvfRpcSession_setCallTimeout(s.session, 100);
	CHECK(f, !ARpcSession_setupPreconnectedClient(s.session, dial_silence,
						      &peer));
	CHECK(f, AvfRpcSession_getError(s.session) == STATUS_TIMED_OUT);
	close(peer);
	end_scene(f, &s);
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
	RPC_BARE(NoBootstrapOverTls),
	RPC_BARE(NotWithoutACertificate),
	RPC_BARE(BytesThatAreNoTls),
	RPC_BARE(SilenceHasADeadline),
	RPC_BARE(ManyWhoDoNotShakeHands),
	RPC_BARE(TheServersAlerts),
	RPC_BARE(AServerThatIsNoTls),
	RPC_BARE(AServerThatIsSilent),
};

int main(int argc, char **argv)
{
	return rpc_run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
