#include "vmservice/vm_service.h"

#include "vmservice/aidl_end.h"

#define DESCRIPTOR "android.system.virtualmachineservice.IVirtualMachineService"

/* AVF gives the numbers; those that are not named here are not served. */
enum method {
	REGISTER_GUEST_AGENT = FIRST_CALL_TRANSACTION + 1,
	PAYLOAD_STARTED = FIRST_CALL_TRANSACTION + 2,
	PAYLOAD_READY = FIRST_CALL_TRANSACTION + 3,
	PAYLOAD_FINISHED = FIRST_CALL_TRANSACTION + 4,
	ERROR = FIRST_CALL_TRANSACTION + 5,
	LAST_OF_AVF = FIRST_CALL_TRANSACTION + 11,
};

/* ---- the server -------------------------------------------------------------
 */

static binder_status_t take_agent(const struct vm_service *service,
				  const AParcel *in, AParcel *out)
{
	AIBinder *agent;
	binder_exception_t exception;
	binder_status_t rc = AParcel_readStrongBinder(in, &agent);

	if (rc != STATUS_OK)
		return rc;
	exception = agent ? service->ops->register_guest_agent(
				    service->userdata, agent)
			  : EX_NULL_POINTER;
	AIBinder_decStrong(agent);
	return aidl_reply(out, exception);
}

static binder_status_t take_exit_code(const struct vm_service *service,
				      const AParcel *in, AParcel *out)
{
	int32_t exit_code;
	binder_status_t rc = AParcel_readInt32(in, &exit_code);

	if (rc != STATUS_OK)
		return rc;
	return aidl_reply(out, service->ops->payload_finished(service->userdata,
							      exit_code));
}

static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	const struct vm_service *service = AIBinder_getUserData(binder);

	switch (code) {
	case REGISTER_GUEST_AGENT:
		return take_agent(service, in, out);
	case PAYLOAD_STARTED:
		return aidl_reply(
			out, service->ops->payload_started(service->userdata));
	case PAYLOAD_READY:
		return aidl_reply(
			out, service->ops->payload_ready(service->userdata));
	case PAYLOAD_FINISHED:
		return take_exit_code(service, in, out);
	case ERROR:
		return aidl_serve_number_text(in, out, service->ops->error,
					      service->userdata);
	default:
		if (code <= LAST_OF_AVF)
			return aidl_reply(out, EX_UNSUPPORTED_OPERATION);
		return STATUS_UNKNOWN_TRANSACTION;
	}
}

static const AIBinder_Class server_class = AIDL_CLASS(DESCRIPTOR, on_transact);

AIBinder *vm_service_new(const struct vm_service *service)
{
	return aidl_new(&server_class, service);
}

/* ---- the client -------------------------------------------------------------
 */

static struct aidl_call call_of(AIBinder *service, enum method code,
				const char *name)
{
	return (struct aidl_call){.target = service,
				  .descriptor = DESCRIPTOR,
				  .name = name,
				  .code = code};
}

int vm_service_register_guest_agent(AIBinder *service, AIBinder *agent)
{
	const struct aidl_call call =
		call_of(service, REGISTER_GUEST_AGENT, "registerGuestAgent");
	AParcel *in = NULL;
	int rc = aidl_begin(&call, &in);

	if (rc < 0)
		return rc;
	return aidl_finish(&call, in, AParcel_writeStrongBinder(in, agent),
			   NULL);
}

int vm_service_payload_started(AIBinder *service)
{
	const struct aidl_call call =
		call_of(service, PAYLOAD_STARTED, "notifyPayloadStarted");

	return aidl_simple(&call);
}

int vm_service_payload_ready(AIBinder *service)
{
	const struct aidl_call call =
		call_of(service, PAYLOAD_READY, "notifyPayloadReady");

	return aidl_simple(&call);
}

int vm_service_payload_finished(AIBinder *service, int32_t exit_code)
{
	const struct aidl_call call =
		call_of(service, PAYLOAD_FINISHED, "notifyPayloadFinished");
	AParcel *in = NULL;
	int rc = aidl_begin(&call, &in);

	if (rc < 0)
		return rc;
	return aidl_finish(&call, in, AParcel_writeInt32(in, exit_code), NULL);
}

int vm_service_error(AIBinder *service, int32_t error_code, const char *text)
{
	const struct aidl_call call = call_of(service, ERROR, "notifyError");

	return aidl_call_number_text(&call, error_code, text);
}
