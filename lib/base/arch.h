/* What the rest of the world calls the architectures of guests. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <avf/architecture.h>

#include "base/error.h"

/* Immutable; every text is static. */
struct arch {
	enum avf_architecture id; /* never AVF_ARCHITECTURE_HOST */
	const char *name;         /* ours: configurations, images */
	const char *abi;          /* Android's: lib/<abi>/ of a package */
	const char *debian;       /* dpkg's and apt's */
	const char *triplet;      /* directories of libraries */
	const char *qemu;         /* the program that emulates it */
	const char *qemu_package; /* and Debian's package with it */
	uint16_t elf_machine;
};

/** The row of @id, which may be AVF_ARCHITECTURE_HOST; NULL: none. */
const struct arch *arch_find(enum avf_architecture id);

/** The row that @name names in our words; NULL: none. */
const struct arch *arch_find_name(const char *name);

/** The row of an ELF machine; NULL: no guest has it. */
const struct arch *arch_find_elf(uint16_t machine);

/** This library's own. */
const struct arch *arch_host(void);

/** Row @index, from 0; NULL behind the last one. */
const struct arch *arch_at(size_t index);
