/* What QEMU must not run, before anything of it is looked for. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "base/arch.h"
#include "vmm/vmm_internal.h"

static struct vmm *vmm;

static void setup(void)
{
	vmm = calloc(1, sizeof(*vmm));
	cr_assert_not_null(vmm);
	cr_assert_eq(loop_init(&vmm->loop), 0);
	vm_config_init(&vmm->config);
}

static void teardown(void)
{
	vm_config_fini(&vmm->config);
	loop_fini(&vmm->loop);
	free(vmm);
}

TestSuite(backend_qemu, .init = setup, .fini = teardown);

/* Each architecture has its QEMU, and none protects. */
Test(backend_qemu, a_protected_vm)
{
	struct backend *backend = NULL;

	vmm->config.is_protected = true;
	for (size_t i = 0; arch_at(i); i++) {
		vmm->config.architecture = arch_at(i)->id;
		cr_expect_eq(backend_qemu_new(vmm, "", &backend),
			     AVF_ERR_UNSUPPORTED);
		cr_expect(strstr(error_record()->text, "protected: "), "%s",
			  error_record()->text);
		cr_expect_null(backend);
	}
}

/* The same one, not protected, gets as far as its kernel, or QEMU. */
Test(backend_qemu, another_vm_is_not_refused_for_that)
{
	struct backend *backend = NULL;

	cr_expect_lt(backend_qemu_new(vmm, "", &backend), 0);
	cr_expect_null(strstr(error_record()->text, "protected"), "%s",
		       error_record()->text);
	cr_expect_null(backend);
}
