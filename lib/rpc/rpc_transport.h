/*
 * A layer between a connection and its socket: TLS, which is in a library of
 * its own, so that a payload and the guest's manager need not have OpenSSL.
 *
 * A layer is one connection's and used by its owner alone; its configuration
 * is shared. Nothing here blocks: the connection waits for the socket.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* What came of an attempt. After the last four a layer is of no use. */
enum rpc_io {
	RPC_IO_DONE,
	RPC_IO_WANT_READ, /* when the socket can be read, the same again */
	RPC_IO_WANT_WRITE,
	RPC_IO_END,     /* the peer has closed it */
	RPC_IO_BROKEN,  /* an error of the socket or of the layer */
	RPC_IO_REFUSED, /* one side does not accept the other */
	RPC_IO_NO_MEMORY,
};

/** What a call ends with that met one of the last four. */
int rpc_io_error(enum rpc_io io);

struct rpc_transport_ops {
	void (*ref)(void *config);
	void (*unref)(void *config);

	/** A layer over @fd, which stays the connection's. NULL: no memory. */
	void *(*open)(void *config, int fd, bool is_server);
	/** NULL is allowed. Before @fd is closed. */
	void (*close)(void *layer);
	/** Until it is done nothing else is called. */
	enum rpc_io (*handshake)(void *layer);
	/** Up to @size bytes, at least one. */
	enum rpc_io (*read)(void *layer, void *bytes, size_t size,
			    size_t *ret_count);
	/** Some of @parts. After RPC_IO_WANT_* the same parts come again. */
	enum rpc_io (*write)(void *layer, const struct iovec *parts,
			     size_t n_parts, size_t *ret_count);
	/** Whether bytes are here that the socket does not show any more. */
	bool (*has_input)(const void *layer);
	/** Whether read() would give bytes, the end or an error; what is not
	 * the application's is taken off the socket. */
	bool (*is_readable)(void *layer);
};

/* How connections are made; all of it NULL: by the bare socket. */
struct rpc_transport {
	const struct rpc_transport_ops *ops;
	void *config; /* owned: a reference */
};

/** Take a reference in place of the one that is there. */
void rpc_transport_set(struct rpc_transport *transport,
		       const struct rpc_transport_ops *ops, void *config);
void rpc_transport_fini(struct rpc_transport *transport);

/*
 * The two doors through which the library of TLS comes in, exported for it
 * alone. STATUS_INVALID_OPERATION: a bootstrap socket, a server that runs, a
 * session that is connected.
 */
struct ARpcServer;
struct ARpcSession;

__attribute__((visibility("default"))) int rpc_server_set_transport(
	struct ARpcServer *server, const struct rpc_transport_ops *ops,
	void *config);
__attribute__((visibility("default"))) int rpc_client_set_transport(
	struct ARpcSession *handle, const struct rpc_transport_ops *ops,
	void *config);
