/* Sockets to connect and to listen on. Each returns an fd that the caller
 * owns, or an error of AVF_ERR_* with its text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/error.h"

#define RPC_BACKLOG 50

/* An address of any family. */
struct rpc_address {
	socklen_t size;
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
	} u;
};

int rpc_address_unix(const char *path, struct rpc_address *ret) MUST_CHECK;
/** @host is numeric. */
int rpc_address_inet(const char *host, unsigned int port,
		     struct rpc_address *ret) MUST_CHECK;
void rpc_address_vsock(unsigned int cid, unsigned int port,
		       struct rpc_address *ret);

int rpc_socket_connect(const struct rpc_address *address) MUST_CHECK;
int rpc_socket_bind(const struct rpc_address *address) MUST_CHECK;

/** Calls on one another do not wait for each other's bytes. No effect on
 * other families. */
void rpc_socket_no_delay(int fd);

/** Whether descriptors can cross it: it is a Unix socket. TCP takes the message
 * and drops them without a word. */
bool rpc_socket_carries_fds(int fd);

/** Make a socketpair, keep one end and pass the other one over @bootstrap. */
int rpc_socket_bootstrap(int bootstrap) MUST_CHECK;
/** Take the other end. Errors: AVF_ERR_CLOSED (the end), AVF_ERR_PROTOCOL (a
 * message without exactly one descriptor; the next one may be better). */
int rpc_socket_accept_bootstrap(int bootstrap) MUST_CHECK;
