#include "vmservice/payload_service.h"

#include "vmservice/aidl_end.h"

#define DESCRIPTOR "android.system.virtualization.payload.IVmPayloadService"

enum method {
	NOTIFY_PAYLOAD_READY = FIRST_CALL_TRANSACTION,
	LAST_OF_AVF = FIRST_CALL_TRANSACTION + 11,
};

static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	const struct payload_service *service = AIBinder_getUserData(binder);

	(void)in;
	if (code == NOTIFY_PAYLOAD_READY) {
		service->ready(service->userdata);
		return aidl_reply(out, EX_NONE);
	}
	if (code <= LAST_OF_AVF)
		return aidl_reply(out, EX_UNSUPPORTED_OPERATION);
	return STATUS_UNKNOWN_TRANSACTION;
}

static const AIBinder_Class server_class = AIDL_CLASS(DESCRIPTOR, on_transact);

AIBinder *payload_service_new(const struct payload_service *service)
{
	return aidl_new(&server_class, service);
}

int payload_service_ready(AIBinder *service)
{
	const struct aidl_call call = {.target = service,
				       .descriptor = DESCRIPTOR,
				       .name = "notifyPayloadReady",
				       .code = NOTIFY_PAYLOAD_READY};

	return aidl_simple(&call);
}
