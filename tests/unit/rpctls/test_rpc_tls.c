#include <criterion/criterion.h>

#include <openssl/err.h>
#include <string.h>
#include <unistd.h>

#include <android/binder_rpc_tls.h>

#include "base/checked.h"
#include "rpctls/rpc_tls.h"
#include "support/raw_peer.h"

#define ROOM 4096

static AvfRpcTls *tls;

static void set_up(void)
{
	tls = AvfRpcTls_new();
	cr_assert(tls);
}

static void tear_down(void)
{
	AvfRpcTls_free(tls);
	cr_expect_eq(ERR_peek_error(), 0, "OpenSSL's errors are ours alone");
}

TestSuite(tls, .init = set_up, .fini = tear_down);

Test(tls, one_that_is_empty)
{
	size_t size = 0;

	cr_expect_eq(AvfRpcTls_getCertificate(tls, AvfRpcTls_Format_Pem, NULL,
					      &size),
		     STATUS_INVALID_OPERATION);
	cr_expect_eq(AvfRpcServer_setTls(NULL, tls), STATUS_UNEXPECTED_NULL);
	cr_expect_eq(AvfRpcSession_setTls(NULL, tls), STATUS_UNEXPECTED_NULL);
	AvfRpcTls_free(NULL);
}

Test(tls, self_signed)
{
	cr_expect_eq(AvfRpcTls_makeSelfSigned(tls, 0), STATUS_BAD_VALUE);
	cr_expect_eq(AvfRpcTls_makeSelfSigned(tls, UINT32_MAX),
		     STATUS_BAD_VALUE);
	cr_expect_eq(AvfRpcTls_makeSelfSigned(tls, 60), STATUS_OK);
	cr_expect_eq(AvfRpcTls_makeSelfSigned(tls, 60),
		     STATUS_INVALID_OPERATION);
}

Test(tls, the_certificate_in_both_formats)
{
	static const AvfRpcTls_Format formats[] = {AvfRpcTls_Format_Pem,
						   AvfRpcTls_Format_Der};
	char bytes[ROOM];
	size_t size, needed;

	cr_assert_eq(AvfRpcTls_makeSelfSigned(tls, 60), STATUS_OK);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		needed = 0;
		cr_expect_eq(AvfRpcTls_getCertificate(tls, formats[i], NULL,
						      &needed),
			     STATUS_NO_MEMORY);
		size = needed - 1;
		cr_expect_eq(
			AvfRpcTls_getCertificate(tls, formats[i], bytes, &size),
			STATUS_NO_MEMORY, "one byte short");
		size = needed;
		cr_expect_eq(
			AvfRpcTls_getCertificate(tls, formats[i], bytes, &size),
			STATUS_OK);
		cr_expect_eq(size, needed);
		cr_expect_eq(
			AvfRpcTls_addTrustedPeer(tls, formats[i], bytes, size),
			STATUS_OK);
		cr_expect_eq(AvfRpcTls_addTrustedPeer(tls, formats[1 - i],
						      bytes, size),
			     STATUS_BAD_TYPE, "the other format");
	}
	cr_expect_eq(
		AvfRpcTls_addTrustedPeer(tls, AvfRpcTls_Format_Pem, "x", 1),
		STATUS_BAD_TYPE);
}

/* What is no certificate, no key, or not of each other. */
Test(tls, certificates_that_are_refused)
{
	AvfRpcTls *other = AvfRpcTls_new();
	char cert[ROOM], third[ROOM];
	size_t size = sizeof(cert), third_size = sizeof(third);

	cr_assert_eq(AvfRpcTls_makeSelfSigned(other, 60), STATUS_OK);
	cr_assert_eq(AvfRpcTls_getCertificate(other, AvfRpcTls_Format_Pem, cert,
					      &size),
		     STATUS_OK);
	cr_expect_eq(AvfRpcTls_setCertificate(tls, AvfRpcTls_Format_Pem, "", 0,
					      cert, size),
		     STATUS_BAD_TYPE);
	cr_expect_eq(AvfRpcTls_setCertificate(tls, AvfRpcTls_Format_Pem, cert,
					      size, cert, size),
		     STATUS_BAD_VALUE, "a certificate is no key");
	cr_expect_eq(AvfRpcTls_setCertificate(tls, AvfRpcTls_Format_Pem, cert,
					      size, NULL, 0),
		     STATUS_BAD_VALUE);
	/* it is as empty as before */
	cr_expect_eq(AvfRpcTls_getCertificate(tls, AvfRpcTls_Format_Pem, third,
					      &third_size),
		     STATUS_INVALID_OPERATION);
	AvfRpcTls_free(other);
}

/* A thread that has accepted may be on its last lines when a server is freed:
 * nothing of OpenSSL's may wait for it, which the end of the process frees. */
Test(tls, a_server_gives_it_up_at_once)
{
	ARpcServer *server;
	char path[128];

	cr_assert_eq(AvfRpcTls_makeSelfSigned(tls, 60), STATUS_OK);
	for (int i = 0; i < 200; i++) {
		raw_socket_path(path, sizeof(path));
		server = AvfRpcServer_newUnixDomain(NULL, path);
		cr_assert_eq(AvfRpcServer_setTls(server, tls), STATUS_OK);
		ARpcServer_start(server);
		ARpcServer_free(server);
		cr_assert_eq(__atomic_load_n(&tls->refs, __ATOMIC_ACQUIRE), 1);
		(void)unlink(path);
	}
}
