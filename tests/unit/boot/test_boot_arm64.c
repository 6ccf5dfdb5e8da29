/* The whole of boot_arm64_load(): files in, bytes and registers out. */
#include <string.h>
#include <unistd.h>

#include <libfdt.h>
#include <zlib.h>

#include <criterion/criterion.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "boot/boot_arm64.h"
#include "support/fake_kernel.h"

#define RAM  0x80000000ULL
#define SIZE (16ULL << 20)

static struct gmem gm;
static unsigned char image[0x2000];

static struct boot_arm64_input machine(int kernel_fd)
{
	if (gm.n_regions == 0)
		cr_assert_eq(gmem_add_anonymous(&gm, RAM, SIZE), 0);
	return (struct boot_arm64_input){
		.gm = &gm,
		.kernel_fd = kernel_fd,
		.initrd_fd = -1,
		.overlay_fd = -1,
		.cmdline = "quiet",
		.n_vcpus = 1,
		.ram = {RAM, SIZE},
		.ecam = {0x10000000, 0x100000},
		.mmio32 = {0x20000000, 0x10000000},
		.gic_dist = {0x3fff0000, 0x10000},
		.gic_redist = {0x3c000000, 0x20000},
		.gic_its = {0x3ffd0000, 0x20000},
		.serial = {0x3f8, 8},
		.rtc = {0x2000, 0x1000},
	};
}

static void make_image(void)
{
	const le64 size = le64_make(0x100000), flags = le64_make(0xa);

	memset(image, 0x77, sizeof(image));
	memset(image + 8, 0, 8);
	memcpy(image + 16, &size, 8);
	memcpy(image + 24, &flags, 8);
	memcpy(image + 56, "ARM\x64", 4);
}

static int good_kernel(void)
{
	make_image();
	return fake_file(image, sizeof(image));
}

static uint64_t get(gpa_t at)
{
	le64 v;

	cr_assert_eq(gmem_read(&gm, at, &v, sizeof(v)), 0);
	return le64_get(v);
}

/* The number of two cells in /chosen. */
static uint64_t chosen(const char *name)
{
	struct gmem_slice s;
	const void *value;
	int len;

	cr_assert_eq(gmem_map(&gm, RAM, 0x10000, &s), 0);
	value = fdt_getprop(s.host, fdt_path_offset(s.host, "/chosen"), name,
			    &len);
	if (!value)
		return 0;
	cr_assert_eq(len, 8);
	return fdt64_ld(value);
}

Test(boot_arm64, image)
{
	const struct boot_arm64_input input = machine(good_kernel());
	struct boot_arm64_state state;

	cr_assert_eq(boot_arm64_load(&input, &state), 0);
	cr_expect_eq(state.entry, RAM + 0x200000);
	cr_expect_eq(state.dtree, RAM);
	cr_expect_eq(get(state.entry + 64), 0x7777777777777777);
	cr_expect_eq(chosen("linux,initrd-start"), 0);
	close(input.kernel_fd);
}

/* A firmware finds the signature at the end of what it is told to check, which
 * is the file's end: a BSS behind it has none. */
Test(boot_arm64, kernel_for_a_firmware)
{
	struct boot_arm64_input input = machine(good_kernel());
	struct boot_arm64_state state;
	struct gmem_slice s;
	const void *size;

	input.bounce_size = 0x800000;
	cr_assert_eq(boot_arm64_load(&input, &state), 0);
	cr_expect_eq(state.kernel_size, sizeof(image));
	cr_assert_eq(gmem_map(&gm, RAM, 0x10000, &s), 0);
	size = fdt_getprop(s.host, fdt_path_offset(s.host, "/config"),
			   "kernel-size", NULL);
	cr_assert_not_null(size);
	cr_expect_eq(fdt32_ld(size), sizeof(image));
	close(input.kernel_fd);
}

