#include <aidl/com/example/BnCalculator.h>
#include <avf/rpc.h>
#include <avf/vm_payload.h>

struct Calculator : aidl::com::example::BnCalculator {
	ndk::ScopedAStatus add(int32_t a, int32_t b, int32_t *sum) override
	{
		*sum = a + b;
		return ndk::ScopedAStatus::ok();
	}
};

int AVmPayload_main(void)
{
	AVmPayload_runVsockRpcServer(
		ndk::SharedRefBase::make<Calculator>()->asBinder().get(), 5678,
		[](void *) { AVmPayload_notifyPayloadReady(); }, nullptr);
}
