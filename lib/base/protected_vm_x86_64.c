#include "base/protected_vm.h"

#include <stdio.h>

enum protected_vm_kind protected_vm_find(const char *device, char *ret_reason,
					 size_t size)
{
	(void)device;
	/* the only platform that could is arm64 with pKVM */
	(void)snprintf(ret_reason, size,
		       "KVM on x86-64 cannot keep the host out of a VM's "
		       "memory");
	return PROTECTED_VM_NONE;
}