/* Returns how many bytes of @to a gzipped Image takes. */
static size_t pack(unsigned char *to, size_t size)
{
	z_stream z = {0};

	make_image();
	cr_assert_eq(
		deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
		Z_OK);
	z.next_in = image;
	z.avail_in = sizeof(image);
	z.next_out = to;
	z.avail_out = (uInt)size;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

Test(boot_arm64, compressed_image)
{
	unsigned char packed[sizeof(image)];
	struct boot_arm64_input input;
	struct boot_arm64_state state;

	input = machine(fake_file(packed, pack(packed, sizeof(packed))));
	cr_assert_eq(boot_arm64_load(&input, &state), 0, "%s",
		     error_record()->text);
	cr_expect_eq(get(state.entry + 64), 0x7777777777777777);
	close(input.kernel_fd);
}

/* As distributions install it: an EFI program with the kernel in it. */
Test(boot_arm64, image_in_an_efi_program)
{
	static const struct {
		const char *what;
		uint32_t offset, size; /* what the header says, more or less */
		int rc;
	} rows[] = {
		{"where it is", 0, 0, 0},
		{"beside it", 1, 0, AVF_ERR_FORMAT},
		{"less than it is", 0, UINT32_MAX - 7, AVF_ERR_FORMAT},
		{"behind the end of the file", 0x10000, 0, AVF_ERR_FORMAT},
		{"over the end of the file", 0, 0x10000, AVF_ERR_FORMAT},
		{"nowhere", UINT32_MAX - 0x200, 0, AVF_ERR_FORMAT},
	};
	static unsigned char file[0x200 + sizeof(image)];
	const size_t size = pack(file + 0x200, sizeof(image));

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const le32 offset = le32_make(0x200 + rows[i].offset);
		const le32 len = le32_make((uint32_t)size + rows[i].size);
		struct boot_arm64_input input;
		struct boot_arm64_state state;

		memcpy(file, "MZ\0\0zimg", 8);
		memcpy(file + 8, &offset, 4);
		memcpy(file + 12, &len, 4);
		input = machine(fake_file(file, 0x200 + size));
		cr_expect_eq(boot_arm64_load(&input, &state), rows[i].rc,
			     "%s: %s", rows[i].what, error_record()->text);
		if (rows[i].rc == 0)
			cr_expect_eq(get(state.entry + 64), 0x7777777777777777);
		close(input.kernel_fd);
	}
}

/* At the top of RAM, below the pool of a protected VM. */
Test(boot_arm64, initrd)
{
	struct boot_arm64_input input = machine(good_kernel());
	struct boot_arm64_state state;

	input.initrd_fd = fake_file("initrd", 6);
	cr_assert_eq(boot_arm64_load(&input, &state), 0);
	cr_expect_eq(chosen("linux,initrd-start"), RAM + SIZE - 4096);
	cr_expect_eq(chosen("linux,initrd-end"), RAM + SIZE - 4096 + 6);
	input.bounce_size = 0x800000;
	cr_assert_eq(boot_arm64_load(&input, &state), 0);
	cr_expect_eq(chosen("linux,initrd-start"), RAM + SIZE - 0x801000);
	close(input.kernel_fd);
	close(input.initrd_fd);
}

Test(boot_arm64, initrd_that_does_not_fit)
{
	struct boot_arm64_input input = machine(good_kernel());
	struct boot_arm64_state state;

	input.initrd_fd = fake_file("", 0);
	cr_assert_eq(ftruncate(input.initrd_fd, (13 << 20) + 1), 0);
	cr_expect_eq(boot_arm64_load(&input, &state), AVF_ERR_LIMIT);
	cr_assert_eq(ftruncate(input.initrd_fd, 13 << 20), 0);
	cr_expect_eq(boot_arm64_load(&input, &state), 0);
	input.bounce_size = 0x800000;
	cr_expect_eq(boot_arm64_load(&input, &state), AVF_ERR_LIMIT);
	close(input.kernel_fd);
	close(input.initrd_fd);
}

static void expect_error(struct boot_arm64_input input, int rc,
			 const char *part)
{
	struct boot_arm64_state state;

	cr_expect_eq(boot_arm64_load(&input, &state), rc, "%s",
		     error_record()->text);
	cr_expect_not_null(strstr(error_record()->text, part), "%s",
			   error_record()->text);
	close(input.kernel_fd);
}

