/*
 * Type 0 is a VM of 40 bits, which KVM refuses on a host whose CPUs have fewer
 * (api.rst, KVM_CREATE_VM); such a host has the capability, and takes a type
 * that says how many.
 */
#include "base/kvm_type.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

#define USUAL_BITS 40

unsigned long kvm_type_usual(int kvm_fd)
{
	int limit = ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	return limit > 0 && limit < USUAL_BITS
		       ? KVM_VM_TYPE_ARM_IPA_SIZE((unsigned long)limit)
		       : 0;
}
