#include "image/initramfs.h"

#include <criterion/criterion.h>

#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "image/scratch.h"

static char root[PATH_MAX];

static const char *at(const char *name)
{
	static char path[PATH_MAX];

	cr_assert_eq(path_join(path, root, name), 0);
	return path;
}

static void setup(void)
{
	(void)snprintf(root, sizeof(root), "/tmp/avf-initramfs-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
}

static void teardown(void)
{
	struct scratch all;

	memcpy(all.path, root, sizeof(root));
	scratch_fini(&all);
}

TestSuite(initramfs, .init = setup, .fini = teardown);

/* An "init" of which only the header is there. */
static void add_init(const struct arch *arch)
{
	Elf64_Ehdr header = {.e_type = ET_EXEC, .e_machine = arch->elf_machine};

	memcpy(header.e_ident, ELFMAG, SELFMAG);
	header.e_ident[EI_CLASS] = ELFCLASS64;
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	cr_assert_eq(scratch_write(at("init"), &header, sizeof(header)), 0);
}

static int write_for(const struct arch *arch)
{
	const struct initramfs_parts parts = {
		.arch = arch,
		.guest_dir = root,
		.modules_dir = root,
	};
	char path[PATH_MAX];

	memcpy(path, at("initrd"), PATH_MAX);
	return initramfs_write(path, &parts);
}

Test(initramfs, programs_of_another_architecture)
{
	add_init(arch_find(AVF_ARCHITECTURE_X86_64));
	cr_expect_eq(write_for(arch_find(AVF_ARCHITECTURE_ARM64)),
		     AVF_ERR_FORMAT);
	cr_expect_not_null(strstr(error_record()->text,
				  "init is for x86_64, not for arm64"),
			   "%s", error_record()->text);
}

Test(initramfs, a_directory_without_our_programs)
{
	cr_expect_eq(write_for(arch_host()), AVF_ERR_NOT_FOUND);
	(void)remove(at("initrd"));
	add_init(arch_host());
	cr_expect_eq(write_for(arch_host()), AVF_ERR_NOT_FOUND, "no launcher");
}

Test(initramfs, the_error_names_what_is_missing)
{
	const struct arch *arch =
		arch_at(0) == arch_host() ? arch_at(1) : arch_at(0);
	char dir[PATH_MAX];

	/* the other one's programs are never beside a library just built */
	cr_expect_eq(initramfs_guest_dir(arch, dir, sizeof(dir)),
		     AVF_ERR_NOT_FOUND);
	cr_expect_not_null(strstr(error_record()->text, arch->name));
	cr_expect_eq(initramfs_guest_dir(arch_host(), dir, 8),
		     AVF_ERR_NOT_FOUND, "no room");
}
