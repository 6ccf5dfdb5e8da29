/*
 * What a PVH kernel is told: start_info points to the module list, the memory
 * map and the RSDP. All go to fixed places in the first MiB (layout_x86_64.h),
 * which the loader keeps free of the kernel. Pointers in it are guest physical
 * addresses.
 */
#include "boot/pvh.h"

#include "base/byteorder.h"
#include "boot/layout_x86_64.h"

#define START_INFO_MAGIC   0x336ec578U
#define START_INFO_VERSION 1U

struct start_info {
	le32 magic;
	le32 version;
	le32 flags;
	le32 n_modules;
	le64 modlist;
	le64 cmdline;
	le64 rsdp;
	le64 memmap;
	le32 n_memmap;
	le32 reserved;
};
_Static_assert(sizeof(struct start_info) == 56, "start_info layout");
_Static_assert(LAYOUT_START_INFO + sizeof(struct start_info) <= LAYOUT_MODLIST,
	       "start_info ends before the module list");

struct module_entry {
	le64 base;
	le64 size;
	le64 cmdline;
	le64 reserved;
};
_Static_assert(sizeof(struct module_entry) == 32, "module entry layout");

struct memmap_entry {
	le64 base;
	le64 size;
	le32 type;
	le32 reserved;
};
_Static_assert(sizeof(struct memmap_entry) == 24, "memory map layout");

/* One module, the initrd, as PVH has no other way to hand it over. */
static int write_modules(const struct gmem *gm, struct boot_range initrd)
{
	const struct module_entry m = {
		.base = le64_make(initrd.base),
		.size = le64_make(initrd.size),
	};

	return gmem_write(gm, LAYOUT_MODLIST, &m, sizeof(m));
}

/*
 * The whole array is written, zeros behind the entries in use: cheaper than a
 * partial write, and there is room up to the zero page.
 */
static int write_memmap(const struct gmem *gm, const struct e820_map *map)
{
	struct memmap_entry list[E820_MAX_ENTRIES] = {0};

	for (unsigned int i = 0; i < map->n_entries; i++) {
		const struct e820_entry *e = &map->entries[i];

		list[i].base = le64_make(e->range.base);
		list[i].size = le64_make(e->range.size);
		list[i].type = le32_make((uint32_t)e->type);
	}
	return gmem_write(gm, LAYOUT_MEMMAP, list, sizeof(list));
}

int pvh_write_start_info(const struct gmem *gm, const struct boot_handover *h)
{
	const bool has_initrd = h->initrd.size > 0;
	const struct start_info info = {
		.magic = le32_make(START_INFO_MAGIC),
		.version = le32_make(START_INFO_VERSION),
		.n_modules = le32_make(has_initrd ? 1 : 0),
		.modlist = le64_make(has_initrd ? LAYOUT_MODLIST : 0),
		.cmdline = le64_make(h->cmdline.base),
		.rsdp = le64_make(h->rsdp),
		.memmap = le64_make(LAYOUT_MEMMAP),
		.n_memmap = le32_make(h->memory.n_entries),
	};
	int rc;

	if (has_initrd) {
		rc = write_modules(gm, h->initrd);
		if (rc < 0)
			return rc;
	}
	rc = write_memmap(gm, &h->memory);
	if (rc < 0)
		return rc;
	return gmem_write(gm, LAYOUT_START_INFO, &info, sizeof(info));
}
