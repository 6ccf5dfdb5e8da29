/*
 * The ends of the VM's own interfaces that are written by hand in C
 * (lib/vmservice), against aidl's output for guest/aidl: generated clients call
 * our servers, our clients call generated servers, and what arrives is what was
 * said.
 */
#include "checks.h"

#include <string>
#include <utility>

#include <avf/vm.h>

#include <aidl/android/system/virtualization/payload/BnVmPayloadService.h>
#include <aidl/android/system/virtualization/payload/BpVmPayloadService.h>
#include <aidl/android/system/virtualizationcommon/BnGuestAgent.h>
#include <aidl/android/system/virtualizationcommon/BpGuestAgent.h>
#include <aidl/android/system/virtualmachineservice/BnVirtualMachineService.h>
#include <aidl/android/system/virtualmachineservice/BpVirtualMachineService.h>
#include <aidl/libvirtualization/BnGuestHost.h>
#include <aidl/libvirtualization/BpGuestHost.h>

extern "C" {
#include "base/guest_protocol.h"
#include "vmservice/guest_agent.h"
#include "vmservice/guest_host.h"
#include "vmservice/payload_service.h"
#include "vmservice/vm_service.h"
}
#undef fail /* the house's macro in C; here it is a function of checks.h */

using namespace aidl::android::system::virtualization::payload;
using namespace aidl::android::system::virtualizationcommon;
using namespace aidl::android::system::virtualmachineservice;
using namespace aidl::libvirtualization;
using ndk::ScopedAStatus;
using ndk::SharedRefBase;
using ndk::SpAIBinder;
using std::string;

