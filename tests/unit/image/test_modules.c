#include <criterion/criterion.h>

#include <elf.h>
#include <string.h>

#include "base/checked.h"
#include "image/modules.h"

/* A module with the sections: null, .shstrtab, .modinfo. */
static struct {
	Elf64_Ehdr header;
	Elf64_Shdr sections[3];
	char names[24];
	char info[32];
} module;

static void make_module(void)
{
	memset(&module, 0, sizeof(module));
	memcpy(module.header.e_ident, ELFMAG, SELFMAG);
	module.header.e_ident[EI_CLASS] = ELFCLASS64;
	module.header.e_shentsize = sizeof(Elf64_Shdr);
	module.header.e_shoff = offsetof(__typeof__(module), sections);
	module.header.e_shnum = 3;
	module.header.e_shstrndx = 1;
	module.sections[1].sh_offset = offsetof(__typeof__(module), names);
	module.sections[1].sh_size = sizeof(module.names);
	module.sections[2].sh_name = 1;
	module.sections[2].sh_offset = offsetof(__typeof__(module), info);
	module.sections[2].sh_size = sizeof(module.info);
	memcpy(module.names + 1, ".modinfo", 9);
	memcpy(module.info, "license=GPL\0depends=a,b\0", 24);
}

Test(modules, value_is_found)
{
	const char *value;

	make_module();
	value = modules_info(&module, sizeof(module), "depends");
	cr_assert_not_null(value);
	cr_expect_str_eq(value, "a,b");
	cr_expect_null(modules_info(&module, sizeof(module), "depend"));
}

static void no_magic(void)
{
	module.header.e_ident[0] = 0;
}
static void class_32(void)
{
	module.header.e_ident[EI_CLASS] = ELFCLASS32;
}
static void headers_outside(void)
{
	module.header.e_shoff = UINT64_MAX - 7;
}
static void headers_odd(void)
{
	module.header.e_shoff += 1;
}
static void too_many(void)
{
	module.header.e_shnum = UINT16_MAX;
}
static void no_strings(void)
{
	module.header.e_shstrndx = 3;
}
static void strings_outside(void)
{
	module.sections[1].sh_offset = UINT64_MAX;
}
static void strings_long(void)
{
	module.sections[1].sh_size = UINT64_MAX;
}
static void strings_open(void)
{
	module.names[23] = 'x';
}
static void name_outside(void)
{
	module.sections[2].sh_name = UINT32_MAX;
}
static void info_outside(void)
{
	module.sections[2].sh_size = 4096;
}
static void info_open(void)
{
	module.info[31] = 'x';
}
static void info_empty(void)
{
	module.sections[2].sh_size = 0;
}

static const struct {
	const char *what;
	void (*damage)(void);
} rows[] = {
	{"no ELF magic", no_magic},
	{"a 32-bit module", class_32},
	{"section headers that wrap", headers_outside},
	{"section headers out of alignment", headers_odd},
	{"more sections than bytes", too_many},
	{"no section of names", no_strings},
	{"names outside of the file", strings_outside},
	{"names longer than the file", strings_long},
	{"names without an end", strings_open},
	{"a section's name outside of the names", name_outside},
	{"information longer than the file", info_outside},
	{"information without an end", info_open},
	{"no information", info_empty},
};

Test(modules, hostile_modules)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		make_module();
		rows[i].damage();
		cr_expect_null(modules_info(&module, sizeof(module), "depends"),
			       "%s", rows[i].what);
	}
	make_module();
	for (size_t size = 0; size < sizeof(module); size++)
		cr_expect_null(modules_info(&module, size, "depends"),
			       "cut to %zu bytes", size);
}