Test(boot_arm64, other_kernels)
{
	static unsigned char bzimage[0x400];
	struct fake_kernel elf;

	memcpy(bzimage + 0x1fe, "\x55\xaa", 2);
	memcpy(bzimage + 0x202, "HdrS", 4);
	fake_kernel_init(&elf);
	expect_error(machine(fake_file(bzimage, sizeof(bzimage))),
		     AVF_ERR_UNSUPPORTED, "x86 bzImage");
	expect_error(machine(fake_file(&elf, sizeof(elf))), AVF_ERR_UNSUPPORTED,
		     "ELF for x86-64; an arm64 VM boots an Image");
	expect_error(machine(fake_file("#!/bin/sh\n", 10)), AVF_ERR_FORMAT,
		     "no arm64 Image");
	expect_error(machine(fake_file("", 0)), AVF_ERR_FORMAT, "kernel");
	expect_error(machine(fake_file("\x1f\x8b\x08 nonsense", 12)),
		     AVF_ERR_FORMAT, "");
}

Test(boot_arm64, bad_input)
{
	static char text[2049];
	struct boot_arm64_input input;

	memset(text, 'a', sizeof(text) - 1);
	input = machine(good_kernel());
	input.n_vcpus = 0;
	expect_error(input, AVF_ERR_INVALID, "vCPUs: 0");
	input = machine(good_kernel());
	input.n_vcpus = BOOT_ARM64_MAX_VCPUS + 1;
	expect_error(input, AVF_ERR_INVALID, "vCPUs: 65");
	input = machine(good_kernel());
	input.cmdline = text;
	expect_error(input, AVF_ERR_INVALID, "command line: 2048");
	input = machine(good_kernel());
	input.ram.base += 4096;
	expect_error(input, AVF_ERR_INVALID, "RAM");
	input = machine(good_kernel());
	input.ram.size = 0x3fffff;
	expect_error(input, AVF_ERR_INVALID, "RAM");
	input = machine(good_kernel());
	input.bounce_size = SIZE;
	expect_error(input, AVF_ERR_INVALID, "RAM");
	input = machine(good_kernel());
	input.bounce_size = UINT64_MAX;
	expect_error(input, AVF_ERR_INVALID, "RAM");
}

/* An overlay that sets a property of the node at @path, made by hand as dtc
 * would: /fragment@0 { target-path; __overlay__ { ... } }. */
