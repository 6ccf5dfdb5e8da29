/* What fortified headers make of recv() would be in our way. */
#undef _FORTIFY_SOURCE

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "rpctls/rpc_tls.h"

#define ROOM 4096

/* Two layers over a socketpair: the client's and the server's. */
static AvfRpcTls *tls;
static int fds[2];
static void *layers[2];

/* What receiving fails with, if it does. */
static int error;

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	if (error == 0)
		return syscall(SYS_recvfrom, fd, bytes, size, flags, NULL,
			       NULL);
	errno = error;
	return -1;
}

static void set_up(void)
{
	char der[ROOM];
	size_t size = sizeof(der);

	tls = AvfRpcTls_new();
	cr_assert_eq(AvfRpcTls_makeSelfSigned(tls, 60), STATUS_OK);
	cr_assert_eq(
		AvfRpcTls_getCertificate(tls, AvfRpcTls_Format_Der, der, &size),
		STATUS_OK);
	cr_assert_eq(
		AvfRpcTls_addTrustedPeer(tls, AvfRpcTls_Format_Der, der, size),
		STATUS_OK);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
		     0);
	for (int i = 0; i < 2; i++) {
		layers[i] = rpc_tls_ops.open(tls, fds[i], i == 1);
		cr_assert(layers[i]);
	}
}

static void tear_down(void)
{
	for (int i = 0; i < 2; i++) {
		rpc_tls_ops.close(layers[i]);
		close(fds[i]);
	}
	cr_expect_eq(tls->refs, 1);
	AvfRpcTls_free(tls);
	rpc_tls_ops.close(NULL);
}

TestSuite(layer, .init = set_up, .fini = tear_down, .timeout = 60);

/* In turns, until both are done. */
static void shake_hands(void)
{
	enum rpc_io io[2] = {RPC_IO_WANT_READ, RPC_IO_WANT_READ};

	for (int i = 0; io[0] != RPC_IO_DONE || io[1] != RPC_IO_DONE; i++) {
		cr_assert_lt(i, 20);
		io[i & 1] = rpc_tls_ops.handshake(layers[i & 1]);
		cr_assert(io[i & 1] == RPC_IO_DONE ||
			  io[i & 1] == RPC_IO_WANT_READ);
	}
}

Test(layer, a_handshake_does_not_block)
{
	cr_expect_eq(rpc_tls_ops.handshake(layers[1]), RPC_IO_WANT_READ);
	cr_expect_eq(rpc_tls_ops.handshake(layers[0]), RPC_IO_WANT_READ);
	shake_hands();
}

Test(layer, bytes_go_both_ways)
{
	char word[] = "word", room[8];
	struct iovec parts[2] = {{word, 4}, {word, 3}};
	size_t n = 0;

	shake_hands();
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(rpc_tls_ops.read(layers[1 - i], room, 8, &n),
			     RPC_IO_WANT_READ);
		cr_expect_not(rpc_tls_ops.is_readable(layers[1 - i]));
		cr_assert_eq(rpc_tls_ops.write(layers[i], parts, 2, &n),
			     RPC_IO_DONE);
		cr_expect_eq(n, 7, "small parts are one record");
		cr_expect(rpc_tls_ops.is_readable(layers[1 - i]));
		cr_assert_eq(rpc_tls_ops.read(layers[1 - i], room, 5, &n),
			     RPC_IO_DONE);
		cr_expect_eq(n, 5);
		cr_expect_arr_eq(room, "wordw", 5);
		/* the socket is empty, the layer is not */
		cr_expect(rpc_tls_ops.has_input(layers[1 - i]));
		cr_assert_eq(rpc_tls_ops.read(layers[1 - i], room, 5, &n),
			     RPC_IO_DONE);
		cr_expect_eq(n, 2);
		cr_expect_not(rpc_tls_ops.has_input(layers[1 - i]));
	}
}

/* A peer that does not read: some is written, then the same parts wait. */
Test(layer, a_full_socket)
{
	static char block[1 << 20], room[1 << 14];
	struct iovec part = {block, sizeof(block)};
	size_t n, written = 0, read = 0;
	enum rpc_io io;

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)(i % 251);
	shake_hands();
	while ((io = rpc_tls_ops.write(layers[0], &part, 1, &n)) ==
	       RPC_IO_DONE) {
		written += n;
		part.iov_base = block + written;
		part.iov_len -= n;
	}
	cr_assert_eq(io, RPC_IO_WANT_WRITE);
	cr_assert_lt(written, sizeof(block));
	while (read < sizeof(block)) {
		io = rpc_tls_ops.read(layers[1], room, sizeof(room), &n);
		if (io == RPC_IO_DONE) {
			cr_assert_arr_eq(room, block + read, n);
			read += n;
			continue;
		}
		cr_assert_eq(io, RPC_IO_WANT_READ);
		cr_assert_eq(rpc_tls_ops.write(layers[0], &part, 1, &n),
			     RPC_IO_DONE);
		written += n;
		part.iov_base = block + written;
		part.iov_len -= n;
	}
	cr_expect_eq(written, sizeof(block));
}

