/* Configurations of TLS: the interface of binder_rpc_tls.h. */
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "rpctls/rpc_tls.h"

#define MAX_SECONDS (100U * 366 * 24 * 3600)

static void bio_free(BIO **bio)
{
	BIO_free(*bio);
}

static void cert_free(X509 **cert)
{
	X509_free(*cert);
}

static void key_free(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

/* ---- who is accepted ---------------------------------------------------- */

static bool is_trusted(AvfRpcTls *tls, const struct rpc_der *der)
{
	const struct rpc_trusted *t;

	(void)pthread_mutex_lock(&tls->lock);
	for (t = tls->trusted; t; t = t->next)
		if (rpc_der_same(&t->der, der))
			break;
	(void)pthread_mutex_unlock(&tls->lock);
	return t != NULL;
}

/* In place of OpenSSL's verification of chains: the peer's own certificate is
 * one that we were given. That it has the key is what the handshake shows. */
static int verify(X509_STORE_CTX *store, void *userdata)
{
	const X509 *leaf = X509_STORE_CTX_get0_cert(store);
	struct rpc_der der = {0};
	bool good;

	good = leaf && rpc_der_of(leaf, &der) && is_trusted(userdata, &der);
	rpc_der_fini(&der);
	/* an error of no other name: the alert is certificate_unknown */
	X509_STORE_CTX_set_error(store, good ? X509_V_OK
					     : X509_V_ERR_NO_EXPLICIT_POLICY);
	return good;
}

/* ---- life --------------------------------------------------------------- */

static bool set_up(AvfRpcTls *tls)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());

	tls->ctx = ctx;
	tls->bio = rpc_tls_bio_new();
	if (!ctx || !tls->bio ||
	    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1)
		return false;
	SSL_CTX_set_verify(
		ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify, tls);
	/* a resumed connection would skip verify() */
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_num_tickets(ctx, 0);
	/* frames have lengths: a missing goodbye hides nothing */
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET |
					       SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_mode(ctx,
			       SSL_MODE_ENABLE_PARTIAL_WRITE |
				       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				       SSL_MODE_RELEASE_BUFFERS);
	return true;
}

AvfRpcTls *AvfRpcTls_new(void)
{
	AvfRpcTls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return NULL;
	tls->refs = 1;
	(void)pthread_mutex_init(&tls->lock, NULL); /* cannot fail */
	if (!set_up(tls)) {
		AvfRpcTls_free(tls);
		return NULL;
	}
	ERR_clear_error();
	return tls;
}

void rpc_tls_ref(AvfRpcTls *tls)
{
	__atomic_fetch_add(&tls->refs, 1, __ATOMIC_RELAXED);
}

