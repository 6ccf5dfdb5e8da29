#include <criterion/criterion.h>
#include <string.h>

#include "vmm/cmdline.h"

static char buf[CMDLINE_SIZE];

Test(cmdline, the_users_parameters_come_last)
{
	char mine[] = "root=/dev/vda panic=5";
	struct vm_config config;
	const char *p;

	vm_config_init(&config);
	config.cmdline = mine;
	cr_assert_eq(cmdline_make(&config, buf, sizeof(buf)), 0);
	p = strstr(buf, mine);
	cr_assert(p);
	cr_expect_str_eq(p, mine, "nothing after it");
	cr_expect(strstr(buf, "panic=-1 "), "a panic ends the VM");
	cr_expect_not(strstr(buf, "console="), "a raw VM chooses its console");
}

Test(cmdline, payload_vms_print_when_they_may_be_debugged)
{
	struct vm_config config;

	vm_config_init(&config);
	config.kind = AVF_CONFIG_PAYLOAD;
	cr_assert_eq(cmdline_make(&config, buf, sizeof(buf)), 0);
	cr_expect_not(strstr(buf, "console=hvc0"));
	cr_expect(strstr(buf, "quiet"));
	config.debug_level = AVF_DEBUG_LEVEL_FULL;
	cr_assert_eq(cmdline_make(&config, buf, sizeof(buf)), 0);
	cr_expect(strstr(buf, "console=hvc0"));
	cr_expect_not(strstr(buf, "quiet"));
}

/* Whatever the host is: an emulated guest gets its own machine's. */
Test(cmdline, each_architecture_has_its_own)
{
	struct vm_config config;

	vm_config_init(&config);
	config.architecture = AVF_ARCHITECTURE_X86_64;
	cr_assert_eq(cmdline_make(&config, buf, sizeof(buf)), 0);
	cr_expect(strstr(buf, "i8042."), "%s", buf);
	config.architecture = AVF_ARCHITECTURE_ARM64;
	cr_assert_eq(cmdline_make(&config, buf, sizeof(buf)), 0);
	cr_expect_not(strstr(buf, "i8042."), "%s", buf);
	cr_expect(strstr(buf, "panic=-1 "), "a panic ends the VM");
}

Test(cmdline, the_longest_allowed_one_fits_and_a_longer_one_is_an_error)
{
	char longest[AVF_MAX_CMDLINE + 1];
	struct vm_config config;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	vm_config_init(&config);
	config.kind = AVF_CONFIG_PAYLOAD;
	config.debug_level = AVF_DEBUG_LEVEL_FULL;
	config.cmdline = longest;
	cr_expect_eq(cmdline_make(&config, buf, sizeof(buf)), 0);
	cr_expect_eq(cmdline_make(&config, buf, AVF_MAX_CMDLINE),
		     AVF_ERR_LIMIT);
}
