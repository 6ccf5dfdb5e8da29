/* Every problem at once, by the path of its field. */
#include "config_dir.h"

#include <sys/sysinfo.h>

#include "base/arch.h"
#include "base/checked.h"
#include "base/fd.h"
#include "base/package_mark.h"
#include "config/config.h"

static avf_config *raw;
static avf_config *payload;

static void setup(void)
{
	make_dir();
	make_file("kernel", "x", 4096);
	make_file("disk", NULL, 4096);
	make_file("empty", NULL, 0);
	make_file("odd", NULL, 513);
	make_file("large", "x", 3 << 20);
	make_file("vmlinux", "\177ELF", 3 << 20);
	cr_assert_eq(avf_config_new(AVF_CONFIG_RAW, &raw), 0);
	cr_assert_eq(avf_config_new(AVF_CONFIG_PAYLOAD, &payload), 0);
}

static void teardown(void)
{
	avf_config_free(raw);
	avf_config_free(payload);
	remove_dir();
}

TestSuite(config_validate, .init = setup, .fini = teardown);

/* The problems of @config as "field: text" lines, together. */
static const char *problems_of(const avf_config *config)
{
	static char all[4096];
	avf_problems *problems;
	size_t used = 0;
	int n;

	n = avf_config_validate(config, &problems);
	cr_assert_geq(n, 0);
	cr_expect_eq((size_t)n, avf_problems_count(problems));
	all[0] = '\0';
	for (size_t i = 0; i < (size_t)n; i++)
		used += (size_t)snprintf(all + used, sizeof(all) - used,
					 "%s: %s\n",
					 avf_problems_field(problems, i),
					 avf_problems_text(problems, i));
	cr_expect_null(avf_problems_field(problems, (size_t)n));
	cr_expect_null(avf_problems_text(problems, (size_t)n));
	avf_problems_free(problems);
	return all;
}

static void expect_problem(const avf_config *config, const char *part)
{
	const char *all = problems_of(config);

	cr_expect_not_null(strstr(all, part), "\"%s\" not in:\n%s", part, all);
}

static void add_disk(const char *name, bool writable)
{
	struct avf_disk_options options = AVF_DISK_OPTIONS_INIT;

	options.writable = writable;
	cr_assert_eq(avf_config_add_disk(raw, path_of(name), &options), 0);
}

Test(config_validate, a_good_one_has_none)
{
	cr_assert_eq(avf_config_set_kernel(raw, path_of("kernel")), 0);
	add_disk("disk", true);
	cr_expect_str_eq(problems_of(raw), "");
	cr_expect_eq(config_check(raw), 0);
	cr_expect_eq(avf_config_validate(raw, NULL), 0);
}

Test(config_validate, all_at_once)
{
	cr_assert_eq(avf_config_set_protected(raw, true), 0);
	add_disk("empty", false);
	add_disk("odd", false);
	expect_problem(raw, "kernel: a raw VM needs a kernel");
	expect_problem(raw, "protected: Protected VMs are not supported on "
			    "this device.");
	expect_problem(raw, "disks[0].image: the image is empty");
	expect_problem(raw, "disks[1].image: size of 513 bytes");
	cr_expect_eq(avf_config_validate(raw, NULL), 4);
	cr_expect_eq(config_check(raw), AVF_ERR_INVALID);
	cr_expect_not_null(strstr(error_record()->text, "protected: "));
}

Test(config_validate, payload_needs_package_and_name)
{
	expect_problem(payload, "package: ");
	expect_problem(payload, "payload_name: ");
	cr_expect_eq(avf_config_validate(payload, NULL), 2);
	cr_assert_eq(avf_config_set_payload_name(payload, "libx.so"), 0);
	cr_expect_eq(avf_config_validate(payload, NULL), 1);
}

Test(config_validate, payload_is_named_or_described)
{
	cr_assert_eq(avf_config_set_payload_config_path(payload, "a.json"), 0);
	cr_expect_eq(avf_config_validate(payload, NULL), 1);
	cr_assert_eq(avf_config_set_payload_name(payload, "libx.so"), 0);
	expect_problem(payload, "payload_config_path: payload_name is given");
	cr_expect_eq(avf_config_validate(payload, NULL), 2);
}

