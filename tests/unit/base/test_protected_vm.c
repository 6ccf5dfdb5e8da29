#include <criterion/criterion.h>

#include <string.h>

#include "base/protected_vm.h"

/* What is no KVM never makes a protected VM, and says why. */
Test(protected_vm, no_kvm)
{
	static const char *const devices[] = {"/nonexistent", "/dev/null", "/",
					      ""};
	char reason[256];

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		memset(reason, 0, sizeof(reason));
		cr_expect_eq(
			protected_vm_find(devices[i], reason, sizeof(reason)),
			PROTECTED_VM_NONE);
		cr_expect_neq(reason[0], '\0');
	}
}

/* A short buffer is filled and terminated. */
Test(protected_vm, short_buffer)
{
	char reason[9] = "????????";

	cr_expect_eq(protected_vm_find("/dev/null", reason, 8),
		     PROTECTED_VM_NONE);
	cr_expect_eq(strlen(reason), 7);
	cr_expect_eq(reason[8], '\0');
}
