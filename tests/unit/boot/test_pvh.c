/* start_info as a kernel reads it. */
#include <string.h>

#include <criterion/criterion.h>

#include "base/byteorder.h"
#include "boot/layout_x86_64.h"
#include "boot/pvh.h"

static struct gmem gm;

static void setup(uint64_t size)
{
	gmem_init(&gm);
	cr_assert_eq(gmem_add_anonymous(&gm, 0, size), 0);
}

static uint64_t get(gpa_t at, size_t size)
{
	le64 v = le64_make(0);

	cr_assert_eq(gmem_read(&gm, at, v.bytes, size), 0);
	return le64_get(v);
}

static struct boot_handover handover(void)
{
	return (struct boot_handover){
		.memory = {.entries = {{{0, 0x9fc00}, E820_RAM},
				       {{0x9fc00, 0x60400}, E820_RESERVED}},
			   .n_entries = 2},
		.initrd = {0x3ff000, 0xabc},
		.cmdline = {LAYOUT_CMDLINE, 5},
		.rsdp = LAYOUT_ACPI,
	};
}

Test(pvh, start_info_leads_to_everything)
{
	const struct boot_handover h = handover();
	gpa_t mods;
	gpa_t map;

	setup(0x100000);
	cr_assert_eq(pvh_write_start_info(&gm, &h), 0);
	cr_expect_eq(get(LAYOUT_START_INFO, 4), 0x336ec578, "magic");
	cr_expect_eq(get(LAYOUT_START_INFO + 4, 4), 1, "version");
	cr_expect_eq(get(LAYOUT_START_INFO + 8, 4), 0, "flags");
	cr_expect_eq(get(LAYOUT_START_INFO + 12, 4), 1, "modules");
	mods = get(LAYOUT_START_INFO + 16, 8);
	cr_expect_eq(get(mods, 8), 0x3ff000);
	cr_expect_eq(get(mods + 8, 8), 0xabc);
	cr_expect_eq(get(LAYOUT_START_INFO + 24, 8), LAYOUT_CMDLINE);
	cr_expect_eq(get(LAYOUT_START_INFO + 32, 8), LAYOUT_ACPI);
	map = get(LAYOUT_START_INFO + 40, 8);
	cr_expect_eq(get(LAYOUT_START_INFO + 48, 4), 2, "map entries");
	cr_expect_eq(get(map + 8, 8), 0x9fc00);
	cr_expect_eq(get(map + 16, 4), 1, "RAM");
	cr_expect_eq(get(map + 24, 8), 0x9fc00);
	cr_expect_eq(get(map + 24 + 16, 4), 2, "reserved");
}

Test(pvh, no_initrd_is_no_module)
{
	struct boot_handover h = handover();

	setup(0x100000);
	h.initrd = (struct boot_range){0};
	cr_assert_eq(pvh_write_start_info(&gm, &h), 0);
	cr_expect_eq(get(LAYOUT_START_INFO + 12, 4), 0);
	cr_expect_eq(get(LAYOUT_START_INFO + 16, 8), 0);
}

Test(pvh, needs_low_memory)
{
	const struct boot_handover h = handover();

	setup(LAYOUT_START_INFO);
	cr_expect_eq(pvh_write_start_info(&gm, &h), AVF_ERR_PROTOCOL);
}
