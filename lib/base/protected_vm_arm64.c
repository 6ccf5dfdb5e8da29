#include "base/protected_vm.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "base/kvm_type.h"

/*
 * Documentation/virt/kvm/arm/pkvm.rst of Linux 7.2; older headers do not have
 * it. A kernel without pKVM takes it for an impossible address size.
 */
#define VM_TYPE_PROTECTED (1UL << 31)

/* In Android's kernels only, and in no header (hv/pkvm_android_arm64.h). */
#define CAP_ANDROID 0xffbadab1UL

/* A signal interrupts the hypervisor's preparations. */
static int create(int kvm_fd)
{
	const unsigned long type = VM_TYPE_PROTECTED | kvm_type_usual(kvm_fd);
	int vm_fd;

	do
		vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, type);
	while (vm_fd < 0 && errno == EINTR);
	return vm_fd;
}

enum protected_vm_kind protected_vm_find(const char *device, char *ret_reason,
					 size_t size)
{
	CLEANUP(close_p) int kvm_fd = open(device, O_RDWR | O_CLOEXEC);
	CLEANUP(close_p) int vm_fd = -1;

	if (kvm_fd < 0) {
		(void)snprintf(ret_reason, size, "%s: %s", device,
			       strerrordesc_np(errno));
		return PROTECTED_VM_NONE;
	}
	vm_fd = create(kvm_fd);
	if (vm_fd < 0) {
		(void)snprintf(ret_reason, size,
			       "KVM refuses a protected VM (%s): it needs "
			       "Linux 7.2, started with kvm-arm.mode=protected",
			       strerrordesc_np(errno));
		return PROTECTED_VM_NONE;
	}
	if (ioctl(vm_fd, KVM_CHECK_EXTENSION, CAP_ANDROID) > 0) {
		(void)snprintf(ret_reason, size,
			       "pKVM of Android's kernel; this library has "
			       "never run on one");
		return PROTECTED_VM_PKVM_ANDROID;
	}
	(void)snprintf(ret_reason, size,
		       "pKVM of the Linux kernel, for what the rows below say");
	return PROTECTED_VM_PKVM;
}