static size_t make_overlay(unsigned char *to, size_t size, const char *path)
{
	cr_assert_eq(fdt_create(to, (int)size), 0);
	cr_assert_eq(fdt_finish_reservemap(to), 0);
	cr_assert_eq(fdt_begin_node(to, ""), 0);
	cr_assert_eq(fdt_begin_node(to, "fragment@0"), 0);
	cr_assert_eq(
		fdt_property(to, "target-path", path, (int)strlen(path) + 1),
		0);
	cr_assert_eq(fdt_begin_node(to, "__overlay__"), 0);
	cr_assert_eq(fdt_property(to, "added", "by the overlay", 15), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(fdt_end_node(to), 0);
	cr_assert_eq(fdt_finish(to), 0);
	return fdt_totalsize(to);
}

static struct boot_arm64_input with_overlay(const void *overlay, size_t size)
{
	struct boot_arm64_input input = machine(good_kernel());

	input.overlay_fd = fake_file(overlay, size);
	return input;
}

Test(boot_arm64, overlay)
{
	static unsigned char overlay[1024];
	const struct boot_arm64_input input = with_overlay(
		overlay, make_overlay(overlay, sizeof(overlay), "/chosen"));
	struct boot_arm64_state state;
	struct gmem_slice s;
	const char *text;

	cr_assert_eq(boot_arm64_load(&input, &state), 0, "%s",
		     error_record()->text);
	cr_assert_eq(gmem_map(&gm, RAM, 0x10000, &s), 0);
	cr_assert_eq(fdt_check_full(s.host, 0x10000), 0);
	text = fdt_getprop(s.host, fdt_path_offset(s.host, "/chosen"), "added",
			   NULL);
	cr_assert_not_null(text);
	cr_expect_str_eq(text, "by the overlay");
	close(input.kernel_fd);
	close(input.overlay_fd);
}

/* Each with the field, the reason and the next step in its error. */
Test(boot_arm64, overlays_that_do_not_apply)
{
	static unsigned char overlay[1024], large[0x20001];
	size_t size = make_overlay(overlay, sizeof(overlay), "/nowhere");
	struct boot_arm64_input input = with_overlay(overlay, size);

	expect_error(input, AVF_ERR_INVALID,
		     "device_tree_overlay: does not apply (FDT_ERR_NOTFOUND); "
		     "its targets must be paths");
	close(input.overlay_fd);
	input = with_overlay("/dts-v1/; / { };", 16);
	expect_error(input, AVF_ERR_FORMAT, "make it with `dtc -@`");
	close(input.overlay_fd);
	input = with_overlay("", 0);
	expect_error(input, AVF_ERR_LIMIT, "device_tree_overlay: 0 bytes");
	close(input.overlay_fd);
	input = with_overlay(large, sizeof(large));
	expect_error(input, AVF_ERR_LIMIT, "device_tree_overlay: 131073 bytes");
	close(input.overlay_fd);
	/* cut anywhere */
	size = make_overlay(overlay, sizeof(overlay), "/chosen");
	for (size_t n = 1; n < size; n++) {
		input = with_overlay(overlay, n);
		expect_error(input, AVF_ERR_FORMAT, "device_tree_overlay: no");
		close(input.overlay_fd);
	}
}

/* As make_overlay(), of as many levels as @depth. */
static size_t make_deep_overlay(unsigned char *to, size_t size,
				unsigned int depth)
{
	/* the root, the fragment and __overlay__ are levels, too */
	const unsigned int outer = 3;

	cr_assert_eq(fdt_create(to, (int)size), 0);
	cr_assert_eq(fdt_finish_reservemap(to), 0);
	cr_assert_eq(fdt_begin_node(to, ""), 0);
	cr_assert_eq(fdt_begin_node(to, "fragment@0"), 0);
	cr_assert_eq(fdt_property(to, "target-path", "/chosen", 8), 0);
	cr_assert_eq(fdt_begin_node(to, "__overlay__"), 0);
	for (unsigned int i = outer; i < depth; i++)
		cr_assert_eq(fdt_begin_node(to, "a"), 0);
	for (unsigned int i = 0; i < depth; i++)
		cr_assert_eq(fdt_end_node(to), 0);
	cr_assert_eq(fdt_finish(to), 0);
	return fdt_totalsize(to);
}

Test(boot_arm64, overlays_of_many_levels)
{
	static const struct {
		unsigned int depth;
		int rc;
	} rows[] = {
		{64, 0},
		{65, AVF_ERR_LIMIT},
		{10000, AVF_ERR_LIMIT},
	};
	static unsigned char overlay[0x20000];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct boot_arm64_input input = with_overlay(
			overlay, make_deep_overlay(overlay, sizeof(overlay),
						   rows[i].depth));
		struct boot_arm64_state state;

		cr_expect_eq(boot_arm64_load(&input, &state), rows[i].rc,
			     "%u levels: %s", rows[i].depth,
			     error_record()->text);
		close(input.kernel_fd);
		close(input.overlay_fd);
	}
}

/* Whatever one byte of it says, it applies or it does not. */
Test(boot_arm64, overlays_with_a_wrong_byte)
{
	static const unsigned char values[] = {0, 1, 3, 9, 0x7f, 0x80, 0xff};
	static unsigned char overlay[1024];
	const size_t size = make_overlay(overlay, sizeof(overlay), "/chosen");
	struct boot_arm64_state state;
	struct gmem_slice s;

	for (size_t at = 0; at < size; at++) {
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			const unsigned char before = overlay[at];
			struct boot_arm64_input input;

			overlay[at] = values[i];
			input = with_overlay(overlay, size);
			if (boot_arm64_load(&input, &state) == 0) {
				cr_assert_eq(gmem_map(&gm, RAM, 0x40000, &s),
					     0);
				cr_expect_eq(fdt_check_full(s.host, 0x40000),
					     0);
			}
			overlay[at] = before;
			close(input.kernel_fd);
			close(input.overlay_fd);
		}
	}
}
