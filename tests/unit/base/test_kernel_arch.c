#include "base/kernel_arch.h"

#include <criterion/criterion.h>

#include <elf.h>
#include <string.h>

#include "base/checked.h"

static const struct {
	const char *what;
	size_t at;
	const char *magic;
	size_t size;                /* of the file */
	enum avf_architecture arch; /* HOST: none */
} rows[] = {
	{"a bzImage", 0x202, "HdrS", 1024, AVF_ARCHITECTURE_X86_64},
	{"the shortest one", 0x202, "HdrS", 0x206, AVF_ARCHITECTURE_X86_64},
	{"one byte less", 0x202, "HdrS", 0x205, AVF_ARCHITECTURE_HOST},
	{"an arm64 Image", 0x38, "ARM\x64", 1024, AVF_ARCHITECTURE_ARM64},
	{"the shortest one", 0x38, "ARM\x64", 0x3c, AVF_ARCHITECTURE_ARM64},
	{"one byte less", 0x38, "ARM\x64", 0x3b, AVF_ARCHITECTURE_HOST},
	{"an Image of 32 bits", 0x38, "ARM\x32", 1024, AVF_ARCHITECTURE_HOST},
	{"an ELF file of no machine", 0, ELFMAG, 1024, AVF_ARCHITECTURE_HOST},
	{"an ELF file of its magic", 0, ELFMAG, 4, AVF_ARCHITECTURE_HOST},
	{"zeros", 0, "", 1024, AVF_ARCHITECTURE_HOST},
	{"nothing", 0, "", 0, AVF_ARCHITECTURE_HOST},
	{"gzip", 0, "\x1f\x8b\x08", 1024, AVF_ARCHITECTURE_HOST},
};

Test(kernel_arch, magics)
{
	unsigned char head[1024];
	const struct arch *wanted;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(head, 0, sizeof(head));
		memcpy(head + rows[i].at, rows[i].magic, strlen(rows[i].magic));
		wanted = rows[i].arch == AVF_ARCHITECTURE_HOST
				 ? NULL
				 : arch_find(rows[i].arch);
		cr_expect_eq(kernel_arch(head, rows[i].size), wanted, "%s",
			     rows[i].what);
	}
}

Test(kernel_arch, elf_files_name_it)
{
	Elf64_Ehdr header = {.e_machine = EM_AARCH64};

	memcpy(header.e_ident, ELFMAG, SELFMAG);
	cr_expect_eq(kernel_arch(&header, sizeof(header)),
		     arch_find(AVF_ARCHITECTURE_ARM64));
	cr_expect_null(kernel_arch(&header, 19), "half of the field");
	header.e_machine = EM_X86_64;
	cr_expect_eq(kernel_arch(&header, 20),
		     arch_find(AVF_ARCHITECTURE_X86_64));
	header.e_machine = EM_386;
	cr_expect_null(kernel_arch(&header, sizeof(header)));
}
