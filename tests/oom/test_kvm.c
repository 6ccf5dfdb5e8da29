/* A machine on this computer's KVM while memory runs out: made, run to its
 * end, freed; vCPUs are made on threads of their own. And the trial guests. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "hv/kvm.h"
#include "kvmprobe/kvmprobe.h"
#include "machine/machine.h"
#include "support/oom.h"

static int nothing(void *userdata)
{
	(void)userdata;
	return 0;
}

static void stopped(void *userdata, int reason, const char *text)
{
	(void)reason;
	(void)text;
	loop_quit(userdata);
}

static int run_machine(struct machine *m, struct loop *loop)
{
	int rc = machine_start(m);

	return rc < 0 ? rc : loop_run(loop);
}

static int build(struct vm_config *config, struct loop *loop)
{
	struct machine_params params = {
		.config = config,
		.cmdline = "",
		.guest_cid = 3,
		.loop = loop,
		.started = nothing,
		.stopped = stopped,
		.userdata = loop,
	};
	const struct kvm_params kvm_params = {
		.memory_size = machine_memory_size(params.config),
		.memory_end = machine_memory_end(params.config),
	};
	CLEANUP(close_p) int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct machine *m;
	int rc = kvm_new(kvm, &kvm_params, &params.hv);

	if (rc < 0)
		return rc;
	rc = machine_new(&params, &m); /* takes the hypervisor */
	if (rc < 0)
		return rc;
	rc = run_machine(m, loop);
	machine_free(m);
	return rc;
}

static int machine(void)
{
	CLEANUP(vm_config_fini) struct vm_config config;
	struct loop loop;
	int rc;

	oom_pause();
	vm_config_init(&config);
	config.memory_mib = 16;
	config.vcpus = 2;
	config.kernel_fd = open(KERNEL, O_RDONLY | O_CLOEXEC);
	OOM_MUST(config.kernel_fd >= 0 && loop_init(&loop) == 0);
	oom_resume();
	rc = build(&config, &loop);
	loop_fini(&loop);
	return rc;
}

/* A question that cannot be answered has a row that says so. */
static int trials(void)
{
	int pair[2];
	int status;

	OOM_MUST(pipe2(pair, O_CLOEXEC) == 0);
	status = kvm_probe_device("/dev/kvm", pair[1]);
	(void)close(pair[0]);
	(void)close(pair[1]);
	OOM_EXPECT(status == 0);
	return 0;
}

static const struct oom_scenario scenarios[] = {
	{"machine", machine, false},
	{"trials", trials, true},
};

int main(int argc, char **argv)
{
	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		printf("SKIP: no /dev/kvm that this user may use\n");
		return 77;
	}
	OOM_MUST(kvm_install_kick_handler() == 0);
	return oom_main(argc, argv, scenarios, ARRAY_SIZE(scenarios));
}
