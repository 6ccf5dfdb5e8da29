#include "support/rpc_tls_scene.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/raw_peer.h"
#include "support/rpc_vm.h"

#define ROOM 4096 /* more than a certificate has */

AvfRpcTls *tls_scene_config(void)
{
	AvfRpcTls *tls = AvfRpcTls_new();

	if (!tls || AvfRpcTls_makeSelfSigned(tls, 3600) != STATUS_OK)
		abort();
	return tls;
}

void tls_scene_trust(AvfRpcTls *tls, const AvfRpcTls *peer)
{
	char bytes[ROOM];
	size_t size = sizeof(bytes);

	if (AvfRpcTls_getCertificate(peer, AvfRpcTls_Format_Pem, bytes,
				     &size) != STATUS_OK ||
	    AvfRpcTls_addTrustedPeer(tls, AvfRpcTls_Format_Pem, bytes, size) !=
		    STATUS_OK)
		abort();
}

static bool is_in_vm(const struct rpc_fixture *f)
{
	return f->control >= 0;
}

void tls_scene_server_trusts(struct rpc_fixture *f, struct tls_scene *s,
			     const AvfRpcTls *peer)
{
	char der[ROOM];
	size_t size = sizeof(der);
	int64_t answer = -1;

	if (!is_in_vm(f)) {
		tls_scene_trust(s->server, peer);
		return;
	}
	if (AvfRpcTls_getCertificate(peer, AvfRpcTls_Format_Der, der, &size) !=
	    STATUS_OK)
		abort();
	CHECK(f, rpc_ask(f, RPC_TRUST, (int64_t)size) == 0);
	CHECK(f, send(f->control, der, size, MSG_NOSIGNAL) == (ssize_t)size);
	CHECK(f, recv(f->control, &answer, sizeof(answer), MSG_WAITALL) ==
			 sizeof(answer));
	CHECK(f, answer == STATUS_OK);
}

void tls_scene_trusts_server(struct rpc_fixture *f, struct tls_scene *s,
			     AvfRpcTls *tls)
{
	char der[ROOM];
	int64_t size;

	if (!is_in_vm(f)) {
		tls_scene_trust(tls, s->server);
		return;
	}
	size = rpc_ask(f, RPC_CERTIFICATE, 0);
	CHECK(f, size > 0 && size <= ROOM &&
			 recv(f->control, der, (size_t)size, MSG_WAITALL) ==
				 (ssize_t)size);
	CHECK(f, size > 0 && AvfRpcTls_addTrustedPeer(tls, AvfRpcTls_Format_Der,
						      der, (size_t)size) ==
				     STATUS_OK);
}

/* A server in this process that shows its own certificate. */
static void start_here(struct rpc_fixture *f, struct tls_scene *s,
		       const struct rpc_server_options *options)
{
	raw_socket_path(f->path, sizeof(f->path));
	f->bootstrap = -1;
	f->control = -1;
	f->served.root = service_new();
	f->served.server = AvfRpcServer_newUnixDomain(f->served.root, f->path);
	s->server = tls_scene_config();
	CHECK(f, AvfRpcServer_setTls(f->served.server, s->server) == STATUS_OK);
	CHECK(f, rpc_served_start(&f->served, options));
}

struct tls_scene tls_scene_start_with(struct rpc_fixture *f,
				      struct rpc_server_options server)
{
	struct rpc_options options = {.transport = RPC_VSOCK};
	struct tls_scene s = {.client = tls_scene_config(),
			      .session = ARpcSession_new()};

	server.tls = true;
	server.version = 1;
	options.server = server;
	if (f->transport == RPC_VSOCK)
		rpc_fixture_start_server(f, &options);
	else
		start_here(f, &s, &server);
	CHECK(f, AvfRpcSession_setTls(s.session, s.client) == STATUS_OK);
	return s;
}

struct tls_scene tls_scene_start(struct rpc_fixture *f)
{
	return tls_scene_start_with(f,
				    (struct rpc_server_options){.version = 1});
}

int tls_scene_dial(const struct rpc_fixture *f)
{
	int fd = is_in_vm(f) ? rpc_vm_connect(f->port) : raw_connect(f->path);

	if (fd < 0)
		abort();
	return fd;
}

static int dial_server(void *param)
{
	return tls_scene_dial(param);
}

AIBinder *tls_scene_connect_session(struct rpc_fixture *f, ARpcSession *session)
{
	if (is_in_vm(f))
		return ARpcSession_setupPreconnectedClient(session, dial_server,
							   f);
	return ARpcSession_setupUnixDomainClient(session, f->path);
}

void tls_scene_connect(struct rpc_fixture *f, struct tls_scene *s)
{
	s->root = tls_scene_connect_session(f, s->session);
}

static bool no_sessions(struct rpc_fixture *f)
{
	return rpc_ask(f, RPC_SESSIONS, 0) == 0;
}

void tls_scene_end(struct rpc_fixture *f, struct tls_scene *s)
{
	AIBinder_decStrong(s->root);
	ARpcSession_free(s->session);
	CHECK(f, rpc_wait(f, no_sessions));
	if (is_in_vm(f)) {
		CHECK(f, rpc_ask(f, (enum rpc_question)RPC_STOP, 0) == 1);
		close(f->control);
	} else {
		CHECK(f, rpc_served_stop(&f->served));
		unlink(f->path);
	}
	AvfRpcTls_free(s->server);
	AvfRpcTls_free(s->client);
}
