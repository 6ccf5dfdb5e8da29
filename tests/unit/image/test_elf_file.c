#include "image/elf_file.h"

#include <criterion/criterion.h>

#include <elf.h>
#include <stddef.h>
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

Test(elf_file, other_kinds_of_elf)
{
	static const struct {
		const char *what;
		size_t at;
		unsigned char value;
	} rows[] = {
		{"32 bits", EI_CLASS, ELFCLASS32},
		{"big-endian", EI_DATA, ELFDATA2MSB},
		{"a byte of the magic", EI_MAG3, 'f'},
	};
	FILE *file;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		write_elf(ET_DYN, arch_host()->elf_machine, sizeof(Elf64_Ehdr));
		cr_expect_eq(elf_file_check_arch(path, arch_host()), 0);
		file = fopen(path, "r+");
		cr_assert_not_null(file);
		cr_assert_eq(fseek(file, (long)rows[i].at, SEEK_SET), 0);
		cr_assert_eq(fputc(rows[i].value, file), rows[i].value);
		cr_assert_eq(fclose(file), 0);
		cr_expect_eq(elf_file_check_arch(path, arch_host()),
			     AVF_ERR_FORMAT, "%s", rows[i].what);
	}
}

/* A program of a header, one segment and 8 bytes of text, which is all. */
static struct {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	char text[8];
} program;

Test(elf_file, interpreters)
{
	static const struct {
		const char *what;
		const char *text; /* 8 bytes */
		uint64_t at;      /* in the text */
		uint64_t size;
		const char *expected; /* NULL: AVF_ERR_FORMAT */
	} rows[] = {
		{"a path", "/lib/ld", 0, 8, "/lib/ld"},
		{"a part of the text", "xx/ld\0\0", 2, 4, "/ld"},
		{"no NUL at its end", "/lib/ld", 0, 7, NULL},
		{"a relative path", "lib/ld\0", 0, 8, NULL},
		{"no text", "/lib/ld", 0, 0, NULL},
		{"an empty text", "\0\0\0\0\0\0\0", 0, 1, NULL},
		{"longer than the file", "/lib/ld", 0, 9, NULL},
		{"a size that wraps", "/lib/ld", 1, UINT64_MAX, NULL},
		{"behind the end", "/lib/ld", 9, 8, NULL},
		{"an offset that wraps", "/lib/ld", UINT64_MAX / 2, 8, NULL},
	};
	char buf[64];
	FILE *file;
	int rc;

	memcpy(program.header.e_ident, ELFMAG, SELFMAG);
	program.header.e_ident[EI_CLASS] = ELFCLASS64;
	program.header.e_ident[EI_DATA] = ELFDATA2LSB;
	program.header.e_phoff = sizeof(program.header);
	program.header.e_phentsize = sizeof(program.segment);
	program.header.e_phnum = 1;
	program.segment.p_type = PT_INTERP;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(program.text, rows[i].text, sizeof(program.text));
		program.segment.p_offset =
			rows[i].at + offsetof(__typeof__(program), text);
		program.segment.p_filesz = rows[i].size;
		file = fopen(path, "w");
		cr_assert_not_null(file);
		cr_assert_eq(fwrite(&program, 1, sizeof(program), file),
			     sizeof(program));
		cr_assert_eq(fclose(file), 0);
		rc = elf_file_interpreter(path, buf, sizeof(buf));
		cr_expect_eq(rc, rows[i].expected ? 0 : AVF_ERR_FORMAT, "%s",
			     rows[i].what);
		if (rc == 0 && rows[i].expected)
			cr_expect_str_eq(buf, rows[i].expected, "%s",
					 rows[i].what);
	}
	program.segment.p_filesz = 8;
	cr_expect_eq(elf_file_interpreter(path, buf, 7), AVF_ERR_FORMAT);
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
