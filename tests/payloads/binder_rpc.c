/*
 * Servers of the tests that port binderRpcTest (tests/support/rpc_served.h):
 * each connection to the control port is one.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include <avf/vm_payload.h>

#include "support/rpc_served.h"

static bool take(int fd, void *data, size_t size)
{
	return recv(fd, data, size, MSG_WAITALL) == (ssize_t)size;
}

static bool give(int fd, int64_t value)
{
	return send(fd, &value, sizeof(value), MSG_NOSIGNAL) == sizeof(value);
}

/* Answer until the test stops the server, or goes. */
static void answer(struct rpc_served *served, int fd)
{
	struct rpc_server_query query;
	int64_t value;

	while (take(fd, &query, sizeof(query)) && query.question != RPC_STOP) {
		value = rpc_served_answer(served,
					  (enum rpc_question)query.question,
					  query.argument);
		if (!give(fd, value))
			break;
	}
	give(fd, rpc_served_stop(served));
}

static void *serve(void *data)
{
	int fd = (int)(intptr_t)data;
	struct rpc_server_order order;
	struct rpc_served served = {.server = NULL};

	if (take(fd, &order, sizeof(order))) {
		served.root = order.options.no_root ? NULL : service_new();
		served.server = ARpcServer_newVsock(
			served.root, VMADDR_CID_HOST, order.port);
	}
	if (served.server) {
		give(fd, rpc_served_start(&served, &order.options) ? 0 : -1);
		answer(&served, fd);
	} else {
		AIBinder_decStrong(served.root);
		give(fd, -1);
	}
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
