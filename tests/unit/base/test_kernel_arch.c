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

static void put(unsigned char *head, size_t at, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		head[at + i] = (unsigned char)(value >> (8 * i));
}

Test(kernel_arch, memory_of_an_image)
{
	unsigned char head[1024] = {0};

	memcpy(head + 0x38, "ARM\x64", 4);
	put(head, 16, 36 << 20, 8);
	cr_expect_eq(kernel_memory(head, sizeof(head)), 36 << 20);
	put(head, 16, UINT64_MAX, 8);
	cr_expect_eq(kernel_memory(head, sizeof(head)), UINT64_MAX);
	memset(head, 0, sizeof(head));
	memcpy(head + 0x202, "HdrS", 4);
	put(head, 0x260, 40 << 20, 4);
	cr_expect_eq(kernel_memory(head, sizeof(head)), 40 << 20);
	cr_expect_eq(kernel_memory(head, 0x263), 0, "cut short");
	memset(head, 0, sizeof(head));
	cr_expect_eq(kernel_memory(head, sizeof(head)), 0, "no kernel");
	cr_expect_eq(kernel_memory(head, 0), 0);
}

/* An ELF file of two segments; the second one reaches further. */
static struct {
	Elf64_Ehdr header;
	Elf64_Phdr segments[2];
} elf;

static uint64_t elf_memory(void)
{
	return kernel_memory(&elf, sizeof(elf));
}

Test(kernel_arch, memory_of_an_elf_file)
{
	memcpy(elf.header.e_ident, ELFMAG, SELFMAG);
	elf.header.e_machine = EM_X86_64;
	elf.header.e_phoff = sizeof(elf.header);
	elf.header.e_phnum = 2;
	elf.segments[0] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_paddr = 1 << 20, .p_memsz = 1 << 20};
	elf.segments[1] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_paddr = 16 << 20, .p_memsz = 4 << 20};
	cr_expect_eq(elf_memory(), 20 << 20);
	elf.segments[1].p_type = PT_NOTE;
	cr_expect_eq(elf_memory(), 2 << 20, "a note is not loaded");
	elf.segments[1].p_type = PT_LOAD;
	elf.segments[1].p_memsz = UINT64_MAX;
	cr_expect_eq(elf_memory(), 2 << 20, "one that wraps");
	elf.header.e_phnum = 3;
	cr_expect_eq(elf_memory(), 0, "headers behind the end");
	elf.header.e_phnum = 2;
	elf.header.e_phoff = UINT64_MAX;
	cr_expect_eq(elf_memory(), 0, "a table that is nowhere");
	elf.header.e_phoff = sizeof(elf.header);
	elf.header.e_machine = EM_AARCH64;
	cr_expect_eq(elf_memory(), 0, "its addresses do not begin at 0");
	cr_expect_eq(kernel_memory(&elf, 20), 0);
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
