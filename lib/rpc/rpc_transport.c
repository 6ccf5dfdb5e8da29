#include "rpc/rpc_transport.h"

#include "rpc/rpc_client.h"
#include "rpc/rpc_server.h"

binder_status_t rpc_io_error(enum rpc_io io)
{
	switch (io) {
	case RPC_IO_REFUSED:
		return STATUS_PERMISSION_DENIED;
	case RPC_IO_NO_MEMORY:
		return STATUS_NO_MEMORY;
	default:
		return STATUS_DEAD_OBJECT;
	}
}

void rpc_transport_set(struct rpc_transport *transport,
		       const struct rpc_transport_ops *ops, void *config)
{
	const struct rpc_transport old = *transport;

	if (ops)
		ops->ref(config);
	transport->ops = ops;
	transport->config = config;
	if (old.ops)
		old.ops->unref(old.config);
}

void rpc_transport_fini(struct rpc_transport *transport)
{
	rpc_transport_set(transport, NULL, NULL);
}

/* Connections that are passed over a bootstrap socket are as safe as that
 * one; Android does not have the combination, and neither have we. */
binder_status_t rpc_server_set_transport(ARpcServer *server,
					 const struct rpc_transport_ops *ops,
					 void *config)
{
	bool started;

	(void)pthread_mutex_lock(&server->lock);
	started = server->started;
	(void)pthread_mutex_unlock(&server->lock);
	if (started || server->bootstrap)
		return STATUS_INVALID_OPERATION;
	rpc_transport_set(&server->transport, ops, config);
	return STATUS_OK;
}

binder_status_t rpc_client_set_transport(ARpcSession *handle,
					 const struct rpc_transport_ops *ops,
					 void *config)
{
	if (handle->session)
		return STATUS_INVALID_OPERATION;
	rpc_transport_set(&handle->transport, ops, config);
	return STATUS_OK;
}
