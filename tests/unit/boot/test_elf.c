/* Loading a small kernel, and every way in which one can be broken. */
#include <string.h>

#include <criterion/criterion.h>

#include "base/checked.h"
#include "boot/elf.h"
#include "boot/layout_x86_64.h"
#include "support/fake_kernel.h"

#define RAM (32ULL << 20)

static int load(const struct fake_kernel *k, size_t size,
		struct elf_kernel *ret_kernel)
{
	/* an exact copy, so that a sanitizer sees overreads */
	void *bytes = malloc(size ? size : 1);
	struct kernel_image image;
	struct gmem gm;
	int rc;

	gmem_init(&gm);
	cr_assert_eq(gmem_add_anonymous(&gm, 0, RAM), 0);
	memcpy(bytes, k, size);
	image = kernel_image_from_bytes(bytes, size);
	rc = elf_load(&image, &gm, RAM, ret_kernel);
	free(bytes);
	gmem_fini(&gm);
	return rc;
}

Test(elf, puts_segments_where_they_belong)
{
	unsigned char text[0x101];
	struct kernel_image image;
	struct elf_kernel found;
	struct fake_kernel k;
	struct gmem gm;

	gmem_init(&gm);
	cr_assert_eq(gmem_add_anonymous(&gm, 0, RAM), 0);
	fake_kernel_init(&k);
	image = kernel_image_from_bytes(&k, sizeof(k));
	cr_assert_eq(elf_load(&image, &gm, RAM, &found), 0, "%s",
		     error_record()->text);
	cr_expect(found.has_pvh);
	cr_expect_eq(found.pvh_entry, FAKE_KERNEL_PVH);
	cr_expect_eq(found.end, FAKE_KERNEL_BASE + FAKE_KERNEL_SIZE);
	cr_assert_eq(gmem_read(&gm, FAKE_KERNEL_BASE, text, sizeof(text)), 0);
	cr_expect_eq(memcmp(text, k.text, sizeof(k.text)), 0);
	cr_expect_eq(text[0x100], 0, "nothing behind the file's bytes");
	gmem_fini(&gm);
}

Test(elf, without_a_note_the_entry_may_be_physical_or_virtual)
{
	struct elf_kernel found;
	struct fake_kernel k;

	fake_kernel_init(&k);
	k.note.p_type = PT_NULL;
	cr_assert_eq(load(&k, sizeof(k), &found), 0);
	cr_expect_not(found.has_pvh);
	cr_expect_eq(found.entry, FAKE_KERNEL_ENTRY);
	k.head.e_entry = k.load.p_vaddr + 0x20;
	cr_assert_eq(load(&k, sizeof(k), &found), 0);
	cr_expect_eq(found.entry, FAKE_KERNEL_ENTRY);
}

Test(elf, accepts_the_edges)
{
	struct elf_kernel found;
	struct fake_kernel k;

	fake_kernel_init(&k);
	k.load.p_memsz = RAM - FAKE_KERNEL_BASE;
	cr_expect_eq(load(&k, sizeof(k), &found), 0, "up to the end of RAM");
	k.load.p_memsz = k.load.p_filesz;
	cr_expect_eq(load(&k, sizeof(k), &found), 0, "no zeros behind");
	k.load.p_paddr = LAYOUT_KERNEL_MIN;
	k.pvh.entry = le32_make((uint32_t)LAYOUT_KERNEL_MIN + 0xff);
	cr_expect_eq(load(&k, sizeof(k), &found), 0, "at 1 MiB");
}

static void no_magic(struct fake_kernel *k)
{
	k->head.e_ident[1] = 'e';
}

static void class32(struct fake_kernel *k)
{
	k->head.e_ident[EI_CLASS] = ELFCLASS32;
}

static void big_endian(struct fake_kernel *k)
{
	k->head.e_ident[EI_DATA] = ELFDATA2MSB;
}

static void arm64(struct fake_kernel *k)
{
	k->head.e_machine = EM_AARCH64;
}

static void object_file(struct fake_kernel *k)
{
	k->head.e_type = ET_REL;
}

static void small_headers(struct fake_kernel *k)
{
	k->head.e_phentsize = 1;
}

static void no_headers(struct fake_kernel *k)
{
	k->head.e_phnum = 0;
}

static void too_many_headers(struct fake_kernel *k)
{
	k->head.e_phnum = ELF_MAX_HEADERS + 1;
}

static void headers_past_end(struct fake_kernel *k)
{
	k->head.e_phoff = sizeof(*k) - sizeof(Elf64_Phdr);
}

static void headers_wrap(struct fake_kernel *k)
{
	k->head.e_phoff = UINT64_MAX - 10;
}

static void nothing_to_load(struct fake_kernel *k)
{
	k->load.p_type = PT_NULL;
}

static void empty_segment(struct fake_kernel *k)
{
	k->load.p_filesz = 0;
	k->load.p_memsz = 0;
}

static void file_above_memory(struct fake_kernel *k)
{
	k->load.p_memsz = k->load.p_filesz - 1;
}

static void over_tables(struct fake_kernel *k)
{
	k->load.p_paddr = LAYOUT_KERNEL_MIN - 1;
}

static void at_zero(struct fake_kernel *k)
{
	k->load.p_paddr = 0;
}

