#include "image/elf_file.h"

#include <criterion/criterion.h>

#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"

static char path[] = "/tmp/avf-elf-XXXXXX";

static void setup(void)
{
	fd_close(mkstemp(path));
}

static void teardown(void)
{
	(void)unlink(path);
}

TestSuite(elf_file, .init = setup, .fini = teardown);

static void write_elf(uint16_t type, uint16_t machine, size_t size)
{
	Elf64_Ehdr header = {.e_type = type, .e_machine = machine};
	FILE *file = fopen(path, "w");

	memcpy(header.e_ident, ELFMAG, SELFMAG);
	header.e_ident[EI_CLASS] = ELFCLASS64;
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	cr_assert_not_null(file);
	cr_assert_eq(fwrite(&header, 1, size, file), size);
	cr_assert_eq(fclose(file), 0);
}

Test(elf_file, architecture_of_programs_and_libraries)
{
	static const struct {
		const char *what;
		uint16_t type;
		uint16_t machine;
		enum avf_architecture arch;
		int expected;
		const char *text;
	} rows[] = {
		{"a program", ET_EXEC, EM_AARCH64, AVF_ARCHITECTURE_ARM64, 0,
		 ""},
		{"a library", ET_DYN, EM_X86_64, AVF_ARCHITECTURE_X86_64, 0,
		 ""},
		{"of the other one", ET_DYN, EM_X86_64, AVF_ARCHITECTURE_ARM64,
		 AVF_ERR_FORMAT, "is for x86_64, not for arm64"},
		{"and the other way round", ET_EXEC, EM_AARCH64,
		 AVF_ARCHITECTURE_X86_64, AVF_ERR_FORMAT,
		 "is for arm64, not for x86_64"},
		{"of one that no guest has", ET_DYN, EM_RISCV,
		 AVF_ARCHITECTURE_X86_64, AVF_ERR_FORMAT,
		 "is for another architecture"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		write_elf(rows[i].type, rows[i].machine, sizeof(Elf64_Ehdr));
		cr_expect_eq(elf_file_check_arch(path, arch_find(rows[i].arch)),
			     rows[i].expected, "%s", rows[i].what);
		if (rows[i].expected < 0)
			cr_expect_not_null(
				strstr(error_record()->text, rows[i].text),
				"%s: %s", rows[i].what, error_record()->text);
	}
}

Test(elf_file, what_is_no_elf)
{
	write_elf(ET_DYN, EM_X86_64, sizeof(Elf64_Ehdr) - 1);
	cr_expect_eq(elf_file_check_arch(path, arch_host()), AVF_ERR_FORMAT);
	write_elf(ET_DYN, EM_X86_64, 0);
	cr_expect_eq(elf_file_check_arch(path, arch_host()), AVF_ERR_FORMAT);
	cr_expect_eq(elf_file_check_arch("/nonexistent", arch_host()),
		     AVF_ERR_NOT_FOUND);
	cr_expect_eq(elf_file_check_arch("/dev/zero", arch_host()),
		     AVF_ERR_INVALID);
}

Test(elf_file, the_hosts_own_library)
{
	char found[PATH_MAX];

	cr_assert_eq(elf_file_find_library(arch_host(), "libc.so.6", found), 0,
		     "%s", error_record()->text);
	cr_expect_eq(elf_file_check_arch(found, arch_host()), 0);
	cr_expect_eq(elf_file_find_library(arch_host(), "libnone.so", found),
		     AVF_ERR_NOT_FOUND);
}

/* Found or not, it is never one of the wrong architecture. */
Test(elf_file, a_library_of_each_architecture)
{
	const struct arch *arch;
	char found[PATH_MAX];
	int rc;

	for (size_t i = 0; (arch = arch_at(i)) != NULL; i++) {
		rc = elf_file_find_library(arch, "libc.so.6", found);
		if (rc == 0)
			cr_expect_eq(elf_file_check_arch(found, arch), 0);
		else
			cr_expect_not_null(
				strstr(error_record()->text, "-cross"), "%s",
				error_record()->text);
	}
}
