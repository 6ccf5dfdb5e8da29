/*
 * One connection through TLS. OpenSSL has the socket behind a BIO of ours:
 * its own would write without MSG_NOSIGNAL, and a peer that hangs up would
 * end the application.
 */
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "rpctls/rpc_tls.h"

/* Small parts of a message travel in one record. */
#define GATHER_BYTES 4096

struct layer {
	SSL *ssl;       /* owned */
	AvfRpcTls *tls; /* owned: a reference */
	int fd;         /* the connection's */
	bool eof;
	unsigned char gathered[GATHER_BYTES];
};

/* ---- the socket --------------------------------------------------------- */

static int bio_write(BIO *bio, const char *bytes, int size)
{
	const struct layer *layer = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	do {
		n = send(layer->fd, bytes, (size_t)size,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	/* what the kernel has no memory for is tried again, as a full socket */
	if (n < 0 && (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS))
		BIO_set_retry_write(bio);
	return (int)n;
}

static int bio_read(BIO *bio, char *bytes, int size)
{
	struct layer *layer = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	do {
		n = recv(layer->fd, bytes, (size_t)size, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		BIO_set_retry_read(bio);
	/* the peer has closed it before it has read everything */
	if (n < 0 && errno == ECONNRESET)
		n = 0;
	layer->eof = n == 0;
	return (int)n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	const struct layer *layer = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	if (command == BIO_CTRL_EOF)
		return layer->eof;
	return command == BIO_CTRL_FLUSH; /* nothing is kept here */
}

BIO_METHOD *rpc_tls_bio_new(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "rpc");

	if (method && BIO_meth_set_write(method, bio_write) == 1 &&
	    BIO_meth_set_read(method, bio_read) == 1 &&
	    BIO_meth_set_ctrl(method, bio_ctrl) == 1)
		return method;
	BIO_meth_free(method);
	return NULL;
}

/* ---- the layer ---------------------------------------------------------- */

static void layer_close(void *data)
{
	struct layer *layer = data;

	if (!layer)
		return;
	/* no goodbye: the end of the socket is the end */
	SSL_free(layer->ssl);
	AvfRpcTls_free(layer->tls);
	OPENSSL_cleanse(layer->gathered, sizeof(layer->gathered));
	free(layer);
	ERR_clear_error();
}

/* Give @layer its socket. */
static bool attach(struct layer *layer)
{
	BIO *bio = BIO_new(layer->tls->bio);

	if (!bio)
		return false;
	BIO_set_data(bio, layer);
	BIO_set_init(bio, 1);
	SSL_set_bio(layer->ssl, bio, bio); /* takes it */
	return true;
}

static void *layer_open(void *config, int fd, bool is_server)
{
	struct layer *layer = calloc(1, sizeof(*layer));

	if (!layer)
		return NULL;
	layer->tls = config;
	rpc_tls_ref(layer->tls);
	layer->fd = fd;
	layer->ssl = SSL_new(layer->tls->ctx);
	if (!layer->ssl || !attach(layer)) {
		layer_close(layer);
		return NULL;
	}
	if (is_server)
		SSL_set_accept_state(layer->ssl);
	else
		SSL_set_connect_state(layer->ssl);
	return layer;
}

/* Whether OpenSSL's last error is that a side does not accept the other. */
static bool is_refusal(void)
{
	switch (ERR_GET_REASON(ERR_peek_error())) {
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
		return true;
	default:
		return false;
	}
}

/* Why OpenSSL cannot go on. Without memory it may blame the certificate. */
static enum rpc_io failure(const struct layer *layer, int error)
{
	const bool refused = error == SSL_ERROR_SSL && is_refusal();

	if (rpc_tls_no_memory())
		return RPC_IO_NO_MEMORY;
	if (refused)
		return RPC_IO_REFUSED;
	return error != SSL_ERROR_SSL && layer->eof ? RPC_IO_END
						    : RPC_IO_BROKEN;
}

/* What came of an OpenSSL call that returned @rc. */
static enum rpc_io result(const struct layer *layer, int rc)
{
	const int error = SSL_get_error(layer->ssl, rc);
	enum rpc_io io;

	switch (error) {
	case SSL_ERROR_NONE:
		io = RPC_IO_DONE;
		break;
	case SSL_ERROR_WANT_READ:
		io = RPC_IO_WANT_READ;
		break;
	case SSL_ERROR_WANT_WRITE:
		io = RPC_IO_WANT_WRITE;
		break;
	case SSL_ERROR_ZERO_RETURN:
		io = RPC_IO_END;
		break;
	default:
		io = failure(layer, error);
	}
	ERR_clear_error();
	return io;
}

static enum rpc_io layer_handshake(void *data)
{
	const struct layer *layer = data;

	rpc_tls_begin();
	return result(layer, SSL_do_handshake(layer->ssl));
}

static enum rpc_io layer_read(void *data, void *bytes, size_t size,
			      size_t *ret_count)
{
	const struct layer *layer = data;

	rpc_tls_begin();
	return result(layer, SSL_read_ex(layer->ssl, bytes, size, ret_count));
}

/* The first bytes of @parts as one piece: where they are, or gathered. The
 * same parts give the same piece, as OpenSSL wants it of a second attempt. */
static const void *piece(struct layer *layer, const struct iovec *parts,
			 size_t n_parts, size_t *ret_size)
{
	size_t size = 0, n;

	if (n_parts == 1 || parts[0].iov_len >= sizeof(layer->gathered)) {
		*ret_size = parts[0].iov_len;
		return parts[0].iov_base;
	}
	for (size_t i = 0; i < n_parts; i++) {
		n = MIN(parts[i].iov_len, sizeof(layer->gathered) - size);
		memcpy(layer->gathered + size, parts[i].iov_base, n);
		size += n;
	}
	*ret_size = size;
	return layer->gathered;
}

static enum rpc_io layer_write(void *data, const struct iovec *parts,
			       size_t n_parts, size_t *ret_count)
{
	struct layer *layer = data;
	const void *bytes;
	size_t size;

	bytes = piece(layer, parts, n_parts, &size);
	rpc_tls_begin();
	return result(layer, SSL_write_ex(layer->ssl, bytes, size, ret_count));
}

static bool layer_has_input(const void *data)
{
	const struct layer *layer = data;

	return SSL_pending(layer->ssl) > 0;
}

static bool layer_is_readable(void *data)
{
	const struct layer *layer = data;
	unsigned char byte;
	size_t n;

	rpc_tls_begin();
	return result(layer, SSL_peek_ex(layer->ssl, &byte, 1, &n)) !=
	       RPC_IO_WANT_READ;
}

static void config_ref(void *config)
{
	rpc_tls_ref(config);
}

static void config_unref(void *config)
{
	AvfRpcTls_free(config);
}

const struct rpc_transport_ops rpc_tls_ops = {
	.ref = config_ref,
	.unref = config_unref,
	.open = layer_open,
	.close = layer_close,
	.handshake = layer_handshake,
	.read = layer_read,
	.write = layer_write,
	.has_input = layer_has_input,
	.is_readable = layer_is_readable,
};
