/*
 * Five entries at most, ascending and without overlap: E820_MAX_ENTRIES leaves
 * room, so add() does not check. The hole between low RAM and 4 GiB has no
 * entry but ECAM: what is not listed is free for PCI BARs.
 */
#include "boot/e820.h"

#include "boot/layout_x86_64.h"

/* Empty ranges are left out; a VM without high RAM has one. */
static void add(struct e820_map *m, gpa_t base, uint64_t end,
		enum e820_type type)
{
	if (end <= base)
		return;
	m->entries[m->n_entries++] = (struct e820_entry){
		.range = {.base = base, .size = end - base}, .type = type};
}

struct e820_map e820_build(const struct boot_input *in)
{
	struct e820_map m = {0};

	add(&m, 0, LAYOUT_RESERVED, E820_RAM);
	add(&m, LAYOUT_RESERVED, LAYOUT_KERNEL_MIN, E820_RESERVED);
	add(&m, LAYOUT_KERNEL_MIN, in->low_ram_size, E820_RAM);
	/* Linux uses ECAM only where the memory map reserves it */
	add(&m, in->ecam.base, in->ecam.base + in->ecam.size, E820_RESERVED);
	add(&m, LAYOUT_HIGH_RAM, LAYOUT_HIGH_RAM + in->high_ram_size, E820_RAM);
	return m;
}
