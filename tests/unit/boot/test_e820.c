/* The memory map: what is RAM, and that nothing overlaps. */
#include <criterion/criterion.h>

#include "base/checked.h"
#include "boot/e820.h"

static const struct {
	const char *what;
	struct boot_input in;
	unsigned int n_entries;
	uint64_t ram; /* bytes */
} rows[] = {
	{"low memory only",
	 {.low_ram_size = 64ULL << 20, .ecam = {0xe0000000, 0x100000}},
	 4,
	 (64ULL << 20) - (0x100000 - 0x9fc00)},
	{"memory above 4 GiB",
	 {.low_ram_size = 3ULL << 30,
	  .high_ram_size = 5ULL << 30,
	  .ecam = {0xe0000000, 0x100000}},
	 5,
	 (8ULL << 30) - (0x100000 - 0x9fc00)},
	{"no ECAM",
	 {.low_ram_size = 2ULL << 20},
	 3,
	 (2ULL << 20) - (0x100000 - 0x9fc00)},
};

Test(e820, names_all_memory_once_and_in_order)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct e820_map m = e820_build(&rows[i].in);
		uint64_t ram = 0;
		gpa_t end = 0;

		cr_assert_eq(m.n_entries, rows[i].n_entries, "%s",
			     rows[i].what);
		for (unsigned int e = 0; e < m.n_entries; e++) {
			const struct e820_entry *x = &m.entries[e];

			cr_expect_geq(x->range.base, end, "%s", rows[i].what);
			cr_expect_gt(x->range.size, 0);
			end = x->range.base + x->range.size;
			if (x->type == E820_RAM)
				ram += x->range.size;
		}
		cr_expect_eq(ram, rows[i].ram, "%s", rows[i].what);
	}
}
