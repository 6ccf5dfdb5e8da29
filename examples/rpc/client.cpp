/*
 * Runs the payload calculator.cpp, and calls it.
 *
 * usage: client PACKAGE
 */
#include <aidl/com/example/ICalculator.h>
#include <avf/avf.h>
#include <avf/rpc.h>

#include <cstdio>

using aidl::com::example::ICalculator;

static bool make_vm(const char *package, avf_config **config, avf_vm **vm)
{
	return avf_config_new(AVF_CONFIG_PAYLOAD, config) >= 0 &&
	       avf_config_set_package(*config, package) >= 0 &&
	       avf_config_set_payload_name(*config, "libcalculator.so") >= 0 &&
	       avf_config_set_acceleration(
		       *config, AVF_ACCELERATION_KVM_OR_EMULATION) >= 0 &&
	       avf_vm_new(*config, vm) >= 0;
}

static bool run_until_ready(avf_vm *vm)
{
	struct avf_event event = AVF_EVENT_INIT;

	if (avf_vm_run(vm) < 0)
		return false;
	while (avf_vm_wait_event(vm, -1, &event) > 0) {
		if (event.type == AVF_EVENT_PAYLOAD_READY)
			return true;
	}
	return false;
}

static bool call(avf_vm *vm)
{
	ndk::SpAIBinder root;
	int32_t sum = 0;

	if (avf_vm_connect_rpc(vm, 5678, -1, root.getR()) < 0)
		return false;
	auto calculator = ICalculator::fromBinder(root);
	if (!calculator || !calculator->add(37, 73, &sum).isOk())
		return false;
	std::printf("%d\n", sum);
	return true;
}

int main(int argc, char **argv)
{
	avf_config *config = nullptr;
	avf_vm *vm = nullptr;
	bool good = argc == 2 && make_vm(argv[1], &config, &vm) &&
		    run_until_ready(vm) && call(vm);

	if (!good)
		std::fprintf(stderr, "client: %s\n", avf_last_error()->text);
	avf_vm_free(vm);
	avf_config_free(config);
	return good ? 0 : 1;
}
