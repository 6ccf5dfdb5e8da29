/*
 * How this works: headers are read once into struct loader, checked there, and
 * never read again, so a file that changes meanwhile cannot make a check
 * untrue. Bytes go straight from the file into guest memory. Every segment must
 * lie between 1 MiB and the end of low RAM: below are our own tables, which a
 * hostile kernel file must not replace. gABI: Executable and Linkable Format,
 * chapters 4 and 5.
 */
#include "boot/elf.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "boot/elf_note.h"
#include "boot/layout_x86_64.h"

/* The host is little-endian x86-64 as the file must be, so <elf.h> fits. */
struct loader {
	const struct kernel_image *image; /* borrowed */
	const struct gmem *gm;            /* borrowed */
	uint64_t ram_end;
	Elf64_Ehdr head;
	Elf64_Phdr segments[ELF_MAX_HEADERS];
};

bool elf_detect(const void *head, size_t size)
{
	return size >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0;
}

bool elf_is_x86(const void *head, size_t size)
{
	Elf64_Ehdr h;

	if (!elf_detect(head, size) || size < sizeof(h))
		return false;
	memcpy(&h, head, sizeof(h));
	return h.e_machine == EM_X86_64;
}

/*
 * Refuses by name what people confuse: other machines, 32-bit, object files.
 * After it, e_phnum is small enough for the array in struct loader.
 */
static int check_head(const Elf64_Ehdr *h)
{
	if (!elf_detect(h->e_ident, sizeof(h->e_ident)))
		return fail(AVF_ERR_FORMAT, "kernel: no ELF file");
	if (h->e_ident[EI_CLASS] != ELFCLASS64 ||
	    h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_machine != EM_X86_64)
		return fail(AVF_ERR_UNSUPPORTED,
			    "kernel: ELF for machine %u%s; this host is x86-64",
			    h->e_machine,
			    h->e_machine == EM_AARCH64 ? " (arm64)" : "");
	if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
		return fail(AVF_ERR_FORMAT,
			    "kernel: ELF of type %u is no executable",
			    h->e_type);
	if (h->e_phentsize != sizeof(Elf64_Phdr))
		return fail(AVF_ERR_FORMAT,
			    "kernel: program headers of %u bytes",
			    h->e_phentsize);
	if (h->e_phnum == 0 || h->e_phnum > ELF_MAX_HEADERS)
		return fail(AVF_ERR_FORMAT,
			    "kernel: %u program headers, 1 to %u can be loaded",
			    h->e_phnum, ELF_MAX_HEADERS);
	return 0;
}

/*
 * Header by header: the table may lie anywhere in the file, and e_phoff is a
 * number that the file chose.
 */
