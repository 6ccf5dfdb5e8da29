/*
 * What the files of TLS share. The configuration is counted; its context is
 * immutable once it has a certificate, the list of trusted peers has a lock.
 *
 * OpenSSL's queue of errors is the thread's, and may be the application's as
 * well: what is called from outside begins with an empty one, and leaves it
 * empty.
 */
#pragma once

#include <android/binder_rpc_tls.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdbool.h>

#include "rpc/rpc_transport.h"

/* A certificate as bytes: two are the same when these are. */
struct rpc_der {
	unsigned char *bytes; /* owned, by OpenSSL's allocator */
	size_t size;
};

struct rpc_trusted {
	struct rpc_trusted *next;
	struct rpc_der der; /* owned */
};

struct AvfRpcTls {
	uint32_t refs;   /* atomic */
	SSL_CTX *ctx;    /* owned */
	BIO_METHOD *bio; /* owned: how OpenSSL reaches a socket */
	pthread_mutex_t lock;
	struct rpc_trusted *trusted; /* owned, guarded by @lock */
};

/* ---- rpc_tls_cert.c: certificates and keys as bytes */

/** Before calls of OpenSSL whose failure is to be explained. */
void rpc_tls_begin(void);
/** After one that failed: whether memory ran out. Empties the queue. */
bool rpc_tls_no_memory(void);
/** The same: STATUS_NO_MEMORY, or else @otherwise. */
binder_status_t rpc_tls_error(binder_status_t otherwise);

/* Whoever calls these looks for the reason of a failure. */
/** NULL: not a certificate in this format. */
X509 *rpc_cert_read(AvfRpcTls_Format format, const void *bytes, size_t size);
/** NULL: not an unencrypted key in this format. */
EVP_PKEY *rpc_key_read(AvfRpcTls_Format format, const void *bytes, size_t size);
/** A self-signed certificate for @key. NULL: OpenSSL cannot. */
X509 *rpc_cert_make(EVP_PKEY *key, uint32_t seconds);

/** False: no memory. */
bool rpc_der_of(const X509 *cert, struct rpc_der *ret_der);
bool rpc_der_same(const struct rpc_der *a, const struct rpc_der *b);
void rpc_der_fini(struct rpc_der *der);

/* ---- rpc_tls_layer.c: one connection */

extern const struct rpc_transport_ops rpc_tls_ops;

/** How OpenSSL reaches a socket. NULL: no memory. */
BIO_METHOD *rpc_tls_bio_new(void);

/* ---- rpc_tls.c */

void rpc_tls_ref(AvfRpcTls *tls);
