/**
 * @file binder_rpc_unstable.h
 * Objects across sockets: Android's RPC binder, wire versions 0 to 2.
 *
 * The functions of Android's header of this name, as C, and below them ours,
 * whose names start with Avf. Any thread may call them; a server or a session
 * is configured by one thread, before it is started or connected.
 *
 * Bare sockets carry neither authentication nor encryption, TLS does:
 * binder_rpc_tls.h. A peer is not trusted: whatever it sends, it ends its own
 * session at most.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <android/binder_ibinder.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/** Accepts connections and serves one object, the root, to each session. */
typedef struct ARpcServer ARpcServer;
/** The client's side of a session. */
typedef struct ARpcSession ARpcSession;

#ifndef AVF_NO_RPC_FD_MODES /* binder_rpc_unstable.hpp has its own */
/** Whether file descriptors travel in parcels. */
typedef enum {
	ARpcSession_FileDescriptorTransportMode_None = 0,
	/** Unix sockets only. */
	ARpcSession_FileDescriptorTransportMode_Unix = 1,
	/** Not supported: refused. */
	ARpcSession_FileDescriptorTransportMode_Trusty = 2,
} ARpcSession_FileDescriptorTransportMode;
#endif

/* ---- servers --------------------------------------------------------------
 */

/*
 * The constructors keep a reference to @root, which may be NULL. They return
 * NULL when the socket cannot be made. A descriptor is taken, also then. A
 * server listens from here on, and accepts after ARpcServer_start() or
 * ARpcServer_join().
 */

/** @port of vsock; @cid VMADDR_CID_ANY accepts any peer, VMADDR_CID_LOCAL
 * listens on the loopback, any other one is the only peer that may connect. */
ARpcServer *ARpcServer_newVsock(AIBinder *root, unsigned int cid,
				unsigned int port);
/** A stream socket that is bound already; this calls listen(). Takes @fd. */
ARpcServer *ARpcServer_newBoundSocket(AIBinder *root, int fd);
/** One end of a socketpair through which the client passes the descriptors
 * of its connections. Takes @fd. */
ARpcServer *ARpcServer_newUnixDomainBootstrap(AIBinder *root, int fd);
/** A numeric IPv4 or IPv6 address @host and a @port. */
ARpcServer *ARpcServer_newInet(AIBinder *root, const char *host,
			       unsigned int port);

/** What clients may choose; default: None alone. Unknown modes are ignored.
 * Before the start. */
void ARpcServer_setSupportedFileDescriptorTransportModes(
	ARpcServer *server,
	const ARpcSession_FileDescriptorTransportMode modes[],
	size_t modes_len);

/** Accept connections on a thread of its own. */
void ARpcServer_start(ARpcServer *server);
/** Accept connections on this thread until ARpcServer_shutdown(). */
void ARpcServer_join(ARpcServer *server);
/**
 * Stop accepting, end all sessions, wait for their threads. From a method of
 * one of its own objects it waits for all threads but the calling one.
 * Returns false when the server was not started.
 */
bool ARpcServer_shutdown(ARpcServer *server);
/** Shut down, and free. NULL is allowed. Not while ARpcServer_join() runs. */
void ARpcServer_free(ARpcServer *server);

/* ---- clients --------------------------------------------------------------
 */

/** A session that is not connected yet. NULL without memory. */
ARpcSession *ARpcSession_new(void);
/** Free the handle. The session itself lives as long as it has objects. */
void ARpcSession_free(ARpcSession *handle);

/** Default: None. Before the connection. Unix needs a Unix socket: with another
 * one ARpcSession_setup…() fails with STATUS_INVALID_OPERATION, and a server
 * whose socket is none refuses the client. */
void ARpcSession_setFileDescriptorTransportMode(
	ARpcSession *handle, ARpcSession_FileDescriptorTransportMode mode);
/** Threads that serve the server's calls. Default: 0. Before the connection. */
void ARpcSession_setMaxIncomingThreads(ARpcSession *handle, size_t threads);
/** Connections on which threads of ours can call at once, at most as many as
 * the server has threads. Default: 10. Before the connection. */
void ARpcSession_setMaxOutgoingConnections(ARpcSession *handle,
					   size_t connections);

/*
 * Connect, once per session. Blocks. Returns the server's root object with a
 * reference for the caller, NULL when there is none or the connection failed
 * (AvfRpcSession_getError() says how).
 */

AIBinder *ARpcSession_setupVsockClient(ARpcSession *handle, unsigned int cid,
				       unsigned int port);
