/*
 * The trial of arm64: a loop at EL1 that is timed, and the two devices that
 * our machine makes of KVM. Virtualization is never emulated there, so there
 * are no instructions to try one by one.
 */
#include "kvmprobe/trial.h"

#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/kvm_type.h"
#include "kvmprobe/trial_arm64.h"
#include "kvmprobe/trial_vm.h"

#define ROUNDS    1000000U
#define LOOP_SIZE 2U /* instructions per round */
/* The loop at TRIAL_MIN_MIPS. */
#define ENOUGH_NS (ROUNDS * LOOP_SIZE / TRIAL_MIN_MIPS * 1000U)
#define TRIES     4

static const struct {
	uint32_t type;
	const char *name;
} devices[] = {
	{KVM_DEV_TYPE_ARM_VGIC_V3, "GICv3"},
	{KVM_DEV_TYPE_ARM_VGIC_ITS, "GIC ITS"},
};

/* Returns whether it is over; *@ns becomes the time from BEGIN to DONE, or 0
 * when it was never done. */
static bool on_exit_of(const struct kvm_run *run, uint64_t *ns, char *why,
		       size_t size)
{
	if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write ||
	    run->mmio.phys_addr != TRIAL_PORT_STEP) {
		(void)snprintf(why, size, "KVM exit %u", run->exit_reason);
		*ns = 0;
		return true;
	}
	if (run->mmio.data[0] == TRIAL_STEP_BEGIN) {
		*ns = trial_cpu_ns();
		return false;
	}
	*ns = MAX(trial_cpu_ns() - *ns, 1U);
	return true;
}

/* Returns the time of the loop, or 0 with the reason in @why. */
static uint64_t run_vm(const struct trial_vm *vm, char *why, size_t size)
{
	uint64_t ns = 0;

	trial_alarm_set(true);
	do {
		if (ioctl(vm->vcpu_fd, KVM_RUN, 0) < 0) {
			(void)snprintf(why, size, "%s",
				       errno == EINTR ? "it hangs"
						      : strerrordesc_np(errno));
			ns = 0;
			break;
		}
	} while (!on_exit_of(vm->run, &ns, why, size));
	trial_alarm_set(false);
	return ns;
}

static int run_loop(int kvm_fd, struct trial_report *report)
{
	const struct trial trial = {.name = "loop", .rounds = ROUNDS};
	uint64_t best = 0, ns;
	struct trial_vm vm;
	int rc;

	for (int i = 0; i < TRIES && (best == 0 || best > ENOUGH_NS); i++) {
		rc = trial_vm_new(kvm_fd, NULL, &trial, &vm);
		if (rc < 0)
			return rc;
		ns = run_vm(&vm, report->why, sizeof(report->why));
		trial_vm_fini(&vm);
		if (ns == 0)
			break;
		best = best == 0 ? ns : MIN(best, ns);
	}
	if (best > 0)
		report->kips = ROUNDS * LOOP_SIZE * 1000000ULL / best;
	return 0;
}

static int try_devices(int kvm_fd, struct trial_report *report)
{
	CLEANUP(close_p)
	int vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, kvm_type_usual(kvm_fd));

	if (vm_fd < 0)
		return fail_errno("KVM_CREATE_VM");
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		struct kvm_create_device request = {
			.type = devices[i].type,
			.flags = KVM_CREATE_DEVICE_TEST,
		};

		if (ioctl(vm_fd, KVM_CREATE_DEVICE, &request) == 0)
			continue;
		(void)snprintf(report->failed, sizeof(report->failed), "%s",
			       devices[i].name);
		(void)snprintf(report->why, sizeof(report->why), "%s",
			       strerrordesc_np(errno));
		break;
	}
	return 0;
}

int trial_run_all(int kvm_fd, struct trial_report *ret_report)
{
	struct trial_report report = {0};
	struct sigaction before;
	int rc = trial_alarm_install(&before);

	if (rc < 0)
		return rc;
	rc = run_loop(kvm_fd, &report);
	(void)sigaction(SIGALRM, &before, NULL); /* as it was */
	if (rc == 0 && report.kips > 0)
		rc = try_devices(kvm_fd, &report);
	if (rc < 0)
		return rc;
	*ret_report = report;
	return 0;
}
