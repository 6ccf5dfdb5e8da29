/* The memory map that the guest is told, in one list for both protocols. */
#pragma once

#include "boot/boot.h"

#define E820_MAX_ENTRIES 8U

/* ACPI 6.4 table 15.4; PVH uses the same numbers */
enum e820_type {
	E820_RAM = 1,
	E820_RESERVED = 2,
};

struct e820_entry {
	struct boot_range range;
	enum e820_type type;
};

struct e820_map {
	struct e820_entry entries[E820_MAX_ENTRIES]; /* ascending */
	unsigned int n_entries;
};

/** The map of @input. */
struct e820_map e820_build(const struct boot_input *input);
