/* The whole of boot_load(): files in, bytes and registers out. */
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include <criterion/criterion.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "boot/boot.h"
#include "boot/layout_x86_64.h"
#include "support/fake_kernel.h"

#define RAM (32ULL << 20)

static struct gmem gm;

static uint64_t get(gpa_t at, size_t size)
{
	le64 v = le64_make(0);

	cr_assert_eq(gmem_read(&gm, at, v.bytes, size), 0);
	return le64_get(v);
}

static struct boot_input machine(int kernel_fd)
{
	if (gm.n_regions == 0)
		cr_assert_eq(gmem_add_anonymous(&gm, 0, RAM), 0);
	return (struct boot_input){
		.gm = &gm,
		.kernel_fd = kernel_fd,
		.initrd_fd = -1,
		.cmdline = "quiet",
		.n_vcpus = 2,
		.low_ram_size = RAM,
		.ecam = {0xe0000000, 0x100000},
		.mmio32 = {0xc0000000, 0x20000000},
	};
}

static int good_kernel(void)
{
	struct fake_kernel k;

	fake_kernel_init(&k);
	return fake_file(&k, sizeof(k));
}

static int kernel_without_note(void)
{
	struct fake_kernel k;

	fake_kernel_init(&k);
	k.note.p_type = PT_NULL;
	return fake_file(&k, sizeof(k));
}

Test(boot, pvh)
{
	struct boot_input in = machine(good_kernel());
	struct boot_cpu_state s;
	char text[6];

	in.initrd_fd = fake_file("initrd", 6);
	cr_assert_eq(boot_load(&in, &s), 0, "%s", error_record()->text);
	cr_expect_eq(s.mode, BOOT_PVH32);
	cr_expect_eq(s.entry, FAKE_KERNEL_PVH);
	cr_expect_eq(s.boot_info_gpa, LAYOUT_START_INFO);
	cr_expect_eq(s.page_tables_gpa, 0);
	cr_expect_eq(s.cr0, 0x11, "protection on, paging off");
	cr_expect_eq(s.cr4, 0);
	cr_expect_eq(s.efer, 0);
	cr_expect_eq(get(s.boot_info_gpa, 4), 0x336ec578);
	cr_assert_eq(gmem_read(&gm, get(s.boot_info_gpa + 24, 8), text, 6), 0);
	cr_expect_str_eq(text, "quiet");
	cr_assert_eq(gmem_read(&gm, RAM - 4096, text, 6), 0);
	cr_expect_eq(memcmp(text, "initrd", 6), 0);
	cr_expect_eq(get(get(s.boot_info_gpa + 32, 8), 8), 0x2052545020445352,
		     "RSD PTR");
	cr_expect_eq(get(FAKE_KERNEL_BASE + 8, 8), 0x0f0e0d0c0b0a0908);
}

Test(boot, long_mode_without_a_note)
{
	struct boot_input in = machine(kernel_without_note());
	struct boot_cpu_state s;

	cr_assert_eq(boot_load(&in, &s), 0, "%s", error_record()->text);
	cr_expect_eq(s.mode, BOOT_LONG64);
	cr_expect_eq(s.entry, FAKE_KERNEL_ENTRY);
	cr_expect_eq(s.boot_info_gpa, LAYOUT_ZERO_PAGE);
	cr_expect_eq(s.page_tables_gpa, LAYOUT_PAGE_TABLES);
	cr_expect_eq(s.cr0, 0x80000011);
	cr_expect_eq(s.cr4, 0x20);
	cr_expect_eq(s.efer, 0x500);
	cr_expect_eq(get(s.boot_info_gpa + 0x202, 4), 0x53726448);
	cr_expect_neq(get(s.page_tables_gpa, 8), 0);
}

/* The descriptors in memory say what the registers say. */
Test(boot, segments)
{
	struct boot_cpu_state s;
	struct boot_input in;

	in = machine(good_kernel());
	cr_assert_eq(boot_load(&in, &s), 0);
	cr_expect_eq(get(s.gdt_gpa, 8), 0);
	cr_expect_eq(get(s.gdt_gpa + s.code.selector, 8), 0x00cf9b000000ffff);
	cr_expect_eq(get(s.gdt_gpa + s.data.selector, 8), 0x00cf93000000ffff);
	cr_expect_eq(get(s.gdt_gpa + s.task.selector, 8), 0x00008b0000000067);
	cr_expect_gt(s.gdt_limit, s.task.selector);
	in = machine(kernel_without_note());
	cr_assert_eq(boot_load(&in, &s), 0);
	cr_expect_eq(get(s.gdt_gpa + 0x10, 8), 0x00af9b000000ffff);
	cr_expect_eq(s.code.selector, 0x10, "Linux's __BOOT_CS");
	cr_expect_eq(s.data.selector, 0x18, "Linux's __BOOT_DS");
}

/* As bzImage (@setup 1024 bytes of setup code) or just compressed (0). */
static int packed_kernel(size_t setup)
{
	static unsigned char file[8192];
	struct fake_kernel k;
	le32 length;
	size_t n;

	memset(file, 0, sizeof(file));
	fake_kernel_init(&k);
	n = ZSTD_compress(file + setup, sizeof(file) - setup, &k, sizeof(k), 1);
	cr_assert(!ZSTD_isError(n));
	if (setup) {
		length = le32_make((uint32_t)n);
		file[0x1f1] = 1;
		memcpy(file + 0x202, "HdrS\x0f\x02", 6);
		memcpy(file + 0x24c, &length, sizeof(length));
	}
	return fake_file(file, setup + n);
}

