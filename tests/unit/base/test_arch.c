#include "base/arch.h"

#include <criterion/criterion.h>

#include <elf.h>
#include <string.h>
#include <sys/utsname.h>

Test(arch, the_host_is_one_of_them)
{
	const struct arch *host = arch_host();
	struct utsname u;

	cr_assert_not_null(host);
	cr_expect_eq(arch_find(AVF_ARCHITECTURE_HOST), host);
	cr_expect_eq(arch_find(host->id), host);
	/* by whom it is run: unit tests run where they are built for */
	cr_assert_eq(uname(&u), 0);
	cr_expect_str_eq(host->name, strcmp(u.machine, "aarch64") == 0
					     ? "arm64"
					     : u.machine);
}

Test(arch, every_row_is_found_by_what_it_has)
{
	const struct arch *arch;
	size_t n = 0;

	for (; (arch = arch_at(n)) != NULL; n++) {
		cr_expect_eq(arch_find(arch->id), arch);
		cr_expect_eq(arch_find_name(arch->name), arch);
		cr_expect_eq(arch_find_elf(arch->elf_machine), arch);
		cr_expect_str_eq(avf_architecture_name(arch->id), arch->name);
		cr_expect_neq(arch->id, AVF_ARCHITECTURE_HOST);
	}
	cr_expect_eq(n, 2);
}

Test(arch, what_is_none)
{
	cr_expect_null(arch_find((enum avf_architecture)3));
	cr_expect_null(arch_find((enum avf_architecture) - 1));
	cr_expect_null(arch_find_elf(EM_NONE));
	cr_expect_null(arch_find_elf(EM_386));
	cr_expect_null(arch_find_name(""));
	cr_expect_null(arch_find_name("aarch64"), "our words only");
	cr_expect_null(arch_find_name("ARM64"));
	cr_expect_str_eq(avf_architecture_name((enum avf_architecture)99), "?");
}