/** @name is the path of a Unix socket. */
AIBinder *ARpcSession_setupUnixDomainClient(ARpcSession *handle,
					    const char *name);
/** @fd is the other end of ARpcServer_newUnixDomainBootstrap(); duplicated. */
AIBinder *ARpcSession_setupUnixDomainBootstrapClient(ARpcSession *handle,
						     int fd);
AIBinder *ARpcSession_setupInet(ARpcSession *handle, const char *address,
				unsigned int port);
/**
 * @request_fd is called for each connection, during this call only, and
 * returns a connected stream socket, which is taken, or -1.
 */
AIBinder *ARpcSession_setupPreconnectedClient(ARpcSession *handle,
					      int (*request_fd)(void *param),
					      void *param);

/* ---- ours -----------------------------------------------------------------
 */

/** As ARpcServer_newBoundSocket(), at the path @path of a Unix socket, which
 * must not exist. The file remains after the server's end. */
ARpcServer *AvfRpcServer_newUnixDomain(AIBinder *root, const char *path);

/** Connections per session on which clients can call. Default: 1. */
void AvfRpcServer_setMaxThreads(ARpcServer *server, size_t threads);

/** The highest wire version to agree to: 0 (Android 13), 1 (14 and 15) or 2
 * (16). Default: 1. Returns false for one that does not exist. */
bool AvfRpcServer_setProtocolVersion(ARpcServer *server, uint32_t version);
/** The same for a client. */
bool AvfRpcSession_setProtocolVersion(ARpcSession *handle, uint32_t version);

/** Whether a peer may connect. Called before anything of it is read, on the
 * accepting thread. */
typedef bool (*AvfRpcServer_connectionFilter)(const struct sockaddr *address,
					      socklen_t address_len,
					      void *cookie);
void AvfRpcServer_setConnectionFilter(ARpcServer *server,
				      AvfRpcServer_connectionFilter filter,
				      void *cookie);

/** Make the root object of one session: the caller owns a reference to the
 * result. Called once per session with its first connection's peer. */
typedef AIBinder *(*AvfRpcServer_rootFactory)(const struct sockaddr *address,
					      socklen_t address_len,
					      void *cookie);
void AvfRpcServer_setPerSessionRoot(ARpcServer *server,
				    AvfRpcServer_rootFactory factory,
				    void *cookie);

/** How long a peer may take until it has said who it is. Default: 10,000.
 * 0: for ever. Milliseconds. */
void AvfRpcServer_setHandshakeTimeout(ARpcServer *server, uint32_t ms);
/** Connections whose peer has not said yet who it is; more are closed at
 * once. Default: 64. */
void AvfRpcServer_setMaxPendingConnections(ARpcServer *server, size_t max);

/**
 * How long a peer may leave a call of ours without an answer. When the time
 * is up the call fails with STATUS_TIMED_OUT and the session ends: a late
 * answer could not be told from the answer to the next call. Default 0: for
 * ever. Milliseconds.
 */
void AvfRpcServer_setCallTimeout(ARpcServer *server, uint32_t ms);
/** The same for a client. */
void AvfRpcSession_setCallTimeout(ARpcSession *handle, uint32_t ms);

/**
 * How long connecting may take, all connections of the session and the first
 * calls together, TLS too. When the time is up ARpcSession_setup…() returns
 * NULL and AvfRpcSession_getError() says STATUS_TIMED_OUT. What the system
 * takes for connect() itself, and @request_fd, are not interrupted. Default 0:
 * for ever. Milliseconds.
 */
void AvfRpcSession_setConnectTimeout(ARpcSession *handle, uint32_t ms);

/** The largest frame that is accepted, in bytes. Default: 614,400. */
void AvfRpcServer_setMaxFrameSize(ARpcServer *server, uint32_t bytes);
/** The same for a client. */
void AvfRpcSession_setMaxFrameSize(ARpcSession *handle, uint32_t bytes);

/** Sessions that exist. */
size_t AvfRpcServer_countSessions(ARpcServer *server);

/** Why the connection failed, STATUS_OK when it did not. */
binder_status_t AvfRpcSession_getError(const ARpcSession *handle);
/** The wire version that was agreed on. */
uint32_t AvfRpcSession_getProtocolVersion(const ARpcSession *handle);
/** Objects in the session's table: both sides' that the other one knows. For
 * tests: what should be freed, and is not, is still counted here. */
size_t AvfRpcSession_countObjects(const ARpcSession *handle);
/**
 * End the session now: its objects are dead, recipients are called. With
 * @wait, returns when its threads have ended (all but the calling one).
 */
void AvfRpcSession_shutdown(ARpcSession *handle, bool wait);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