Test(config_validate, another_architecture_needs_emulation)
{
	cr_assert_eq(avf_config_set_kernel(raw, path_of("kernel")), 0);
	cr_assert_eq(avf_config_set_architecture(raw, arch_host()->id), 0);
	cr_expect_str_eq(problems_of(raw), "", "the host's, by its name");
	cr_assert_eq(avf_config_set_architecture(raw, foreign()->id), 0);
	expect_problem(raw, "architecture: a guest for ");
	expect_problem(raw, foreign()->name);
	cr_expect_eq(avf_config_validate(raw, NULL), 1);
	cr_assert_eq(avf_config_set_acceleration(
			     raw, AVF_ACCELERATION_KVM_OR_EMULATION),
		     0);
	cr_expect_str_eq(problems_of(raw), "");
	cr_assert_eq(
		avf_config_set_acceleration(raw, AVF_ACCELERATION_EMULATION),
		0);
	cr_expect_str_eq(problems_of(raw), "");
	cr_assert_eq(avf_config_set_protected(raw, true), 0);
	expect_problem(raw, "protected: a guest of another architecture");
}

/* On a host without protected VMs there are two problems, and both are told. */
Test(config_validate, a_protected_vm_is_not_emulated)
{
	cr_assert_eq(avf_config_set_kernel(raw, path_of("kernel")), 0);
	cr_assert_eq(
		avf_config_set_acceleration(raw, AVF_ACCELERATION_EMULATION),
		0);
	cr_expect_str_eq(problems_of(raw), "");
	cr_assert_eq(avf_config_set_protected(raw, true), 0);
	expect_problem(raw, "acceleration: an emulated guest's memory is the "
			    "host's to read; a protected VM needs KVM");
	cr_expect_eq(config_check(raw), AVF_ERR_INVALID);
	/* with KVM allowed, KVM it is */
	cr_assert_eq(avf_config_set_acceleration(
			     raw, AVF_ACCELERATION_KVM_OR_EMULATION),
		     0);
	cr_expect_null(strstr(problems_of(raw), "acceleration: "));
}

/* An EROFS superblock, and what ours has as its UUID. */
static void make_package(uint32_t mask, size_t size)
{
	static const unsigned char erofs[] = {0xe2, 0xe1, 0xf5, 0xe0};
	static const unsigned char mark[6] = "avfpkg";
	unsigned char last = (unsigned char)mask;
	int fd;

	make_file("package", NULL, (off_t)size);
	fd = open(path_of("package"), O_WRONLY | O_CLOEXEC);
	cr_assert_eq(pwrite(fd, erofs, sizeof(erofs), 1024), sizeof(erofs));
	if (mask != 0) {
		(void)!pwrite(fd, mark, sizeof(mark), PACKAGE_MARK_OFFSET);
		(void)!pwrite(fd, &last, 1, PACKAGE_MARK_OFFSET + 15);
	}
	cr_assert_eq(ftruncate(fd, (off_t)size), 0);
	fd_close(fd);
	cr_assert_eq(avf_config_set_package(payload, path_of("package")), 0);
	(void)unlink(path_of("package"));
}

