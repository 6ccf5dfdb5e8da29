#include "kvmprobe/probe_arch.h"

#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"

/* Documentation/virt/kvm/arm/pkvm.rst of Linux 7.2 */
#define VM_TYPE_PROTECTED (1UL << 31)

const struct probe_arch probe_arch = {
	.cap = KVM_CAP_ARM_PSCI_0_2,
	.cap_name = "ARM_PSCI_0_2",
	.level = "EL1",
	.guest_hint = "the kernel must have been entered at EL2, and the "
		      "interrupt controller be a GICv3",
};

/* There is no capability to ask for. */
bool probe_arch_protected(int kvm_fd, char *ret_reason, size_t size)
{
	CLEANUP(close_p)
	int vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, VM_TYPE_PROTECTED);

	if (vm_fd >= 0) {
		(void)snprintf(ret_reason, size,
			       "pKVM of the Linux kernel: memory is isolated; "
			       "CPU state, DMA and the first code that runs "
			       "are not");
		return true;
	}
	(void)snprintf(ret_reason, size,
		       "KVM refuses a protected VM (%s): it needs Linux 7.2 "
		       "started with kvm-arm.mode=protected",
		       strerrordesc_np(errno));
	return false;
}
