#include "kvmprobe/probe_arch.h"

#include <linux/kvm.h>

const struct probe_arch probe_arch = {
	.cap = KVM_CAP_EXT_CPUID,
	.cap_name = "EXT_CPUID",
	.level = "ring 0",
	.guest_hint = "enable VT-x or AMD-V, or nested virtualization in the "
		      "hypervisor around this host; emulation works meanwhile",
};