Test(config_validate, packages_of_architectures)
{
	static const struct {
		const char *what;
		bool own;
		bool other;
		size_t size;
		bool good;
	} rows[] = {
		{"the host's", true, false, 8192, true},
		{"both", true, true, 8192, true},
		{"the other one", false, true, 8192, false},
		{"one that says nothing", false, false, 8192, true},
		{"one that ends in its mark", false, true,
		 PACKAGE_MARK_OFFSET + 15, true},
	};
	uint32_t mask;
	bool good;

	cr_assert_eq(avf_config_set_payload_name(payload, "libx.so"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		mask = (rows[i].own ? BIT(arch_host()->id) : 0) |
		       (rows[i].other ? BIT(foreign()->id) : 0);
		make_package(mask, rows[i].size);
		good = *problems_of(payload) == '\0';
		cr_expect_eq(good, rows[i].good, "%s: %s", rows[i].what,
			     problems_of(payload));
	}
	make_package(BIT(foreign()->id), 8192);
	expect_problem(payload, "package: has libraries for ");
	expect_problem(payload, foreign()->name);
	expect_problem(payload, arch_host()->name);
}

Test(config_validate, consoles_need_debug_level_full)
{
	int fd = open("/dev/null", O_RDWR);

	cr_assert_eq(avf_config_set_console_output(payload, fd), 0);
	cr_assert_eq(avf_config_set_console_input(payload, fd), 0);
	expect_problem(payload, "console_output: debug level must be FULL to "
				"capture output");
	expect_problem(payload, "console_input: debug level must be FULL to "
				"use console input");
	cr_assert_eq(avf_config_set_debug_level(payload, AVF_DEBUG_LEVEL_FULL),
		     0);
	cr_expect_null(strstr(problems_of(payload), "debug level"));
	cr_assert_eq(avf_config_set_console_output(raw, fd), 0);
	cr_expect_null(strstr(problems_of(raw), "debug level"),
		       "a raw VM has no such rule");
	close(fd);
}

Test(config_validate, memory_of_the_host_is_the_limit)
{
	struct sysinfo info;
	uint64_t mib;

	cr_assert_eq(sysinfo(&info), 0);
	mib = ((uint64_t)info.totalram * info.mem_unit) >> 20;
	cr_assert_eq(avf_config_set_kernel(raw, path_of("kernel")), 0);
	if (mib >= AVF_MAX_MEMORY_MIB)
		cr_skip("this host has more memory than a VM may have");
	cr_assert_eq(avf_config_set_memory_mib(raw, (uint32_t)mib), 0);
	cr_expect_eq(avf_config_validate(raw, NULL), 0);
	cr_assert_eq(avf_config_set_memory_mib(raw, (uint32_t)mib + 1), 0);
	expect_problem(raw, "memory_mib: ");
}

/* Only our own machine has a device tree, and only that of arm64. */
Test(config_validate, device_tree_overlay)
{
	const bool has_tree = arch_host()->id == AVF_ARCHITECTURE_ARM64;

	cr_assert_eq(avf_config_set_kernel(raw, path_of("kernel")), 0);
	cr_assert_eq(avf_config_set_device_tree_overlay(raw, path_of("disk")),
		     0);
	cr_expect_str_eq(avf_config_get_device_tree_overlay(raw),
			 path_of("disk"));
	if (has_tree)
		cr_expect_eq(avf_config_validate(raw, NULL), 0);
	else
		expect_problem(raw, "device_tree_overlay: a machine of x86-64 "
				    "has no device tree; run it without");
	cr_assert_eq(
		avf_config_set_acceleration(raw, AVF_ACCELERATION_EMULATION),
		0);
	expect_problem(raw, "device_tree_overlay: under emulation");
	cr_expect_eq(
		avf_config_set_device_tree_overlay(payload, path_of("disk")),
		AVF_ERR_STATE);
}

Test(config_validate, what_is_loaded_must_fit)
{
	cr_assert_eq(avf_config_set_memory_mib(raw, 2), 0);
	cr_assert_eq(avf_config_set_kernel(raw, path_of("large")), 0);
	cr_assert_eq(avf_config_set_initrd(raw, path_of("large")), 0);
	expect_problem(raw, "kernel: 3145728 bytes do not fit into 2 MiB");
	expect_problem(raw, "initrd: 3145728 bytes do not fit into 2 MiB");
	cr_assert_eq(avf_config_set_kernel(raw, path_of("vmlinux")), 0);
	cr_expect_null(strstr(problems_of(raw), "kernel"),
		       "an ELF file's debug information is not loaded");
	cr_assert_eq(avf_config_set_kernel(raw, path_of("empty")), 0);
	expect_problem(raw, "kernel: the file is empty");
}

Test(config_validate, one_writer_and_nobody_else)
{
	cr_assert_eq(avf_config_set_kernel(raw, path_of("kernel")), 0);
	add_disk("disk", false);
	add_disk("disk", false);
	cr_expect_str_eq(problems_of(raw), "", "two readers");
	cr_assert_eq(linkat(dir_fd, "disk", dir_fd, "alias", 0), 0);
	add_disk("alias", true);
	expect_problem(raw, "disks[2].image: the same file as disks[0]");
	add_disk("disk", false);
	expect_problem(raw, "disks[3].image: the same file as disks[2]");
}

Test(config_validate, a_file_that_shrinks_is_noticed)
{
	cr_assert_eq(avf_config_set_kernel(raw, path_of("kernel")), 0);
	add_disk("disk", false);
	cr_expect_eq(avf_config_validate(raw, NULL), 0);
	make_file("disk", NULL, 100);
	expect_problem(raw, "disks[0].image: size of 100 bytes");
}

Test(config_validate, no_list_is_an_empty_list)
{
	cr_expect_eq(avf_problems_count(NULL), 0);
	cr_expect_null(avf_problems_field(NULL, 0));
	avf_problems_free(NULL);
}