Test(boot, compressed_kernels)
{
	struct boot_cpu_state s;
	struct boot_input in;

	in = machine(packed_kernel(1024));
	cr_assert_eq(boot_load(&in, &s), 0, "%s", error_record()->text);
	cr_expect_eq(s.entry, FAKE_KERNEL_PVH, "bzImage");
	in = machine(packed_kernel(0));
	cr_assert_eq(boot_load(&in, &s), 0, "%s", error_record()->text);
	cr_expect_eq(s.entry, FAKE_KERNEL_PVH, "compressed ELF");
}

static int arm64_image(void)
{
	unsigned char file[64] = {0};

	memcpy(file + 56, "ARM\x64", 4);
	return fake_file(file, sizeof(file));
}

static const struct {
	const char *what;
	const char *bytes;
	size_t size;
	int rc;
} bad_files[] = {
	{"an empty file", "", 0, AVF_ERR_FORMAT},
	{"one byte", "x", 1, AVF_ERR_FORMAT},
	{"a script", "#!/bin/sh\n", 10, AVF_ERR_FORMAT},
	{"an ELF magic alone",
	 "\x7f"
	 "ELF",
	 4, AVF_ERR_FORMAT},
	{"a gzip magic alone", "\x1f\x8b\x08", 3, AVF_ERR_FORMAT},
	{"an lz4 magic alone", "\x02\x21\x4c\x18", 4, AVF_ERR_FORMAT},
};

Test(boot, refuses_what_is_no_kernel)
{
	struct boot_cpu_state s;
	struct boot_input in;

	for (size_t i = 0; i < ARRAY_SIZE(bad_files); i++) {
		in = machine(fake_file(bad_files[i].bytes, bad_files[i].size));
		cr_expect_eq(boot_load(&in, &s), bad_files[i].rc, "%s",
			     bad_files[i].what);
	}
	in = machine(arm64_image());
	cr_expect_eq(boot_load(&in, &s), AVF_ERR_UNSUPPORTED);
	cr_expect_str_eq(error_record()->text,
			 "kernel: arm64 Image; this host is x86-64");
}

Test(boot, initrd_never_meets_the_kernel)
{
	const uint64_t room = RAM - (FAKE_KERNEL_BASE + FAKE_KERNEL_SIZE);
	struct boot_input in = machine(good_kernel());
	struct boot_cpu_state s;

	in.initrd_fd = fake_file("x", 1);
	cr_assert_eq(ftruncate(in.initrd_fd, (off_t)room), 0);
	cr_expect_eq(boot_load(&in, &s), 0, "exact fit");
	cr_assert_eq(ftruncate(in.initrd_fd, (off_t)room + 1), 0);
	cr_expect_eq(boot_load(&in, &s), AVF_ERR_LIMIT, "one byte more");
}

/* The page in which the kernel ends is the kernel's. */
Test(boot, initrd_begins_on_a_page_of_its_own)
{
	const uint64_t room = RAM - (FAKE_KERNEL_BASE + FAKE_KERNEL_SIZE);
	struct boot_cpu_state s;
	struct fake_kernel k;
	struct boot_input in;

	fake_kernel_init(&k);
	k.load.p_memsz = FAKE_KERNEL_SIZE + 1;
	in = machine(fake_file(&k, sizeof(k)));
	in.initrd_fd = fake_file("x", 1);
	cr_assert_eq(ftruncate(in.initrd_fd, (off_t)room - 1), 0);
	cr_expect_eq(boot_load(&in, &s), AVF_ERR_LIMIT);
	cr_assert_eq(ftruncate(in.initrd_fd, (off_t)room - 4096), 0);
	cr_expect_eq(boot_load(&in, &s), 0);
}

Test(boot, command_line_to_its_limit)
{
	char text[LAYOUT_CMDLINE_MAX + 2];
	struct boot_input in = machine(good_kernel());
	struct boot_cpu_state s;

	memset(text, 'a', sizeof(text));
	text[LAYOUT_CMDLINE_MAX] = '\0';
	in.cmdline = text;
	cr_expect_eq(boot_load(&in, &s), 0);
	text[LAYOUT_CMDLINE_MAX] = 'a';
	text[LAYOUT_CMDLINE_MAX + 1] = '\0';
	cr_expect_eq(boot_load(&in, &s), AVF_ERR_INVALID);
	in.cmdline = NULL;
	cr_expect_eq(boot_load(&in, &s), 0);
	cr_expect_eq(get(LAYOUT_CMDLINE, 1), 0);
}

Test(boot, refuses_impossible_machines)
{
	const struct boot_input good = machine(good_kernel());
	struct boot_input bad[11];
	struct boot_cpu_state s;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].n_vcpus = 0;
	bad[1].n_vcpus = BOOT_MAX_VCPUS + 1;
	bad[2].low_ram_size = LAYOUT_KERNEL_MIN;
	bad[3].low_ram_size = LAYOUT_HIGH_RAM + 1;
	bad[4].high_ram_size = UINT64_MAX;
	bad[5].ecam.size = 0;
	bad[6].ecam.size = 257U << 20;
	bad[7].ecam.base = LAYOUT_HIGH_RAM;
	bad[8].ecam.base += 1;
	bad[9].mmio64 = (struct boot_range){UINT64_MAX - 0xfff, 0x2000};
	bad[10].mmio32.size -= 1;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(boot_load(&bad[i], &s), AVF_ERR_INVALID, "row %zu",
			     i);
	cr_expect_eq(boot_load(&good, &s), 0);
}
