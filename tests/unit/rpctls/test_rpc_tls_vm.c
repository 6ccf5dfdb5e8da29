/* Into a VM over TLS: a session that the application brings along. The VM is a
 * server in this process; as in the host's program avf_vm_connect() is there.
 */
#include <criterion/criterion.h>

#include <unistd.h>

#include <android/binder_rpc_tls.h>
#include <avf/rpc.h>

#include "base/checked.h"
#include "support/echo_object.h"
#include "support/raw_peer.h"

#define ROOM 4096

static char path[128];
static AvfRpcTls *guest, *host;
static ARpcServer *server;
static struct echo_object state;
static AIBinder *root;

int avf_vm_connect(avf_vm *vm, uint32_t port, int timeout_ms, int *ret_fd)
{
	(void)vm;
	(void)port;
	(void)timeout_ms;
	*ret_fd = raw_connect(path);
	return 0;
}

static AvfRpcTls *make_tls(void)
{
	AvfRpcTls *tls = AvfRpcTls_new();

	cr_assert_eq(AvfRpcTls_makeSelfSigned(tls, 60), STATUS_OK);
	return tls;
}

static void trust(AvfRpcTls *tls, const AvfRpcTls *peer)
{
	char bytes[ROOM];
	size_t size = sizeof(bytes);

	cr_assert_eq(AvfRpcTls_getCertificate(peer, AvfRpcTls_Format_Der, bytes,
					      &size),
		     STATUS_OK);
	cr_assert_eq(AvfRpcTls_addTrustedPeer(tls, AvfRpcTls_Format_Der, bytes,
					      size),
		     STATUS_OK);
}

static void set_up(void)
{
	raw_socket_path(path, sizeof(path));
	guest = make_tls();
	host = make_tls();
	root = AIBinder_new(echo_class_new("echo"), &state);
	server = AvfRpcServer_newUnixDomain(root, path);
	cr_assert_eq(AvfRpcServer_setTls(server, guest), STATUS_OK);
	ARpcServer_start(server);
}

static void tear_down(void)
{
	ARpcServer_free(server);
	AIBinder_decStrong(root);
	AvfRpcTls_free(guest);
	AvfRpcTls_free(host);
	(void)unlink(path);
}

TestSuite(tls_vm, .init = set_up, .fini = tear_down, .timeout = 60);

static int try_to_connect(AIBinder **ret_root)
{
	ARpcSession *session = ARpcSession_new();
	int rc;

	ARpcSession_setMaxIncomingThreads(session, 1);
	cr_assert_eq(AvfRpcSession_setTls(session, host), STATUS_OK);
	rc = avf_vm_connect_rpc_session(NULL, 5678, 30000, session, ret_root);
	ARpcSession_free(session);
	return rc;
}

Test(tls_vm, both_trust_each_other)
{
	AIBinder *got = NULL;

	trust(guest, host);
	trust(host, guest);
	cr_assert_eq(try_to_connect(&got), 0);
	cr_expect_eq(AIBinder_ping(got), STATUS_OK);
	AIBinder_decStrong(got);
}

Test(tls_vm, the_host_does_not_trust_the_guest)
{
	AIBinder *got = NULL;

	trust(guest, host);
	cr_expect_eq(try_to_connect(&got), AVF_ERR_PERMISSION);
	cr_expect_null(got);
}

/* What listens there wants a certificate, and gets words. */
Test(tls_vm, a_session_without_it)
{
	AIBinder *got = NULL;

	cr_expect_eq(avf_vm_connect_rpc(NULL, 5678, 30000, &got),
		     AVF_ERR_PROTOCOL);
	cr_expect_null(got);
}
