/* RPC binder between the host and a VM. */
#include <avf/rpc.h>

#include <stdlib.h>
#include <sys/socket.h>

#include <linux/vm_sockets.h>

#include <android/binder_rpc_unstable.h>

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

int avf_vm_connect_rpc(avf_vm *vm, uint32_t port, int timeout_ms,
		       AIBinder **ret_root)
{
	struct vm_port to = {.vm = vm, .port = port, .timeout_ms = timeout_ms};
	ARpcSession *session;
	AIBinder *root;

	if (!avf_vm_connect)
		return AVF_ERR_UNSUPPORTED;
	session = ARpcSession_new();
	if (!session)
		return AVF_ERR_NO_MEMORY;
	root = ARpcSession_setupPreconnectedClient(session, connect_vm, &to);
	ARpcSession_free(session);
	if (to.rc < 0)
		return to.rc;
	if (!root)
		return AVF_ERR_PROTOCOL;
	*ret_root = root;
	return 0;
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