namespace
{

/* What was called, in words. */
string said;

string take()
{
	return std::exchange(said, "");
}

/* ---- servers in C -----------------------------------------------------------
 */

binder_exception_t on_agent(void *userdata, AIBinder *agent)
{
	said += agent == userdata ? "agent " : "another ";
	return EX_NONE;
}

binder_exception_t on_started(void *)
{
	said += "started ";
	return EX_NONE;
}

binder_exception_t on_ready(void *)
{
	said += "ready ";
	return EX_ILLEGAL_STATE;
}

binder_exception_t on_finished(void *, int32_t exit_code)
{
	said += "finished " + std::to_string(exit_code) + " ";
	return EX_NONE;
}

binder_exception_t on_error(void *, int32_t code, const char *text, size_t size)
{
	said += "error " + std::to_string(code) + " " + string(text, size);
	return EX_NONE;
}

const struct vm_service_ops service_ops = {
	.register_guest_agent = on_agent,
	.payload_started = on_started,
	.payload_ready = on_ready,
	.payload_finished = on_finished,
	.error = on_error,
};

binder_exception_t on_get_orders(void *userdata, int32_t protocol,
				 struct guest_orders *orders)
{
	if (protocol != GUEST_PROTOCOL)
		return EX_UNSUPPORTED_OPERATION;
	if (!userdata)
		return EX_ILLEGAL_STATE;
	*orders = *static_cast<struct guest_orders *>(userdata);
	return EX_NONE;
}

binder_exception_t on_stop_reason(void *, int32_t reason, const char *text,
				  size_t size)
{
	said += "reason " + std::to_string(reason) + " " + string(text, size);
	return EX_NONE;
}

const struct guest_host_ops host_ops = {
	.get_orders = on_get_orders,
	.set_stop_reason = on_stop_reason,
};

void on_call(void *userdata)
{
	said += static_cast<const char *>(userdata);
}

/* ---- their generated clients ------------------------------------------------
 */

void generated_calls_vm_service()
{
	char word[] = "";
	const struct guest_agent c_agent = {on_call, word};
	const SpAIBinder agent(guest_agent_new(&c_agent));
	const struct vm_service service = {&service_ops, agent.get()};
	BpVirtualMachineService client(SpAIBinder(vm_service_new(&service)));

	CHECK_OK(client.registerGuestAgent(
		SharedRefBase::make<BpGuestAgent>(agent)));
	CHECK(take() == "agent ");
	CHECK_OK(client.notifyPayloadStarted());
	CHECK(take() == "started ");
	CHECK(client.notifyPayloadReady().getExceptionCode() ==
	      EX_ILLEGAL_STATE);
	CHECK(take() == "ready ");
	CHECK_OK(client.notifyPayloadFinished(-3));
	CHECK(take() == "finished -3 ");
	CHECK_OK(client.notifyError(AVF_ERROR_PAYLOAD_CHANGED,
				    "gr\xc3\xbc\xc3\x9f"));
	CHECK(take() == "error 2 gr\xc3\xbc\xc3\x9f");
}

void generated_calls_guest_host()
{
	struct guest_orders orders = {"libx.so", true, "my vm", ""};
	struct guest_host host = {&host_ops, &orders};
	BpGuestHost client(SpAIBinder(guest_host_new(&host)));
	GuestOrders got;

	CHECK_OK(client.getOrders(GUEST_PROTOCOL, &got));
	CHECK(got.payloadName == "libx.so" && got.isDebuggable);
	CHECK(got.vmName == "my vm");
	orders = {"", false, "", "assets/c.json"};
	CHECK_OK(client.getOrders(GUEST_PROTOCOL, &got));
	CHECK(!got.payloadName && !got.isDebuggable && !got.vmName);
	CHECK(got.payloadConfigPath == "assets/c.json");
	host.userdata = nullptr;
	CHECK(client.getOrders(GUEST_PROTOCOL, &got).getExceptionCode() ==
	      EX_ILLEGAL_STATE);
	CHECK(client.getOrders(0, &got).getExceptionCode() ==
	      EX_UNSUPPORTED_OPERATION);
	CHECK_OK(client.setStopReason(7, "why"));
	CHECK(take() == "reason 7 why");
}

void generated_calls_the_others()
{
	char agent_word[] = "shutdown", payload_word[] = "ready";
	const struct guest_agent agent = {on_call, agent_word};
	const struct payload_service payload = {on_call, payload_word};
	BpGuestAgent agent_client(SpAIBinder(guest_agent_new(&agent)));
	BpVmPayloadService client(SpAIBinder(payload_service_new(&payload)));

	CHECK_OK(agent_client.shutdownAsync());
	CHECK(take() == "shutdown");
	CHECK_OK(client.notifyPayloadReady());
	CHECK(take() == "ready");
	CHECK(string(PAYLOAD_SERVICE_SOCKET_PATH) ==
	      string("/run/") +
		      IVmPayloadService::VM_PAYLOAD_SERVICE_SOCKET_NAME);
	CHECK(string(PAYLOAD_SERVICE_APK_PATH) ==
	      IVmPayloadService::VM_APK_CONTENTS_PATH);
}

/* ---- generated servers, clients in C ----------------------------------------
 */

class Agent : public BnGuestAgent
{
	ScopedAStatus shutdownAsync() override
	{
		said += "shutdown";
		return ScopedAStatus::ok();
	}
};

class Payload : public BnVmPayloadService
{
	ScopedAStatus notifyPayloadReady() override
	{
		said += "ready";
		return ScopedAStatus::ok();
	}
};

class Service : public BnVirtualMachineService
{
	ScopedAStatus registerGuestAgent(
		const std::shared_ptr<IGuestAgent> &agent) override
	{
		said += "agent ";
		return agent->shutdownAsync();
	}
	ScopedAStatus notifyPayloadStarted() override
	{
		said += "started";
		return ScopedAStatus::ok();
	}
	ScopedAStatus notifyPayloadReady() override
	{
		return ScopedAStatus::fromExceptionCode(EX_ILLEGAL_STATE);
	}
	ScopedAStatus notifyPayloadFinished(int32_t exit_code) override
	{
		said += "finished " + std::to_string(exit_code);
		return ScopedAStatus::ok();
	}
	ScopedAStatus notifyError(int32_t code, const string &text) override
	{
		said += std::to_string(code) + text;
		return ScopedAStatus::ok();
	}
};

class Host : public BnGuestHost
{
      public:
	GuestOrders orders;

