/* The device tree: byte for byte what dtc makes of tests/unit/boot/golden. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libfdt.h>

#include <criterion/criterion.h>

#include "base/checked.h"
#include "base/fd.h"
#include "boot/dtree.h"

static unsigned char tree[0x10000];
static size_t tree_size;

static struct boot_arm64_input machine(void)
{
	struct boot_arm64_input input = {
		.kernel_fd = -1,
		.initrd_fd = -1,
		.overlay_fd = -1,
		.cmdline = "console=hvc0 quiet",
		.n_vcpus = 2,
		.ram = {0x80000000, 64 << 20},
		.ecam = {0x10000000, 0x100000},
		.mmio32 = {0x20000000, 0x10000000},
		.gic_dist = {0x3fff0000, 0x10000},
		.gic_redist = {0x3c000000, 0x40000},
		.gic_its = {0x3ffd0000, 0x20000},
		.serial = {0x3f8, 8},
		.serial_spi = 0,
		.rtc = {0x2000, 0x1000},
	};

	for (size_t i = 0; i < sizeof(input.seed); i++)
		input.seed[i] = (unsigned char)i;
	return input;
}

static void build(const struct boot_arm64_input *input,
		  struct boot_range initrd)
{
	const struct dtree_places at = {{0x80200000, 0x345678}, initrd};

	cr_assert_eq(dtree_build(input, &at, tree, sizeof(tree), &tree_size), 0,
		     "%s", error_record()->text);
	cr_assert_eq(fdt_check_full(tree, tree_size), 0);
}

static char *read_text(const char *path)
{
	char *text = calloc(1, 0x10000);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	cr_assert(text && fd >= 0, "%s", path);
	cr_assert_geq(fd_read_all(fd, text, 0xffff), 0);
	fd_close(fd);
	return text;
}

/* dtc reads the tree without a warning, and writes the text of @golden. */
static void expect_golden(const char *golden)
{
	char dir[] = "/tmp/avf-dtc-XXXXXX";
	char path[64], command[256];
	char *text, *expected;
	int fd;

	if (system("command -v dtc >/dev/null 2>&1") != 0)
		cr_skip_test("dtc (device-tree-compiler) is not installed");
	cr_assert_not_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/dtb", dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	cr_assert_eq(fd_write_all(fd, tree, tree_size), 0);
	(void)close(fd);
	(void)snprintf(command, sizeof(command),
		       "cd %s && dtc -I dtb -O dts -o dts dtb 2>log", dir);
	cr_expect_eq(system(command), 0);
	(void)snprintf(path, sizeof(path), "%s/log", dir);
	text = read_text(path);
	cr_expect_str_eq(text, "", "dtc warns");
	free(text);
	(void)snprintf(path, sizeof(path), "%s/dts", dir);
	text = read_text(path);
	expected = read_text(golden);
	cr_expect_str_eq(text, expected);
	free(text);
	free(expected);
	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_expect_eq(system(command), 0);
}

Test(dtree, golden)
{
	const struct boot_arm64_input input = machine();

	build(&input, (struct boot_range){0x83f00000, 0x12345});
	expect_golden(GOLDEN_DIR "/arm64.dts");
}

/* With a pool for DMA and a frame for MSIs, without initrd and command line. */
Test(dtree, golden_of_a_protected_vm)
{
	struct boot_arm64_input input = machine();
	struct boot_range pool;

	input.cmdline = NULL;
	input.n_vcpus = 1;
	input.bounce_size = 8 << 20;
	input.gic_its = (struct boot_range){0};
	input.gic_frame = (struct boot_range){0x3ffc0000, 0x1000};
	input.frame_first = 64;
	input.frame_count = 128;
	pool = dtree_bounce_pool(&input);
	cr_expect_eq(pool.base, 0x83800000);
	cr_expect_eq(pool.size, 0x800000);
	build(&input, (struct boot_range){0});
	expect_golden(GOLDEN_DIR "/arm64_protected.dts");
}

/* KVM's numbers of CPUs: 16 in a cluster. */
Test(dtree, many_cpus)
{
	struct boot_arm64_input input = machine();
	int len;
	const fdt32_t *reg;

	input.n_vcpus = BOOT_ARM64_MAX_VCPUS;
	build(&input, (struct boot_range){0});
	reg = fdt_getprop(tree, fdt_path_offset(tree, "/cpus/cpu@30f"), "reg",
			  &len);
	cr_assert(reg && len == 4);
	cr_expect_eq(fdt32_to_cpu(*reg), 0x30f);
	cr_expect_lt(fdt_path_offset(tree, "/cpus/cpu@400"), 0);
}

/* Any buffer that is too small is an error, and nothing behind it changes. */
Test(dtree, no_room)
{
	const struct boot_arm64_input input = machine();
	size_t full, size;

	build(&input, (struct boot_range){0});
	full = tree_size;
	for (size_t room = 0; room < full; room += 37) {
		memset(tree, 0xa5, sizeof(tree));
		cr_assert_eq(dtree_build(&input, &(struct dtree_places){0},
					 tree, room, &size),
			     AVF_ERR_LIMIT, "%zu bytes", room);
		cr_assert_eq(tree[room], 0xa5);
	}
}
