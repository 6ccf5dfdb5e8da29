#include "kvmprobe/probe_arch.h"

#include <linux/kvm.h>

const struct probe_arch probe_arch = {
	.cap = KVM_CAP_ARM_PSCI_0_2,
	.cap_name = "ARM_PSCI_0_2",
	.level = "EL1",
	.guest_hint = "the kernel must have been entered at EL2, and the "
		      "interrupt controller be a GICv3",
};
