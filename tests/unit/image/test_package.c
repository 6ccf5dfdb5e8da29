#include <avf/image.h>

#include <criterion/criterion.h>

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arch.h"
#include "base/checked.h"
#include "base/fd.h"
#include "base/package_mark.h"
#include "image/scratch.h"
#include "image/tree.h"
#include "small_disk.h"

#define EROFS_MAGIC_AT 1024

static char root[PATH_MAX];
static char output[PATH_MAX];

static const char *at(const char *name)
{
	static char path[PATH_MAX];

	cr_assert_eq(path_join(path, root, name), 0);
	return path;
}

static void setup(void)
{
	(void)snprintf(root, sizeof(root), "/tmp/avf-package-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	memcpy(output, at("x.avfpkg"), PATH_MAX);
}

static void teardown(void)
{
	struct scratch all;

	memcpy(all.path, root, sizeof(root));
	scratch_fini(&all);
}

TestSuite(package, .init = setup, .fini = teardown);

static int create(const char *library, const char *assets)
{
	const char *const libraries[] = {library, NULL};
	struct avf_package_options options = AVF_PACKAGE_OPTIONS_INIT;

	options.output = output;
	options.name = "test";
	options.libraries = libraries;
	options.assets = assets;
	return avf_package_create(&options);
}

/* Entries of the directory: nothing temporary may stay. */
static unsigned int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int n = 0;

	cr_assert_not_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n - 2;
}

static size_t read_output(char *buf, size_t size)
{
	FILE *file = fopen(output, "r");
	size_t n;

	cr_assert_not_null(file);
	n = fread(buf, 1, size, file);
	(void)fclose(file);
	return n;
}

Test(package, same_content_gives_the_same_file)
{
	static char first[1 << 20];
	static char second[1 << 20];
	size_t size;

	cr_assert_eq(create(FIXTURE, NULL), 0, "%s", error_record()->text);
	size = read_output(first, sizeof(first));
	cr_expect_eq(memcmp(first + EROFS_MAGIC_AT, "\xe2\xe1\xf5\xe0", 4), 0);
	cr_assert_eq(create(FIXTURE, NULL), 0);
	cr_assert_eq(read_output(second, sizeof(second)), size);
	cr_expect_eq(memcmp(first, second, size), 0);
	cr_expect_eq(count_entries(root), 1);
}

/* The names of its files stand in an EROFS image as they are. */
static bool output_has(const char *name)
{
	static char image[1 << 20];
	const size_t size = read_output(image, sizeof(image));

	return memmem(image, size, name, strlen(name)) != NULL;
}

/* A copy of the library that says that it is for @machine, in a directory of
 * its own: both have the same name. */
