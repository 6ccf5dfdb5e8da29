#include <criterion/criterion.h>

#include <string.h>

#include "base/arch.h"
#include "vmm/choose.h"

/* Another architecture than the host's. KVM is not asked about it. */
static const struct arch *foreign(void)
{
	return arch_at(0) == arch_host() ? arch_at(1) : arch_at(0);
}

static int choose(enum avf_acceleration acceleration, bool *ret_emulate,
		  char *ret_text, size_t size)
{
	struct vm_config config;
	int rc;

	vm_config_init(&config);
	config.architecture = foreign()->id;
	config.acceleration = acceleration;
	rc = choose_acceleration(&config, ret_emulate, ret_text, size);
	vm_config_fini(&config);
	return rc;
}

Test(choose, a_foreign_guest_is_emulated)
{
	static const enum avf_acceleration allowed[] = {
		AVF_ACCELERATION_KVM_OR_EMULATION, AVF_ACCELERATION_EMULATION};
	char text[256];
	bool emulate;

	for (size_t i = 0; i < 2; i++) {
		emulate = false;
		cr_assert_eq(choose(allowed[i], &emulate, text, sizeof(text)),
			     0);
		cr_expect(emulate);
		cr_expect(strstr(text, foreign()->name), "%s", text);
		cr_expect(strstr(text, arch_host()->name), "%s", text);
	}
}

Test(choose, a_foreign_guest_on_kvm_is_an_error)
{
	char text[256] = "";
	bool emulate = false;

	cr_expect_eq(choose(AVF_ACCELERATION_KVM, &emulate, text, sizeof(text)),
		     AVF_ERR_UNSUPPORTED);
	cr_expect(strstr(error_record()->text, foreign()->name));
	cr_expect(strstr(error_record()->text, "emulation"), "what to do");
	cr_expect_not(emulate, "no output on failure");
}

Test(choose, the_hosts_own_by_its_name_is_not_foreign)
{
	struct vm_config config;
	bool emulate = false;
	char text[256];

	vm_config_init(&config);
	config.architecture = arch_host()->id;
	config.acceleration = AVF_ACCELERATION_EMULATION;
	cr_assert_eq(choose_acceleration(&config, &emulate, text, sizeof(text)),
		     0);
	cr_expect(emulate);
	cr_expect(strstr(text, "as configured"), "%s", text);
	vm_config_fini(&config);
}