void AvfRpcTls_free(AvfRpcTls *tls)
{
	struct rpc_trusted *next;

	if (!tls || __atomic_fetch_sub(&tls->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	for (struct rpc_trusted *t = tls->trusted; t; t = next) {
		next = t->next;
		rpc_der_fini(&t->der);
		free(t);
	}
	SSL_CTX_free(tls->ctx);
	BIO_meth_free(tls->bio);
	ERR_clear_error(); /* it asks for memory even here */
	(void)pthread_mutex_destroy(&tls->lock);
	free(tls);
}

/* ---- our own certificate ------------------------------------------------ */

static binder_status_t use(AvfRpcTls *tls, X509 *cert, EVP_PKEY *key)
{
	if (SSL_CTX_use_certificate(tls->ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(tls->ctx, key) != 1 ||
	    SSL_CTX_check_private_key(tls->ctx) != 1)
		return rpc_tls_error(STATUS_PERMISSION_DENIED);
	ERR_clear_error();
	return STATUS_OK;
}

static bool has_certificate(const AvfRpcTls *tls)
{
	return SSL_CTX_get0_certificate(tls->ctx) &&
	       SSL_CTX_get0_privatekey(tls->ctx);
}

binder_status_t AvfRpcTls_makeSelfSigned(AvfRpcTls *tls, uint32_t seconds)
{
	CLEANUP(key_free) EVP_PKEY *key = NULL;
	CLEANUP(cert_free) X509 *cert = NULL;

	if (seconds == 0 || seconds > MAX_SECONDS)
		return STATUS_BAD_VALUE;
	if (has_certificate(tls))
		return STATUS_INVALID_OPERATION;
	rpc_tls_begin();
	key = EVP_EC_gen("P-256");
	cert = key ? rpc_cert_make(key, seconds) : NULL;
	return cert ? use(tls, cert, key) : rpc_tls_error(STATUS_UNKNOWN_ERROR);
}

binder_status_t AvfRpcTls_setCertificate(AvfRpcTls *tls,
					 AvfRpcTls_Format format,
					 const void *bytes, size_t size,
					 const void *key_bytes, size_t key_size)
{
	CLEANUP(cert_free) X509 *cert = NULL;
	CLEANUP(key_free) EVP_PKEY *key = NULL;

	if (has_certificate(tls))
		return STATUS_INVALID_OPERATION;
	rpc_tls_begin();
	cert = rpc_cert_read(format, bytes, size);
	if (!cert)
		return rpc_tls_error(STATUS_BAD_TYPE);
	key = rpc_key_read(format, key_bytes, key_size);
	if (!key)
		return rpc_tls_error(STATUS_BAD_VALUE);
	return use(tls, cert, key);
}

binder_status_t AvfRpcTls_getCertificate(const AvfRpcTls *tls,
					 AvfRpcTls_Format format, void *buffer,
					 size_t *size)
{
	CLEANUP(bio_free) BIO *bio = NULL;
	X509 *cert = SSL_CTX_get0_certificate(tls->ctx);
	size_t room = *size;
	char *text;
	int rc = 0;

	if (!cert)
		return STATUS_INVALID_OPERATION;
	bio = BIO_new(BIO_s_mem());
	if (bio)
		rc = format == AvfRpcTls_Format_Pem
			     ? PEM_write_bio_X509(bio, cert)
			     : i2d_X509_bio(bio, cert);
	ERR_clear_error();
	if (rc != 1)
		return STATUS_NO_MEMORY;
	*size = (size_t)BIO_get_mem_data(bio, &text);
	if (*size > room)
		return STATUS_NO_MEMORY;
	memcpy(buffer, text, *size);
	return STATUS_OK;
}

binder_status_t AvfRpcTls_addTrustedPeer(AvfRpcTls *tls,
					 AvfRpcTls_Format format,
					 const void *bytes, size_t size)
{
	CLEANUP(free_p) struct rpc_trusted *trusted = NULL;
	CLEANUP(cert_free) X509 *cert = NULL;

	rpc_tls_begin();
	cert = rpc_cert_read(format, bytes, size);
	if (!cert)
		return rpc_tls_error(STATUS_BAD_TYPE);
	trusted = calloc(1, sizeof(*trusted));
	if (!trusted || !rpc_der_of(cert, &trusted->der))
		return rpc_tls_error(STATUS_NO_MEMORY);
	ERR_clear_error();
	(void)pthread_mutex_lock(&tls->lock);
	trusted->next = tls->trusted;
	tls->trusted = TAKE_PTR(trusted);
	(void)pthread_mutex_unlock(&tls->lock);
	return STATUS_OK;
}

/* ---- who uses it -------------------------------------------------------- */

binder_status_t AvfRpcServer_setTls(ARpcServer *server, AvfRpcTls *tls)
{
	if (!server || !tls)
		return STATUS_UNEXPECTED_NULL;
	if (!has_certificate(tls))
		return STATUS_INVALID_OPERATION;
	return rpc_server_set_transport(server, &rpc_tls_ops, tls);
}

binder_status_t AvfRpcSession_setTls(ARpcSession *handle, AvfRpcTls *tls)
{
	if (!handle || !tls)
		return STATUS_UNEXPECTED_NULL;
	if (!has_certificate(tls))
		return STATUS_INVALID_OPERATION;
	return rpc_client_set_transport(handle, &rpc_tls_ops, tls);
}