static int read_headers(struct loader *l)
{
	uint64_t offset;
	char what[32];
	int rc;

	rc = kernel_image_read(l->image, 0, &l->head, sizeof(l->head),
			       "the ELF header");
	if (rc < 0)
		return rc;
	rc = check_head(&l->head);
	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < l->head.e_phnum; i++) {
		(void)snprintf(what, sizeof(what), "program header %u", i);
		if (ckd_add(&offset, l->head.e_phoff, i * sizeof(Elf64_Phdr)))
			return fail(AVF_ERR_FORMAT, "kernel: truncated at %s",
				    what);
		rc = kernel_image_read(l->image, offset, &l->segments[i],
				       sizeof(Elf64_Phdr), what);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/*
 * Sums are checked before they are compared; the order of the tests decides
 * only which error is seen.
 */
static int check_segment(const struct loader *l, unsigned int i)
{
	const Elf64_Phdr *p = &l->segments[i];
	uint64_t end;

	if (p->p_filesz > p->p_memsz)
		return fail(AVF_ERR_FORMAT,
			    "kernel: segment %u has more bytes in the file "
			    "than in memory",
			    i);
	if (ckd_add(&end, p->p_paddr, p->p_memsz))
		return fail(AVF_ERR_FORMAT, "kernel: segment %u wraps", i);
	if (p->p_paddr < LAYOUT_KERNEL_MIN)
		return fail(AVF_ERR_FORMAT,
			    "kernel: segment %u at 0x%" PRIx64
			    " is below 1 MiB",
			    i, (uint64_t)p->p_paddr);
	if (end > l->ram_end)
		return fail(AVF_ERR_LIMIT,
			    "kernel: segment %u ends at %" PRIu64
			    " MiB of %" PRIu64 " MiB of memory",
			    i, end >> 20, l->ram_end >> 20);
	return 0;
}

/*
 * Copies the bytes of the file alone; the rest up to p_memsz stays zero, which
 * fresh guest memory is.
 */
static int load_segment(const struct loader *l, unsigned int i)
{
	const Elf64_Phdr *p = &l->segments[i];
	struct gmem_slice s;
	char what[32];
	int rc;

	rc = check_segment(l, i);
	if (rc < 0)
		return rc;
	if (p->p_filesz == 0)
		return 0;
	rc = gmem_map(l->gm, p->p_paddr, p->p_filesz, &s);
	if (rc < 0)
		return fail_as(AVF_ERR_LIMIT);
	(void)snprintf(what, sizeof(what), "segment %u", i);
	return kernel_image_read(l->image, p->p_offset, s.host, (size_t)s.size,
				 what);
}

/* Segments without memory are legal and may have any address. */
static bool is_loadable(const Elf64_Phdr *p)
{
	return p->p_type == PT_LOAD && p->p_memsz > 0;
}

/* The highest end is where the initrd may begin. */
static int load_segments(const struct loader *l, gpa_t *ret_end)
{
	gpa_t end = 0;
	int rc;

	for (unsigned int i = 0; i < l->head.e_phnum; i++) {
		const Elf64_Phdr *p = &l->segments[i];

		if (!is_loadable(p))
			continue;
		rc = load_segment(l, i);
		if (rc < 0)
			return rc;
		end = MAX(end, p->p_paddr + p->p_memsz);
	}
	if (end == 0)
		return fail(AVF_ERR_FORMAT, "kernel: nothing to load in it");
	*ret_end = end;
	return 0;
}

/* Searches one PT_NOTE. Returns as elf_note_find_pvh(). */
static int find_pvh_in(const struct loader *l, unsigned int i,
		       uint32_t *ret_entry)
{
	CLEANUP(free_p) unsigned char *notes = NULL;
	const Elf64_Phdr *p = &l->segments[i];
	char what[32];
	int rc;

	if (p->p_filesz > ELF_MAX_NOTE_BYTES)
		return fail(AVF_ERR_FORMAT,
			    "kernel: program header %u: notes above %u bytes",
			    i, ELF_MAX_NOTE_BYTES);
	if (p->p_filesz == 0)
		return 0;
	notes = malloc((size_t)p->p_filesz);
	if (!notes)
		return fail(AVF_ERR_NO_MEMORY, "kernel: notes");
	(void)snprintf(what, sizeof(what), "notes of program header %u", i);
	rc = kernel_image_read(l->image, p->p_offset, notes,
			       (size_t)p->p_filesz, what);
	if (rc < 0)
		return rc;
	/* gABI: 64-bit notes may be padded to 8, and then say so */
	return elf_note_find_pvh(notes, (size_t)p->p_filesz,
				 p->p_align == 8 ? 8 : 4, ret_entry);
}

/* Returns 1 with the entry set, 0 when no note has it, or an error. */
static int find_pvh(const struct loader *l, uint32_t *ret_entry)
{
	int rc;

	for (unsigned int i = 0; i < l->head.e_phnum; i++) {
		if (l->segments[i].p_type != PT_NOTE)
			continue;
		rc = find_pvh_in(l, i, ret_entry);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Whether physical @gpa is in a loaded segment. */
static bool is_loaded(const struct loader *l, gpa_t gpa)
{
	for (unsigned int i = 0; i < l->head.e_phnum; i++) {
		const Elf64_Phdr *p = &l->segments[i];

		if (is_loadable(p) && gpa >= p->p_paddr &&
		    gpa - p->p_paddr < p->p_memsz)
			return true;
	}
	return false;
}

/* e_entry is virtual by the gABI; Linux puts the physical address there. */
static int find_entry(const struct loader *l, gpa_t *ret_entry)
{
	uint64_t entry = l->head.e_entry;

	if (is_loaded(l, entry)) {
		*ret_entry = entry;
		return 0;
	}
	for (unsigned int i = 0; i < l->head.e_phnum; i++) {
		const Elf64_Phdr *p = &l->segments[i];

		if (is_loadable(p) && entry >= p->p_vaddr &&
		    entry - p->p_vaddr < p->p_memsz) {
			*ret_entry = p->p_paddr + (entry - p->p_vaddr);
			return 0;
		}
	}
	return fail(AVF_ERR_FORMAT,
		    "kernel: entry 0x%" PRIx64 " is in no segment", entry);
}

int elf_load(const struct kernel_image *image, const struct gmem *gm,
	     uint64_t ram_end, struct elf_kernel *ret_kernel)
{
	struct loader l = {.image = image, .gm = gm, .ram_end = ram_end};
	struct elf_kernel k = {0};
	int rc;

	rc = read_headers(&l);
	if (rc < 0)
		return rc;
	rc = load_segments(&l, &k.end);
	if (rc < 0)
		return rc;
	rc = find_pvh(&l, &k.pvh_entry);
	if (rc < 0)
		return rc;
	k.has_pvh = rc > 0;
	if (k.has_pvh && !is_loaded(&l, k.pvh_entry))
		return fail(AVF_ERR_FORMAT,
			    "kernel: PVH entry 0x%x is in no segment",
			    k.pvh_entry);
	if (!k.has_pvh) {
		rc = find_entry(&l, &k.entry);
		if (rc < 0)
			return rc;
	}
	*ret_kernel = k;
	return 0;
}