/* Without a goodbye, and without a signal that would end us. */
Test(layer, the_peer_hangs_up)
{
	char room[8];
	struct iovec part = {room, sizeof(room)};
	size_t n;

	memset(room, 0, sizeof(room));
	shake_hands();
	cr_assert_eq(shutdown(fds[1], SHUT_RDWR), 0);
	cr_expect_eq(rpc_tls_ops.read(layers[0], room, 8, &n), RPC_IO_END);
	cr_expect(rpc_tls_ops.is_readable(layers[0]), "the end can be read");
	cr_expect_neq(rpc_tls_ops.write(layers[0], &part, 1, &n), RPC_IO_DONE);
}

Test(layer, a_byte_is_changed_on_the_way)
{
	char word[] = "word", wire[64], room[8];
	struct iovec part = {word, 4};
	ssize_t size;
	size_t n;

	shake_hands();
	cr_assert_eq(rpc_tls_ops.write(layers[0], &part, 1, &n), RPC_IO_DONE);
	size = recv(fds[1], wire, sizeof(wire), MSG_DONTWAIT);
	cr_assert_gt(size, 8);
	wire[7] ^= 1;
	cr_assert_eq(send(fds[0], wire, (size_t)size, 0), size);
	cr_expect_eq(rpc_tls_ops.read(layers[1], room, 8, &n), RPC_IO_BROKEN);
}

/* ---- peers of plain OpenSSL
 * -------------------------------------------------------- */

/* Shake hands with our server; what it makes of @ctx. */
static enum rpc_io meet(SSL_CTX *ctx)
{
	SSL *ssl = SSL_new(ctx);
	enum rpc_io io = RPC_IO_WANT_READ;
	char byte;
	int rc = -1;

	cr_assert_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	SSL_set_fd(ssl, fds[0]);
	SSL_set_connect_state(ssl);
	for (int i = 0; i < 20 && io == RPC_IO_WANT_READ; i++) {
		rc = rc == 1 ? SSL_read(ssl, &byte, 1) : SSL_do_handshake(ssl);
		io = rpc_tls_ops.handshake(layers[1]);
	}
	SSL_free(ssl);
	return io;
}

Test(layer, a_client_without_a_certificate)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	cr_expect_eq(meet(ctx), RPC_IO_REFUSED);
	SSL_CTX_free(ctx);
}

Test(layer, a_certificate_that_nobody_gave_us)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = rpc_cert_make(key, 60);

	cr_assert_eq(SSL_CTX_use_certificate(ctx, cert), 1);
	cr_assert_eq(SSL_CTX_use_PrivateKey(ctx, key), 1);
	cr_expect_eq(meet(ctx), RPC_IO_REFUSED);
	X509_free(cert);
	EVP_PKEY_free(key);
	SSL_CTX_free(ctx);
}

Test(layer, an_older_protocol)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	cr_assert_eq(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
	cr_expect_eq(meet(ctx), RPC_IO_BROKEN);
	SSL_CTX_free(ctx);
}

/* A server that is an enemy: its certificate is not the one we know. */
Test(layer, a_server_that_nobody_gave_us)
{
	AvfRpcTls *stranger = AvfRpcTls_new();
	enum rpc_io io = RPC_IO_WANT_READ;

	cr_assert_eq(AvfRpcTls_makeSelfSigned(stranger, 60), STATUS_OK);
	rpc_tls_ops.close(layers[1]);
	layers[1] = rpc_tls_ops.open(stranger, fds[1], true);
	for (int i = 0; i < 20 && io == RPC_IO_WANT_READ; i++) {
		io = rpc_tls_ops.handshake(layers[0]);
		(void)rpc_tls_ops.handshake(layers[1]);
	}
	cr_expect_eq(io, RPC_IO_REFUSED);
	AvfRpcTls_free(stranger);
}

/* The kernel's; oom/test_rpc_tls has each allocation of OpenSSL's. */
Test(layer, memory_runs_out)
{
	static const struct {
		int error;
		enum rpc_io io;
	} rows[] = {
		{ENOMEM, RPC_IO_NO_MEMORY},
		{ECONNRESET, RPC_IO_END},
		{EIO, RPC_IO_BROKEN},
		{EAGAIN, RPC_IO_WANT_READ},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		void *layer = rpc_tls_ops.open(tls, fds[0], false);

		error = rows[i].error;
		cr_expect_eq(rpc_tls_ops.handshake(layer), rows[i].io, "%d",
			     rows[i].error);
		cr_expect_eq(ERR_peek_error(), 0);
		rpc_tls_ops.close(layer);
	}
}
