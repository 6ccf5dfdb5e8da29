/* A payload that serves com.example.ITest to the host. */
#include "test_service.h"

#include <avf/rpc.h>
#include <avf/vm_payload.h>

static constexpr uint32_t PORT = 5678;

int AVmPayload_main(void)
{
	auto service = ndk::SharedRefBase::make<TestService>();

	AVmPayload_runVsockRpcServer(
		service->asBinder().get(), PORT,
		[](void *) { AVmPayload_notifyPayloadReady(); }, nullptr);
}
