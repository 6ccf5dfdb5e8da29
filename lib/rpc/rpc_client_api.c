/* The interface of clients: binder_rpc_unstable.h. */
#include <stdlib.h>

#include "rpc/rpc_client.h"

#define DEFAULT_OUTGOING 10U

static int dial_address(const struct dialer *dialer)
{
	return rpc_socket_connect(&dialer->address);
}

static int dial_bootstrap(const struct dialer *dialer)
{
	return rpc_socket_bootstrap(dialer->bootstrap);
}

static int dial_preconnected(const struct dialer *dialer)
{
	return dialer->request(dialer->param);
}

ARpcSession *ARpcSession_new(void)
{
	ARpcSession *handle = calloc(1, sizeof(*handle));

	if (!handle)
		return NULL;
	handle->settings.version = RPC_VERSION_DEFAULT;
	handle->settings.max_frame = RPC_MAX_FRAME_DEFAULT;
	handle->max_outgoing = DEFAULT_OUTGOING;
	return handle;
}

void ARpcSession_free(ARpcSession *handle)
{
	if (!handle)
		return;
	/* a socket that is closed with something unread in it resets the
	 * connection, and may take along what the server has not read */
	if (handle->session)
		rpc_drain_idle(handle->session);
	rpc_session_unuse(handle->session);
	rpc_transport_fini(&handle->transport);
	free(handle);
}

void ARpcSession_setFileDescriptorTransportMode(
	ARpcSession *handle, ARpcSession_FileDescriptorTransportMode mode)
{
	handle->fd_mode = (uint8_t)mode;
}

void ARpcSession_setMaxIncomingThreads(ARpcSession *handle, size_t threads)
{
	handle->settings.max_threads = threads;
}

void ARpcSession_setMaxOutgoingConnections(ARpcSession *handle,
					   size_t connections)
{
	handle->max_outgoing = connections > 0 ? connections : 1;
}

AIBinder *ARpcSession_setupVsockClient(ARpcSession *handle, unsigned int cid,
				       unsigned int port)
{
	struct dialer dialer = {.dial = dial_address};

	rpc_address_vsock(cid, port, &dialer.address);
	return rpc_client_set_up(handle, &dialer);
}

AIBinder *ARpcSession_setupUnixDomainClient(ARpcSession *handle,
					    const char *name)
{
	struct dialer dialer = {.dial = dial_address};

	if (rpc_address_unix(name, &dialer.address) < 0) {
		handle->error = STATUS_BAD_VALUE;
		return NULL;
	}
	return rpc_client_set_up(handle, &dialer);
}

AIBinder *ARpcSession_setupUnixDomainBootstrapClient(ARpcSession *handle,
						     int fd)
{
	/* connections are made during this call only: borrowing is enough */
	const struct dialer dialer = {.dial = dial_bootstrap, .bootstrap = fd};

	if (handle->transport.ops) {
		handle->error = STATUS_INVALID_OPERATION;
		return NULL;
	}
	return rpc_client_set_up(handle, &dialer);
}

AIBinder *ARpcSession_setupInet(ARpcSession *handle, const char *address,
				unsigned int port)
{
	struct dialer dialer = {.dial = dial_address};

	if (rpc_address_inet(address, port, &dialer.address) < 0) {
		handle->error = STATUS_BAD_VALUE;
		return NULL;
	}
	return rpc_client_set_up(handle, &dialer);
}

AIBinder *ARpcSession_setupPreconnectedClient(ARpcSession *handle,
					      int (*request_fd)(void *param),
					      void *param)
{
	const struct dialer dialer = {.dial = dial_preconnected,
				      .request = request_fd,
				      .param = param};

	return rpc_client_set_up(handle, &dialer);
}

bool AvfRpcSession_setProtocolVersion(ARpcSession *handle, uint32_t version)
{
	if (version > RPC_VERSION_MAX)
		return false;
	handle->settings.version = version;
	return true;
}

void AvfRpcSession_setCallTimeout(ARpcSession *handle, uint32_t ms)
{
	handle->settings.call_timeout_ms = ms;
}

void AvfRpcSession_setConnectTimeout(ARpcSession *handle, uint32_t ms)
{
	handle->connect_timeout_ms = ms;
}

void AvfRpcSession_setMaxFrameSize(ARpcSession *handle, uint32_t bytes)
{
	handle->settings.max_frame = bytes;
}

binder_status_t AvfRpcSession_getError(const ARpcSession *handle)
{
	return handle->error;
}

uint32_t AvfRpcSession_getProtocolVersion(const ARpcSession *handle)
{
	return handle->session ? handle->session->settings.version
			       : handle->settings.version;
}

size_t AvfRpcSession_countObjects(const ARpcSession *handle)
{
	if (!handle->session)
		return 0;
	rpc_drain_idle(handle->session);
	return rpc_table_count(&handle->session->table);
}

void AvfRpcSession_shutdown(ARpcSession *handle, bool wait)
{
	if (!handle->session)
		return;
	rpc_session_end(handle->session);
	if (wait)
		rpc_session_wait(handle->session);
}
