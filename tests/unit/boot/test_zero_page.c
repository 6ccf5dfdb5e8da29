/* The zero page's fields at their documented offsets, and the page tables. */
#include <string.h>

#include <criterion/criterion.h>

#include "base/byteorder.h"
#include "boot/layout_x86_64.h"
#include "boot/zero_page.h"

static struct gmem gm;

static uint64_t get(gpa_t at, size_t size)
{
	le64 v = le64_make(0);

	cr_assert_eq(gmem_read(&gm, at, v.bytes, size), 0);
	return le64_get(v);
}

static void setup(uint64_t size)
{
	gmem_init(&gm);
	cr_assert_eq(gmem_add_anonymous(&gm, 0, size), 0);
}

Test(zero_page, fields)
{
	const struct boot_handover h = {
		.memory = {.entries = {{{0, 0x9fc00}, E820_RAM},
				       {{0x100000000, 0x80000000}, E820_RAM}},
			   .n_entries = 2},
		.initrd = {0x3ff000, 0xabc},
		.cmdline = {LAYOUT_CMDLINE, 5},
		.rsdp = LAYOUT_ACPI,
	};
	const gpa_t z = LAYOUT_ZERO_PAGE;

	setup(0x100000);
	cr_assert_eq(zero_page_write(&gm, &h), 0);
	cr_expect_eq(get(z + 0x070, 8), LAYOUT_ACPI, "acpi_rsdp_addr");
	cr_expect_eq(get(z + 0x0c0, 4), 0, "ext_ramdisk_image");
	cr_expect_eq(get(z + 0x1e8, 1), 2, "e820_entries");
	cr_expect_eq(get(z + 0x1fe, 2), 0xaa55, "boot_flag");
	cr_expect_eq(get(z + 0x202, 4), 0x53726448, "header");
	cr_expect_eq(get(z + 0x206, 2), 0x20f, "version");
	cr_expect_eq(get(z + 0x210, 1), 0xff, "type_of_loader");
	cr_expect_eq(get(z + 0x211, 1), 1, "loadflags");
	cr_expect_eq(get(z + 0x218, 4), 0x3ff000, "ramdisk_image");
	cr_expect_eq(get(z + 0x21c, 4), 0xabc, "ramdisk_size");
	cr_expect_eq(get(z + 0x228, 4), LAYOUT_CMDLINE, "cmd_line_ptr");
	cr_expect_eq(get(z + 0x238, 4), 5, "cmdline_size");
	cr_expect_eq(get(z + 0x2d0 + 20, 8), 0x100000000, "second range");
	cr_expect_eq(get(z + 0x2d0 + 28, 8), 0x80000000, "its size");
	cr_expect_eq(get(z + 0x2d0 + 36, 4), 1, "its type");
	cr_expect_eq(get(z + 0x2d0 + 40, 4), 0, "and no third");
}

/* Translate by hand as the CPU would, 2 MiB pages only. */
static uint64_t translate(uint64_t va)
{
	uint64_t entry = get(LAYOUT_PAGE_TABLES + (va >> 39 & 511) * 8, 8);

	cr_assert_eq(entry & 0x83, 0x03);
	entry = get((entry & ~0xfffULL) + (va >> 30 & 511) * 8, 8);
	cr_assert_eq(entry & 0x83, 0x03);
	entry = get((entry & ~0xfffULL) + (va >> 21 & 511) * 8, 8);
	cr_assert_eq(entry & 0x83, 0x83);
	return (entry & ~0x1fffffULL) | (va & 0x1fffff);
}

Test(zero_page, tables_map_4_gib_onto_themselves)
{
	setup(0x100000);
	cr_assert_eq(zero_page_write_tables(&gm), 0);
	for (uint64_t va = 0x1234; va < 1ULL << 32; va += 0x1ff000)
		cr_expect_eq(translate(va), va);
	cr_expect_eq(translate(0xffffffff), 0xffffffff);
	cr_expect_eq(get(LAYOUT_PAGE_TABLES + 8, 8), 0, "nothing behind");
	cr_expect_eq(get(LAYOUT_PAGE_TABLES + 0x1000 + 4 * 8, 8), 0);
	cr_expect_eq(get(LAYOUT_PAGE_TABLES + 0x6000, 8), 0,
		     "six pages, not seven");
}

Test(zero_page, needs_low_memory)
{
	const struct boot_handover h = {0};

	setup(LAYOUT_PAGE_TABLES + 0x5000);
	cr_expect_eq(zero_page_write_tables(&gm), AVF_ERR_PROTOCOL);
	setup(LAYOUT_ZERO_PAGE + 0xfff);
	cr_expect_eq(zero_page_write(&gm, &h), AVF_ERR_PROTOCOL);
}
