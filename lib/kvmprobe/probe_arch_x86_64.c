#include "kvmprobe/probe_arch.h"

#include <linux/kvm.h>
#include <stdio.h>

const struct probe_arch probe_arch = {
	.cap = KVM_CAP_EXT_CPUID,
	.cap_name = "EXT_CPUID",
	.level = "ring 0",
	.guest_hint = "enable VT-x or AMD-V, or nested virtualization in the "
		      "hypervisor around this host; emulation works meanwhile",
};

bool probe_arch_protected(int kvm_fd, char *ret_reason, size_t size)
{
	(void)kvm_fd;
	/* the only platform that could is arm64 with pKVM */
	(void)snprintf(ret_reason, size,
		       "KVM on x86-64 cannot keep the host out of a VM's "
		       "memory");
	return false;
}
