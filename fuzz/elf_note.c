/*
 * Notes of an ELF kernel.
 *
 * After a minute: cov: 26.
 */
#include "fuzz.h"

#include "boot/elf_note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	size_t align = fuzz_u8(&in) & 1 ? 8 : 4;
	uint32_t entry;

	(void)!elf_note_find_pvh(in.data, in.size, align, &entry);
	return 0;
}
