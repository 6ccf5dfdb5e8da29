/**
 * @file binder_rpc_tls.h
 * TLS for sessions of binder_rpc_unstable.h, as Android's. Not an Android
 * header. In libvirtualization-binder-tls, a library of its own, which needs
 * OpenSSL.
 *
 * TLS 1.3 at least. Both sides show a certificate, and each accepts exactly
 * those that it was given before, byte for byte: there is no chain, no name
 * and no date. What is accepted is thus what the application has exchanged by
 * other means. Each connection of a session makes a handshake of its own;
 * nothing is resumed. On a server the handshake counts against its limits of
 * time and number (AvfRpcServer_setHandshakeTimeout(),
 * AvfRpcServer_setMaxPendingConnections()).
 *
 * File descriptors do not travel over TLS, and bootstrap sockets do not take
 * it. A configuration may be shared by servers and sessions, and used by any
 * thread; its own certificate is set before it is shared.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <android/binder_rpc_unstable.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/** A certificate of our own, and the peers' that we accept. */
typedef struct AvfRpcTls AvfRpcTls;

/** How certificates and keys are written down. */
typedef enum {
	/** Text between BEGIN and END; the first block counts. */
	AvfRpcTls_Format_Pem = 0,
	/** Bare bytes, with nothing behind them. */
	AvfRpcTls_Format_Der = 1,
} AvfRpcTls_Format;

/** One without a certificate, which accepts nobody. NULL without memory. */
AvfRpcTls *AvfRpcTls_new(void);

/** Give it up. Servers and sessions that use it keep it. NULL is allowed. */
void AvfRpcTls_free(AvfRpcTls *tls);

/**
 * Make a key and a certificate for it, valid for @seconds from now: EC P-256,
 * SHA-256, O=Android, CN=BinderRPC, as Android's own tests do.
 * Errors: STATUS_BAD_VALUE (0 seconds, or more than 100 years),
 * STATUS_NO_MEMORY, STATUS_INVALID_OPERATION (there is a certificate),
 * STATUS_UNKNOWN_ERROR (OpenSSL cannot).
 */
binder_status_t AvfRpcTls_makeSelfSigned(AvfRpcTls *tls, uint32_t seconds);

/**
 * Use the certificate @bytes and its private key @key_bytes, which must not
 * be encrypted. Copies both.
 * Errors: STATUS_BAD_TYPE (no certificate in this format), STATUS_BAD_VALUE
 * (no unencrypted key in this format), STATUS_PERMISSION_DENIED (the key is
 * another certificate's, or OpenSSL finds one of them too weak),
 * STATUS_NO_MEMORY, STATUS_INVALID_OPERATION (there is a certificate).
 */
binder_status_t AvfRpcTls_setCertificate(AvfRpcTls *tls,
					 AvfRpcTls_Format format,
					 const void *bytes, size_t size,
					 const void *key_bytes,
					 size_t key_size);

/**
 * Write our certificate to @buffer, for the peer to accept. *@size is the
 * room, and becomes the length; a text has no NUL behind it.
 * Errors: STATUS_INVALID_OPERATION (there is none), STATUS_NO_MEMORY (it does
 * not fit: *@size is what it takes; @buffer may be NULL then).
 */
binder_status_t AvfRpcTls_getCertificate(const AvfRpcTls *tls,
					 AvfRpcTls_Format format, void *buffer,
					 size_t *size);

/**
 * Accept the peer that shows this certificate and has its key. At any time,
 * also while servers run: it counts for connections from then on. Copies.
 * Errors: STATUS_BAD_TYPE (no certificate in this format), STATUS_NO_MEMORY.
 */
binder_status_t AvfRpcTls_addTrustedPeer(AvfRpcTls *tls,
					 AvfRpcTls_Format format,
					 const void *bytes, size_t size);

/**
 * Have all connections of @server go through TLS. Before its start.
 * Errors: STATUS_INVALID_OPERATION (a bootstrap server, one that runs, or
 * @tls has no certificate), STATUS_UNEXPECTED_NULL.
 */
binder_status_t AvfRpcServer_setTls(ARpcServer *server, AvfRpcTls *tls);

/**
 * The same for a client, before it connects. When one side does not accept
 * the other, the connection fails and AvfRpcSession_getError() says
 * STATUS_PERMISSION_DENIED, or STATUS_DEAD_OBJECT where the socket lost the
 * server's word about it. Without memory it is STATUS_NO_MEMORY, or one of
 * these two where OpenSSL does not say so.
 */
binder_status_t AvfRpcSession_setTls(ARpcSession *handle, AvfRpcTls *tls);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
