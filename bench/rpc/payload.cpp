/* The same service and the same bare echo on two vsock ports of a guest. */
#include "service.h"
#include "echo.h"

#include <android/binder_rpc_unstable.h>
#include <avf/vm_payload.h>

#include <sys/socket.h>

#include <linux/vm_sockets.h>

int AVmPayload_main(void)
{
	auto service = ndk::SharedRefBase::make<Bench>();
	ARpcServer *server = ARpcServer_newVsock(service->asBinder().get(),
						 VMADDR_CID_HOST, RPC_PORT);
	struct sockaddr_vm address = {};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	address.svm_family = AF_VSOCK;
	address.svm_cid = VMADDR_CID_ANY;
	address.svm_port = ECHO_PORT;
	if (!server || bind(fd, reinterpret_cast<struct sockaddr *>(&address),
			    sizeof(address)) < 0)
		return 1;
	if (echo_serve(fd) < 0)
		return 2;
	AvfRpcServer_setMaxThreads(server, 4);
	AVmPayload_notifyPayloadReady();
	ARpcServer_join(server);
	return 0;
}