static char *library_for(const struct arch *arch)
{
	const uint16_t machine = arch->elf_machine;
	char path[PATH_MAX];
	int fd;

	cr_assert_eq(mkdir(at(arch->name), 0755), 0);
	cr_assert_eq(path_join(path, at(arch->name), "libboth.so"), 0);
	cr_assert_eq(tree_copy_file(FIXTURE, path, 0644), 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	cr_assert_eq(pwrite(fd, &machine, sizeof(machine),
			    offsetof(Elf64_Ehdr, e_machine)),
		     sizeof(machine));
	fd_close(fd);
	return strdup(path);
}

static uint32_t mask_of_output(void)
{
	static char image[1 << 20];

	(void)read_output(image, sizeof(image));
	return package_mark_read((const unsigned char *)image +
				 PACKAGE_MARK_OFFSET);
}

Test(package, one_library_for_both_architectures)
{
	char *both[] = {library_for(arch_at(0)), library_for(arch_at(1))};
	const char *const libraries[] = {both[0], both[1], NULL};
	struct avf_package_options options = AVF_PACKAGE_OPTIONS_INIT;

	options.output = output;
	options.name = "test";
	options.libraries = libraries;
	cr_assert_eq(avf_package_create(&options), 0, "%s",
		     error_record()->text);
	cr_expect(output_has("lib/x86_64/libboth.so"), "in the manifest");
	cr_expect(output_has("lib/arm64-v8a/libboth.so"));
	cr_expect_eq(mask_of_output(), BIT(AVF_ARCHITECTURE_X86_64) |
					       BIT(AVF_ARCHITECTURE_ARM64));
	options.libraries = libraries + 1;
	cr_assert_eq(avf_package_create(&options), 0);
	cr_expect_eq(mask_of_output(), BIT(arch_at(1)->id));
	cr_expect_not(output_has("lib/x86_64"));
	free(both[0]);
	free(both[1]);
}

static int create_with_programs(const char *const *programs, size_t size)
{
	const char *const libraries[] = {FIXTURE, NULL};
	struct avf_package_options options = AVF_PACKAGE_OPTIONS_INIT;

	options.size = size;
	options.output = output;
	options.name = "test";
	options.libraries = libraries;
	options.programs = programs;
	return avf_package_create(&options);
}

Test(package, programs)
{
	const struct avf_package_options whole = AVF_PACKAGE_OPTIONS_INIT;
	char path[PATH_MAX];
	const char *programs[] = {path, NULL, NULL};
	const char *const missing[] = {"/no/such/program", NULL};
	const char *const directory[] = {root, NULL};

	memcpy(path, at("tool_for_payload"), PATH_MAX);
	cr_assert_eq(scratch_write(path, "x", 1), 0);
	cr_assert_eq(create_with_programs(programs, whole.size), 0, "%s",
		     error_record()->text);
	cr_expect(output_has("tool_for_payload"));
	/* who was compiled before there were programs */
	cr_assert_eq(create_with_programs(
			     programs,
			     offsetof(struct avf_package_options, programs)),
		     0);
	cr_expect_not(output_has("tool_for_payload"));
	cr_expect_eq(create_with_programs(missing, whole.size),
		     AVF_ERR_NOT_FOUND);
	cr_expect_lt(create_with_programs(directory, whole.size), 0);
	programs[1] = path;
	cr_expect_lt(create_with_programs(programs, whole.size), 0,
		     "two of one name");
}

struct elf_row {
	const char *what;
	size_t size;
	unsigned char class; /* EI_CLASS */
	unsigned char data;  /* EI_DATA */
	unsigned char type;
	unsigned char machine;
};

static const struct elf_row elf_rows[] = {
	{"an empty file", 0, 2, 1, 3, 62},
	{"half an ELF header", 63, 2, 1, 3, 62},
	{"a 32-bit library", 64, 1, 1, 3, 62},
	{"a big-endian library", 64, 2, 2, 3, 62},
	{"an object file", 64, 2, 1, 1, 62},
	{"a program that is not PIE", 64, 2, 1, 2, 62},
	{"a core dump", 64, 2, 1, 4, 62},
	{"a library for RISC-V", 64, 2, 1, 3, 243},
};

Test(package, files_that_are_no_library)
{
	unsigned char elf[64];

	for (size_t i = 0; i < ARRAY_SIZE(elf_rows); i++) {
		const struct elf_row *row = &elf_rows[i];

		memset(elf, 0, sizeof(elf));
		memcpy(elf, "\177ELF", 4);
		elf[4] = row->class;
		elf[5] = row->data;
		elf[16] = row->type;
		elf[18] = row->machine;
		(void)unlink(at("lib.so"));
		cr_assert_eq(scratch_write(at("lib.so"), elf, row->size), 0);
		cr_expect_eq(create(at("lib.so"), NULL), AVF_ERR_FORMAT, "%s",
			     row->what);
		cr_expect_lt(access(output, F_OK), 0, "%s", row->what);
	}
	cr_expect_eq(count_entries(root), 1, "only lib.so is left");
}

Test(package, missing_things)
{
	struct avf_package_options options = AVF_PACKAGE_OPTIONS_INIT;
	const char *const none[] = {NULL};

	cr_expect_eq(create(at("none.so"), NULL), AVF_ERR_NOT_FOUND);
	cr_expect_eq(create(FIXTURE, at("none")), AVF_ERR_NOT_FOUND);
	cr_expect_eq(create(FIXTURE, FIXTURE), AVF_ERR_IO, "a file as assets");
	cr_expect_eq(avf_package_create(NULL), AVF_ERR_INVALID);
	cr_expect_eq(avf_package_create(&options), AVF_ERR_INVALID, "output");
	options.output = output;
	cr_expect_eq(avf_package_create(&options), AVF_ERR_INVALID, "name");
	options.name = "";
	cr_expect_eq(avf_package_create(&options), AVF_ERR_INVALID, "name");
	options.name = "\xff";
	cr_expect_eq(avf_package_create(&options), AVF_ERR_INVALID,
		     "libraries");
	options.libraries = none;
	cr_expect_eq(avf_package_create(&options), AVF_ERR_INVALID,
		     "libraries");
	options.size = 0;
	cr_expect_eq(avf_package_create(&options), AVF_ERR_INVALID, "size");
}

Test(package, assets_with_a_link)
{
	cr_assert_eq(mkdir(at("assets"), 0755), 0);
	cr_assert_eq(symlink("/etc/shadow", at("assets/link")), 0);
	cr_expect_eq(create(FIXTURE, at("assets")), AVF_ERR_INVALID);
}

Test(package, full_disk_leaves_the_old_one)
{
	char old[4];

	small_disk(root, "size=32k");
	cr_assert_eq(scratch_write(output, "old", 3), 0);
	cr_assert_eq(mkdir(at("x"), 0755), 0);
	cr_expect_eq(create("/proc/self/exe", NULL), AVF_ERR_NO_SPACE, "%s",
		     error_record()->text);
	cr_expect_eq(read_output(old, sizeof(old)), 3);
	cr_expect_eq(memcmp(old, "old", 3), 0);
	cr_expect_eq(count_entries(root), 2, "nothing temporary is left");
	(void)umount2(root, MNT_DETACH); /* so that teardown can remove it */
}
