/* RPC binder between the host and a VM. */
#include <avf/rpc.h>

#include <stdlib.h>
#include <sys/socket.h>

#include <linux/vm_sockets.h>

#include <android/binder_rpc_unstable.h>

#include "base/checked.h"

/* A payload has this library without libvirtualization, whose function this
 * is; a host program that has an avf_vm has both. */
extern __typeof__(avf_vm_connect) avf_vm_connect __attribute__((weak));

/* What the session dials with. */
struct vm_port {
	avf_vm *vm;
	uint32_t port;
	int timeout_ms;
	int rc; /* of the last connection */
};

static int connect_vm(void *param)
{
	struct vm_port *to = param;
	int fd = -1;

	to->rc = avf_vm_connect(to->vm, to->port, to->timeout_ms, &fd);
	return to->rc < 0 ? -1 : fd;
}

/* Why there is no session. */
static int connect_error(const ARpcSession *session, const struct vm_port *to)
{
	if (to->rc < 0)
		return to->rc;
	switch (AvfRpcSession_getError(session)) {
	case STATUS_TIMED_OUT:
		return AVF_ERR_TIMEOUT;
	case STATUS_NO_MEMORY:
		return AVF_ERR_NO_MEMORY;
	case STATUS_INVALID_OPERATION:
		return AVF_ERR_STATE;
	case STATUS_PERMISSION_DENIED:
		return AVF_ERR_PERMISSION;
	default:
		return AVF_ERR_PROTOCOL;
	}
}

int avf_vm_connect_rpc_session(avf_vm *vm, uint32_t port, int timeout_ms,
			       ARpcSession *session, AIBinder **ret_root)
{
	struct vm_port to = {.vm = vm, .port = port, .timeout_ms = timeout_ms};
	AIBinder *root;

	if (!session)
		return AVF_ERR_INVALID;
	if (!avf_vm_connect)
		return AVF_ERR_UNSUPPORTED;
	/* a guest that accepts and then says nothing has no more time than one
	 * that does not accept */
	if (timeout_ms >= 0)
		AvfRpcSession_setConnectTimeout(session,
						(uint32_t)MAX(timeout_ms, 1));
	root = ARpcSession_setupPreconnectedClient(session, connect_vm, &to);
	if (!root)
		return connect_error(session, &to);
	*ret_root = root;
	return 0;
}

int avf_vm_connect_rpc(avf_vm *vm, uint32_t port, int timeout_ms,
		       AIBinder **ret_root)
{
	ARpcSession *session = ARpcSession_new();
	int rc;

	if (!session)
		return AVF_ERR_NO_MEMORY;
	/* as AVF's connectToVsockServer() has it: callbacks, and deaths */
	ARpcSession_setMaxIncomingThreads(session, 1);
	rc = avf_vm_connect_rpc_session(vm, port, timeout_ms, session,
					ret_root);
	ARpcSession_free(session);
	return rc;
}

void AVmPayload_runVsockRpcServer(AIBinder *service, uint32_t port,
				  void (*on_ready)(void *param), void *param)
{
	ARpcServer *server =
		ARpcServer_newVsock(service, VMADDR_CID_HOST, port);

	if (server) {
		if (on_ready)
			on_ready(param);
		ARpcServer_join(server);
	}
	abort(); /* house: AVF's contract, in a payload */
}
