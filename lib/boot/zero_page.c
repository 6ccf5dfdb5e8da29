/*
 * The boot_params page for kernels without a PVH entry, and the page tables
 * that the 64-bit entry needs (boot.rst). No setup header is
 * copied from the file, as the kernel came as an ELF: the fields that a boot
 * loader would fill are filled, the others stay 0.
 */
#include "boot/zero_page.h"

#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "boot/layout_x86_64.h"

#define BOOT_FLAG        0xaa55U
#define BOOT_PROTOCOL    0x020fU
#define LOADER_UNDEFINED 0xffU
#define LOADED_HIGH      0x01U
#define KERNEL_ALIGNMENT 0x1000000U

struct zero_page_e820 {
	le64 base;
	le64 size;
	le32 type;
};
_Static_assert(sizeof(struct zero_page_e820) == 20, "e820 entry layout");

/* The fields that a loader fills, at their offsets. */
struct zero_page {
	unsigned char screen_info[0x70];
	le64 acpi_rsdp_addr;
	unsigned char skipped0[0x0c0 - 0x078];
	le32 ext_ramdisk_image; /* the upper halves */
	le32 ext_ramdisk_size;
	le32 ext_cmd_line_ptr;
	unsigned char skipped1[0x1e8 - 0x0cc];
	unsigned char e820_entries;
	unsigned char skipped2[0x1fe - 0x1e9];
	le16 boot_flag;
	le16 jump;
	unsigned char header[4];
	le16 version;
	unsigned char skipped3[0x210 - 0x208];
	unsigned char type_of_loader;
	unsigned char loadflags;
	unsigned char skipped4[0x218 - 0x212];
	le32 ramdisk_image;
	le32 ramdisk_size;
	unsigned char skipped5[0x228 - 0x220];
	le32 cmd_line_ptr;
	unsigned char skipped6[0x230 - 0x22c];
	le32 kernel_alignment;
	unsigned char skipped7[0x238 - 0x234];
	le32 cmdline_size;
	unsigned char skipped8[0x2d0 - 0x23c];
	struct zero_page_e820 e820[E820_MAX_ENTRIES];
	unsigned char
		skipped9[0x1000 - 0x2d0 -
			 E820_MAX_ENTRIES * sizeof(struct zero_page_e820)];
};
_Static_assert(sizeof(struct zero_page) == 0x1000, "zero page layout");

/* The list in the page has room for 128 entries; ours is the first few. */
static void fill_memory(struct zero_page *z, const struct e820_map *map)
{
	for (unsigned int i = 0; i < map->n_entries; i++) {
		const struct e820_entry *e = &map->entries[i];

		z->e820[i].base = le64_make(e->range.base);
		z->e820[i].size = le64_make(e->range.size);
		z->e820[i].type = le32_make((uint32_t)e->type);
	}
	z->e820_entries = (unsigned char)map->n_entries;
}

/* Both lie below 4 GiB in practice; the upper halves keep it honest. */
static void fill_initrd(struct zero_page *z, struct boot_range initrd)
{
	z->ramdisk_image = le32_make((uint32_t)initrd.base);
	z->ramdisk_size = le32_make((uint32_t)initrd.size);
	z->ext_ramdisk_image = le32_make((uint32_t)(initrd.base >> 32));
	z->ext_ramdisk_size = le32_make((uint32_t)(initrd.size >> 32));
}

int zero_page_write(const struct gmem *gm, const struct boot_handover *h)
{
	struct zero_page z = {
		.acpi_rsdp_addr = le64_make(h->rsdp),
		.boot_flag = le16_make(BOOT_FLAG),
		.version = le16_make(BOOT_PROTOCOL),
		.type_of_loader = LOADER_UNDEFINED,
		.loadflags = LOADED_HIGH,
		.cmd_line_ptr = le32_make((uint32_t)h->cmdline.base),
		.cmdline_size = le32_make((uint32_t)h->cmdline.size),
		.kernel_alignment = le32_make(KERNEL_ALIGNMENT),
	};

	memcpy(z.header, "HdrS", sizeof(z.header));
	fill_initrd(&z, h->initrd);
	fill_memory(&z, &h->memory);
	return gmem_write(gm, LAYOUT_ZERO_PAGE, &z, sizeof(z));
}

/* Intel SDM volume 3, section 4.5: present, writable, page size (2 MiB) */
#define PTE_TABLE 0x03ULL
#define PTE_PAGE  0x83ULL
#define PTES      512U
#define GIBS      4U

/*
 * Six pages: one PML4, one PDPT, four page directories of 2 MiB pages. Linux
 * changes to tables of its own in its first instructions; until then everything
 * below 4 GiB is at its physical address.
 */
int zero_page_write_tables(const struct gmem *gm)
{
	const gpa_t pdpt = LAYOUT_PAGE_TABLES + 0x1000;
	const gpa_t pd = LAYOUT_PAGE_TABLES + 0x2000;
	le64 table[PTES] = {0};
	int rc;

	table[0] = le64_make(pdpt | PTE_TABLE);
	rc = gmem_write(gm, LAYOUT_PAGE_TABLES, table, sizeof(table));
	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < GIBS; i++)
		table[i] = le64_make((pd + i * 0x1000ULL) | PTE_TABLE);
	/*
	 * entries from the table before are overwritten: first four, then all
	 */
	rc = gmem_write(gm, pdpt, table, sizeof(table));
	for (unsigned int g = 0; rc >= 0 && g < GIBS; g++) {
		for (uint64_t i = 0; i < PTES; i++)
			table[i] = le64_make(((g * PTES + i) << 21) | PTE_PAGE);
		rc = gmem_write(gm, pd + g * 0x1000ULL, table, sizeof(table));
	}
	return rc;
}
