#include "vmservice/guest_agent.h"

#include "vmservice/aidl_end.h"

#define DESCRIPTOR "android.system.virtualizationcommon.IGuestAgent"

enum method {
	SHUTDOWN_ASYNC = FIRST_CALL_TRANSACTION + 1,
};

static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	const struct guest_agent *agent = AIBinder_getUserData(binder);

	(void)in;
	(void)out;
	if (code != SHUTDOWN_ASYNC)
		return STATUS_UNKNOWN_TRANSACTION;
	agent->shutdown(agent->userdata);
	return STATUS_OK;
}

static const AIBinder_Class server_class = AIDL_CLASS(DESCRIPTOR, on_transact);

AIBinder *guest_agent_new(const struct guest_agent *agent)
{
	return aidl_new(&server_class, agent);
}

int guest_agent_shutdown(AIBinder *agent)
{
	const struct aidl_call call = {.target = agent,
				       .descriptor = DESCRIPTOR,
				       .name = "shutdownAsync",
				       .code = SHUTDOWN_ASYNC,
				       .flags = FLAG_ONEWAY};

	return aidl_simple(&call);
}
