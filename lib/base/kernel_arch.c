#include "base/kernel_arch.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"

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

/* x86's are at the addresses that they are linked for, from 0 on. Headers that
 * are not in @head, or wrap, count for nothing: a loader will complain. */
static uint64_t elf_memory(const void *head, size_t size)
{
	uint64_t needed = 0;
	Elf64_Phdr segment;
	Elf64_Ehdr header;
	uint64_t end;

	if (size < sizeof(header))
		return 0;
	memcpy(&header, head, sizeof(header));
	if (header.e_machine != EM_X86_64 || header.e_phoff > size ||
	    header.e_phnum > (size - header.e_phoff) / sizeof(segment))
		return 0;
	for (size_t i = 0; i < header.e_phnum; i++) {
		memcpy(&segment,
		       (const char *)head + header.e_phoff +
			       i * sizeof(segment),
		       sizeof(segment));
		if (segment.p_type == PT_LOAD &&
		    !ckd_add(&end, segment.p_paddr, segment.p_memsz))
			needed = MAX(needed, end);
	}
	return needed;
}

uint64_t kernel_memory(const void *head, size_t size)
{
	const struct arch *arch = kernel_arch(head, size);
	le64 image_size; /* arm64: booting.rst */
	le32 init_size;  /* boot.rst: 2.10 and later */

	if (!arch)
		return 0;
	if (has_at(head, size, 0, ELFMAG))
		return elf_memory(head, size);
	if (arch->id == AVF_ARCHITECTURE_ARM64) {
		memcpy(&image_size, (const char *)head + 16,
		       sizeof(image_size));
		return le64_get(image_size);
	}
	if (size < 0x260 + sizeof(init_size))
		return 0;
	memcpy(&init_size, (const char *)head + 0x260, sizeof(init_size));
	return le32_get(init_size);
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
