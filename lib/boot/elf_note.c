/*
 * Notes are a list of (name, description) pairs with lengths of their own
 * (gABI, chapter 5). Both lengths are hostile: skip() compares each with what
 * is left before the position moves.
 */
#include "boot/elf_note.h"

#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"

/* xen/interface/elfnote.h; the x86/HVM direct boot ABI (pvh.rst) */
#define XEN_ELFNOTE_PHYS32_ENTRY 18U
#define XEN_NOTE_NAME            "Xen"

struct note_head {
	le32 name_size; /* bytes, with NUL */
	le32 desc_size; /* bytes */
	le32 type;
};
_Static_assert(sizeof(struct note_head) == 12, "ELF note layout");

/* One note inside the buffer, bounds checked. */
struct note {
	const unsigned char *name;
	uint32_t name_size;
	const unsigned char *desc;
	uint32_t desc_size;
	uint32_t type;
};

/*
 * Step over @len bytes and their padding. The padding of the last field may
 * be missing. Every step of the caller moves by a note's head at least, so
 * no note can point the search back or keep it in place.
 */
static int skip(size_t *at, uint32_t len, size_t align, size_t size)
{
	if (len > size - *at)
		return fail(AVF_ERR_FORMAT, "kernel: truncated at an ELF note");
	*at = MIN((*at + len + align - 1) & ~(align - 1), size);
	return 0;
}

/*
 * On return @at is behind the note, its padding included. The pointers in
 * *@ret_note are into @notes, and their sizes are checked.
 */
static int next_note(const unsigned char *notes, size_t size, size_t align,
		     size_t *at, struct note *ret_note)
{
	struct note_head head;
	int rc;

	if (size - *at < sizeof(head))
		return fail(AVF_ERR_FORMAT, "kernel: truncated at an ELF note");
	memcpy(&head, notes + *at, sizeof(head));
	*at += sizeof(head);
	ret_note->type = le32_get(head.type);
	ret_note->name = notes + *at;
	ret_note->name_size = le32_get(head.name_size);
	rc = skip(at, ret_note->name_size, align, size);
	if (rc < 0)
		return rc;
	ret_note->desc = notes + *at;
	ret_note->desc_size = le32_get(head.desc_size);
	return skip(at, ret_note->desc_size, align, size);
}

/* The name's NUL is part of its size, and of the comparison. */
static bool is_pvh(const struct note *n)
{
	return n->type == XEN_ELFNOTE_PHYS32_ENTRY &&
	       n->name_size == sizeof(XEN_NOTE_NAME) &&
	       memcmp(n->name, XEN_NOTE_NAME, sizeof(XEN_NOTE_NAME)) == 0;
}

/* Linux writes the entry in 4 bytes or, as a 64-bit pointer, in 8. */
static int read_entry(const struct note *n, uint32_t *ret_entry)
{
	le64 entry = le64_make(0);

	if (n->desc_size != 4 && n->desc_size != 8)
		return fail(AVF_ERR_FORMAT, "kernel: PVH note of %u bytes",
			    n->desc_size);
	memcpy(&entry, n->desc, n->desc_size);
	if (le64_get(entry) > UINT32_MAX)
		return fail(AVF_ERR_FORMAT, "kernel: PVH entry above 4 GiB");
	*ret_entry = (uint32_t)le64_get(entry);
	return 1;
}

int elf_note_find_pvh(const unsigned char *notes, size_t size, size_t align,
		      uint32_t *ret_entry)
{
	size_t at = 0;
	struct note n;
	int rc;

	while (at < size) {
		rc = next_note(notes, size, align, &at, &n);
		if (rc < 0)
			return rc;
		if (is_pvh(&n))
			return read_entry(&n, ret_entry);
	}
	return 0;
}
