/*
 * Servers of the tests that port binderRpcTest (tests/support/rpc_served.h):
 * each connection to the control port is one.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include <avf/vm_payload.h>

#include <android/binder_rpc_tls.h>

#include "support/rpc_served.h"

static bool take(int fd, void *data, size_t size)
{
	return recv(fd, data, size, MSG_WAITALL) == (ssize_t)size;
}

static bool give(int fd, int64_t value)
{
	return send(fd, &value, sizeof(value), MSG_NOSIGNAL) == sizeof(value);
}

/* ---- TLS
 * ------------------------------------------------------------------------- */

/* More than a certificate has. */
#define ROOM 4096

/* The server's own certificate, or NULL without TLS. */
static AvfRpcTls *new_tls(const struct rpc_server_options *options)
{
	AvfRpcTls *tls = options->tls ? AvfRpcTls_new() : NULL;

	if (tls && AvfRpcTls_makeSelfSigned(tls, 3600) == STATUS_OK)
		return tls;
	AvfRpcTls_free(tls);
	return NULL;
}

static bool show_certificate(const AvfRpcTls *tls, int fd)
{
	char bytes[ROOM];
	size_t size = sizeof(bytes);

	if (!tls || AvfRpcTls_getCertificate(tls, AvfRpcTls_Format_Der, bytes,
					     &size) != STATUS_OK)
		return give(fd, -1);
	return give(fd, (int64_t)size) &&
	       send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool learn_certificate(AvfRpcTls *tls, int64_t size, int fd)
{
	char bytes[ROOM];

	if (!tls || size < 0 || size > ROOM)
		return give(fd, -1);
	return give(fd, 0) && take(fd, bytes, (size_t)size) &&
	       give(fd, AvfRpcTls_addTrustedPeer(tls, AvfRpcTls_Format_Der,
						 bytes, (size_t)size));
}

/* ---- a server
 * ------------------------------------------------------------------------- */

static bool answer_one(struct rpc_served *served, AvfRpcTls *tls,
		       const struct rpc_server_query *query, int fd)
{
	switch (query->question) {
	case RPC_CERTIFICATE:
		return show_certificate(tls, fd);
	case RPC_TRUST:
		return learn_certificate(tls, query->argument, fd);
	default:
		return give(fd,
			    rpc_served_answer(
				    served, (enum rpc_question)query->question,
				    query->argument));
	}
}

/* Answer until the test stops the server, or goes. */
static void answer(struct rpc_served *served, AvfRpcTls *tls, int fd)
{
	struct rpc_server_query query;

	while (take(fd, &query, sizeof(query)) && query.question != RPC_STOP)
		if (!answer_one(served, tls, &query, fd))
			break;
	give(fd, rpc_served_stop(served));
}

/* Make the server that @order asks for. False: there is none that does. */
static bool start(struct rpc_served *served, AvfRpcTls *tls,
		  const struct rpc_server_order *order)
{
	if (order->options.tls && !tls)
		return false;
	served->root = order->options.no_root ? NULL : service_new();
	served->server =
		ARpcServer_newVsock(served->root, VMADDR_CID_HOST, order->port);
	if (!served->server) {
		AIBinder_decStrong(served->root);
		return false;
	}
	if ((tls && AvfRpcServer_setTls(served->server, tls) != STATUS_OK) ||
	    !rpc_served_start(served, &order->options)) {
		(void)rpc_served_stop(served);
		return false;
	}
	return true;
}

static void *serve(void *data)
{
	int fd = (int)(intptr_t)data;
	struct rpc_server_order order;
	struct rpc_served served = {.server = NULL};
	AvfRpcTls *tls = NULL;

	if (take(fd, &order, sizeof(order))) {
		tls = new_tls(&order.options);
		if (!start(&served, tls, &order))
			give(fd, -1);
		else if (give(fd, 0))
			answer(&served, tls, fd);
		else
			(void)rpc_served_stop(&served);
	}
	AvfRpcTls_free(tls);
	close(fd);
	return NULL;
}

int AVmPayload_main(void)
{
	const struct sockaddr_vm here = {.svm_family = AF_VSOCK,
					 .svm_cid = VMADDR_CID_ANY,
					 .svm_port = RPC_CONTROL_PORT};
	int listener = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pthread_t thread;
	int fd;

	if (bind(listener, (const struct sockaddr *)&here, sizeof(here)) < 0 ||
	    listen(listener, 8) < 0)
		return 1;
	AVmPayload_notifyPayloadReady();
	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 || pthread_create(&thread, NULL, serve,
					     (void *)(intptr_t)fd) != 0)
			return 2;
		pthread_detach(thread);
	}
}
