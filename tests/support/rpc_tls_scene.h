/*
 * A server of TLS that shows a certificate of its own, and one client: in one
 * process, or with the server in a VM. There its certificate and those that it
 * is to trust travel over the fixture's control connection.
 */
#pragma once

#include <android/binder_rpc_tls.h>

#include "support/rpc_fixture.h"

struct tls_scene {
	AvfRpcTls *server; /* NULL when it is in a VM */
	AvfRpcTls *client;
	AIBinder *root; /* the client's */
	ARpcSession *session;
};

/** A configuration with a certificate that nobody has seen. Cannot fail. */
AvfRpcTls *tls_scene_config(void);

/** A server that runs and trusts nobody, where @f says, and a client that is
 * not connected and trusts nobody. */
struct tls_scene tls_scene_start(struct rpc_fixture *f);
struct tls_scene tls_scene_start_with(struct rpc_fixture *f,
				      struct rpc_server_options server);

/** @tls accepts @peer from now on. Cannot fail. */
void tls_scene_trust(AvfRpcTls *tls, const AvfRpcTls *peer);
/** The server accepts @peer from now on. */
void tls_scene_server_trusts(struct rpc_fixture *f, struct tls_scene *s,
			     const AvfRpcTls *peer);
/** @tls accepts the server from now on. */
void tls_scene_trusts_server(struct rpc_fixture *f, struct tls_scene *s,
			     AvfRpcTls *tls);

/** Connect the scene's client, or another one. */
void tls_scene_connect(struct rpc_fixture *f, struct tls_scene *s);
AIBinder *tls_scene_connect_session(struct rpc_fixture *f,
				    ARpcSession *session);
/** A bare connection to the server. Cannot fail. */
int tls_scene_dial(const struct rpc_fixture *f);

/** Free everything, and look for what is left. */
void tls_scene_end(struct rpc_fixture *f, struct tls_scene *s);