	ScopedAStatus getOrders(int32_t protocol, GuestOrders *ret) override
	{
		CHECK(protocol == GUEST_PROTOCOL);
		*ret = orders;
		return ScopedAStatus::ok();
	}
	ScopedAStatus setStopReason(int32_t reason, const string &text) override
	{
		said += std::to_string(reason) + text;
		return ScopedAStatus::ok();
	}
};

void c_calls_vm_service()
{
	const SpAIBinder service = SharedRefBase::make<Service>()->asBinder();
	const SpAIBinder agent = SharedRefBase::make<Agent>()->asBinder();
	AIBinder *s = service.get();

	CHECK(vm_service_register_guest_agent(s, agent.get()) == 0);
	CHECK(take() == "agent shutdown");
	CHECK(vm_service_payload_started(s) == 0 && take() == "started");
	CHECK(vm_service_payload_ready(s) == AVF_ERR_STATE);
	CHECK(vm_service_payload_finished(s, 42) == 0);
	CHECK(take() == "finished 42");
	CHECK(vm_service_error(s, 3, "bad") == 0 && take() == "3bad");
}

void c_calls_guest_host()
{
	const auto server = SharedRefBase::make<Host>();
	const SpAIBinder host = server->asBinder();
	struct guest_orders got = {};

	server->orders.payloadName = "libx.so";
	server->orders.isDebuggable = true;
	server->orders.vmName = "my vm";
	CHECK(guest_host_get_orders(host.get(), &got) == 0);
	CHECK(string(got.payload_name) == "libx.so" && got.is_debuggable);
	CHECK(string(got.vm_name) == "my vm");
	server->orders = {};
	server->orders.payloadName = "y";
	CHECK(guest_host_get_orders(host.get(), &got) == 0);
	CHECK(string(got.payload_name) == "y" && !got.is_debuggable);
	CHECK(string(got.vm_name).empty());
	server->orders = {};
	server->orders.payloadConfigPath = "assets/c.json";
	CHECK(guest_host_get_orders(host.get(), &got) == 0);
	CHECK(string(got.payload_name).empty());
	CHECK(string(got.payload_config_path) == "assets/c.json");
	CHECK(guest_host_set_stop_reason(host.get(), 9, "why") == 0);
	CHECK(take() == "9why");
}

/* The guest believes no host: names become paths. */
void c_refuses_wrong_orders()
{
	static const struct {
		const char *payload, *name;
	} rows[] = {{"", "a"},        {"../x", "a"}, {"a/b", "a"},
		    {".hidden", "a"}, {"a\nb", "a"}, {"x", "a\x7f"}};
	const auto server = SharedRefBase::make<Host>();
	const SpAIBinder host = server->asBinder();
	struct guest_orders got = {"before", false, "", ""};

	for (const auto &row : rows) {
		server->orders.payloadName = row.payload;
		server->orders.vmName = row.name;
		CHECK(guest_host_get_orders(host.get(), &got) ==
		      AVF_ERR_PROTOCOL);
	}
	server->orders.payloadName = string(256, 'x');
	server->orders.vmName = std::nullopt;
	CHECK(guest_host_get_orders(host.get(), &got) == AVF_ERR_PROTOCOL);
	server->orders.payloadName = string("a\0b", 3);
	CHECK(guest_host_get_orders(host.get(), &got) == AVF_ERR_PROTOCOL);
	server->orders.payloadName = "x";
	server->orders.vmName = string(65, 'x');
	CHECK(guest_host_get_orders(host.get(), &got) == AVF_ERR_PROTOCOL);
	CHECK(string(got.payload_name) == "before");
}

void c_calls_the_others()
{
	const SpAIBinder agent = SharedRefBase::make<Agent>()->asBinder();
	const SpAIBinder payload = SharedRefBase::make<Payload>()->asBinder();

	CHECK(guest_agent_shutdown(agent.get()) == 0 && take() == "shutdown");
	CHECK(payload_service_ready(payload.get()) == 0 && take() == "ready");
	/* not their interface: the token is checked */
	CHECK(payload_service_ready(agent.get()) == AVF_ERR_PROTOCOL);
}

}

int main(int argc, char **argv)
{
	static const checks::test tests[] = {
		{"generated_calls_vm_service", generated_calls_vm_service},
		{"generated_calls_guest_host", generated_calls_guest_host},
		{"generated_calls_the_others", generated_calls_the_others},
		{"c_calls_vm_service", c_calls_vm_service},
		{"c_calls_guest_host", c_calls_guest_host},
		{"c_refuses_wrong_orders", c_refuses_wrong_orders},
		{"c_calls_the_others", c_calls_the_others},
	};

	return checks::run(tests, argc, argv);
}