static void above_ram(struct fake_kernel *k)
{
	k->load.p_paddr = RAM;
}

static void one_past_ram(struct fake_kernel *k)
{
	k->load.p_memsz = RAM - FAKE_KERNEL_BASE + 1;
}

static void segment_wraps(struct fake_kernel *k)
{
	k->load.p_paddr = UINT64_MAX - 0x100;
}

static void memory_wraps(struct fake_kernel *k)
{
	k->load.p_memsz = UINT64_MAX - 0x100;
}

static void offset_wraps(struct fake_kernel *k)
{
	k->load.p_offset = UINT64_MAX - 0x10;
}

static void offset_past_end(struct fake_kernel *k)
{
	k->load.p_offset++;
}

static void huge_note(struct fake_kernel *k)
{
	k->note.p_filesz = UINT64_MAX;
}

static void note_past_end(struct fake_kernel *k)
{
	k->note.p_offset = sizeof(*k);
}

static void note_cut(struct fake_kernel *k)
{
	k->note.p_filesz--;
}

static void pvh_outside(struct fake_kernel *k)
{
	k->pvh.entry =
		le32_make((uint32_t)(FAKE_KERNEL_BASE + FAKE_KERNEL_SIZE));
}

static void entry_outside(struct fake_kernel *k)
{
	k->note.p_type = PT_NULL;
	k->head.e_entry = 0x1234;
}

static const struct {
	const char *what;
	void (*damage)(struct fake_kernel *k);
	int rc;
	const char *text;
} rows[] = {
	{"wrong magic", no_magic, AVF_ERR_FORMAT, "no ELF"},
	{"32 bit", class32, AVF_ERR_UNSUPPORTED, "machine 62"},
	{"big endian", big_endian, AVF_ERR_UNSUPPORTED, "this host"},
	{"arm64", arm64, AVF_ERR_UNSUPPORTED, "machine 183"},
	{"an object file", object_file, AVF_ERR_FORMAT, "type 1"},
	{"headers of one byte", small_headers, AVF_ERR_FORMAT, "of 1 bytes"},
	{"no headers", no_headers, AVF_ERR_FORMAT, "0 program headers"},
	{"too many headers", too_many_headers, AVF_ERR_FORMAT, "65"},
	{"headers past the end", headers_past_end, AVF_ERR_FORMAT,
	 "truncated at program header 1"},
	{"header offset wraps", headers_wrap, AVF_ERR_FORMAT,
	 "truncated at program header"},
	{"nothing to load", nothing_to_load, AVF_ERR_FORMAT, "nothing"},
	{"an empty segment only", empty_segment, AVF_ERR_FORMAT, "nothing"},
	{"more in the file than in memory", file_above_memory, AVF_ERR_FORMAT,
	 "segment 0 has more"},
	{"over the tables below 1 MiB", over_tables, AVF_ERR_FORMAT,
	 "below 1 MiB"},
	{"at address 0", at_zero, AVF_ERR_FORMAT, "below 1 MiB"},
	{"behind the end of RAM", above_ram, AVF_ERR_LIMIT, "32 MiB"},
	{"one byte past RAM", one_past_ram, AVF_ERR_LIMIT, "32 MiB"},
	{"physical address wraps", segment_wraps, AVF_ERR_FORMAT, "wraps"},
	{"memory size wraps", memory_wraps, AVF_ERR_FORMAT, "wraps"},
	{"file offset wraps", offset_wraps, AVF_ERR_FORMAT,
	 "truncated at segment 0"},
	{"one byte past the file", offset_past_end, AVF_ERR_FORMAT,
	 "truncated at segment 0"},
	{"a note of 16 EiB", huge_note, AVF_ERR_FORMAT, "notes above"},
	{"a note past the end", note_past_end, AVF_ERR_FORMAT,
	 "notes of program header 1"},
	{"a cut note", note_cut, AVF_ERR_FORMAT, "ELF note"},
	{"PVH entry in no segment", pvh_outside, AVF_ERR_FORMAT, "PVH entry"},
	{"entry in no segment", entry_outside, AVF_ERR_FORMAT, "entry 0x1234"},
};

Test(elf, refuses)
{
	struct elf_kernel found;
	struct fake_kernel k;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_kernel_init(&k);
		rows[i].damage(&k);
		cr_expect_eq(load(&k, sizeof(k), &found), rows[i].rc, "%s",
			     rows[i].what);
		cr_expect_not_null(strstr(error_record()->text, rows[i].text),
				   "%s: \"%s\"", rows[i].what,
				   error_record()->text);
	}
}

Test(elf, refuses_a_file_cut_at_any_place)
{
	struct elf_kernel found;
	struct fake_kernel k;

	fake_kernel_init(&k);
	for (size_t cut = 0; cut < sizeof(k); cut++)
		cr_expect_eq(load(&k, cut, &found), AVF_ERR_FORMAT, "at %zu",
			     cut);
}

Test(elf, detects_by_the_magic)
{
	cr_expect(elf_detect("\x7f"
			     "ELF",
			     4));
	cr_expect_not(elf_detect("\x7f"
				 "ELF",
				 3));
	cr_expect_not(elf_detect("MZxx", 4));
}
