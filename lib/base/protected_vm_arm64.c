#include "base/protected_vm.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"

/*
 * Documentation/virt/kvm/arm/pkvm.rst of Linux 7.2; older headers do not have
 * it. A kernel without pKVM takes it for an impossible address size.
 */
#define VM_TYPE_PROTECTED (1UL << 31)

bool protected_vm_possible(const char *device, char *ret_reason, size_t size)
{
	CLEANUP(close_p) int kvm_fd = open(device, O_RDWR | O_CLOEXEC);
	CLEANUP(close_p) int vm_fd = -1;

	if (kvm_fd < 0) {
		(void)snprintf(ret_reason, size, "%s: %s", device,
			       strerrordesc_np(errno));
		return false;
	}
	/* a signal interrupts the hypervisor's preparations */
	do
		vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, VM_TYPE_PROTECTED);
	while (vm_fd < 0 && errno == EINTR);
	if (vm_fd < 0) {
		(void)snprintf(ret_reason, size,
			       "KVM refuses a protected VM (%s): it needs "
			       "Linux 7.2, started with kvm-arm.mode=protected",
			       strerrordesc_np(errno));
		return false;
	}
	(void)snprintf(ret_reason, size,
		       "pKVM of the Linux kernel: memory is isolated; CPU "
		       "state, DMA and the first code that runs are not");
	return true;
}
