#include "base/kernel_arch.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

#include "base/byteorder.h"

static bool has_at(const void *head, size_t size, size_t at, const char *magic)
{
	const size_t n = strlen(magic);

	return size >= at + n && memcmp((const char *)head + at, magic, n) == 0;
}

static const struct arch *elf_arch(const void *head, size_t size)
{
	const size_t at = offsetof(Elf64_Ehdr, e_machine);
	le16 machine;

	if (size < at + sizeof(machine))
		return NULL;
	memcpy(&machine, (const char *)head + at, sizeof(machine));
	return arch_find_elf(le16_get(machine));
}

const struct arch *kernel_arch(const void *head, size_t size)
{
	if (has_at(head, size, 0, ELFMAG))
		return elf_arch(head, size);
	if (has_at(head, size, 0x202, "HdrS"))
		return arch_find(AVF_ARCHITECTURE_X86_64);
	if (has_at(head, size, 0x38, "ARM\x64"))
		return arch_find(AVF_ARCHITECTURE_ARM64);
	return NULL;
}
