/* The PVH note among others, and tables of notes that want to mislead. */
#include <string.h>

#include <criterion/criterion.h>

#include "base/checked.h"
#include "boot/elf_note.h"

#define XEN  "\4\0\0\0\4\0\0\0\x12\0\0\0Xen\0"
#define XEN8 "\4\0\0\0\x8\0\0\0\x12\0\0\0Xen\0"
#define GNU  "\4\0\0\0\4\0\0\0\1\0\0\0GNU\0abcd"

#define NOTES(s) s, sizeof(s) - 1

static const struct {
	const char *what;
	const char *notes;
	size_t size;
	size_t align;
	int rc;
	uint32_t entry;
} rows[] = {
	{"no notes", "", 0, 4, 0, 0},
	{"the entry in 4 bytes", NOTES(XEN "\x30\x0a\0\1"), 4, 1, 0x1000a30},
	{"the entry in 8 bytes", NOTES(XEN8 "\x30\x0a\0\1\0\0\0\0"), 4, 1,
	 0x1000a30},
	{"behind another note", NOTES(GNU XEN "\x30\x0a\0\1"), 4, 1, 0x1000a30},
	{"the first of two counts", NOTES(XEN "\1\0\0\0" XEN "\2\0\0\0"), 4, 1,
	 1},
	{"behind a name that is padded",
	 NOTES("\5\0\0\0\1\0\0\0\7\0\0\0Long\0\0\0\0d\0\0\0" XEN "\3\0\0\0"), 4,
	 1, 3},
	{"fields padded to 8 bytes",
	 NOTES("\4\0\0\0\4\0\0\0\7\0\0\0GNU\0dddd\0\0\0\0" XEN "\3\0\0\0"), 8,
	 1, 3},
	{"only another vendor's", NOTES(GNU), 4, 0, 0},
	{"Xen's, of another type", NOTES("\4\0\0\0\4\0\0\0\x11\0\0\0Xen\0abcd"),
	 4, 0, 0},
	{"the type, of another vendor",
	 NOTES("\4\0\0\0\4\0\0\0\x12\0\0\0Zen\0abcd"), 4, 0, 0},
	{"a name without NUL", NOTES("\3\0\0\0\4\0\0\0\x12\0\0\0Xen\0abcd"), 4,
	 0, 0},
	{"notes of nothing but heads",
	 NOTES("\0\0\0\0\0\0\0\0\0\0\0\0"
	       "\0\0\0\0\0\0\0\0\0\0\0\0"),
	 4, 0, 0},
	{"cut in the head", NOTES("\4\0\0\0\4\0\0\0\x12\0\0"), 4,
	 AVF_ERR_FORMAT, 0},
	{"cut in the head of a note without name and entry",
	 NOTES("\0\0\0\0\0\0\0\0\1\0\0"), 4, AVF_ERR_FORMAT, 0},
	{"cut in the name", NOTES("\4\0\0\0\4\0\0\0\x12\0\0\0Xe"), 4,
	 AVF_ERR_FORMAT, 0},
	{"cut in the entry", NOTES(XEN "\1\0\0"), 4, AVF_ERR_FORMAT, 0},
	{"an entry of 2 bytes",
	 NOTES("\4\0\0\0\2\0\0\0\x12\0\0\0Xen\0\1\0\0\0"), 4, AVF_ERR_FORMAT,
	 0},
	{"an entry of 16 bytes",
	 NOTES("\4\0\0\0\x10\0\0\0\x12\0\0\0Xen\0"
	       "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	 4, AVF_ERR_FORMAT, 0},
	{"an entry above 4 GiB", NOTES(XEN8 "\0\0\0\0\1\0\0\0"), 4,
	 AVF_ERR_FORMAT, 0},
	{"a name that would wrap back to its own note",
	 NOTES("\xf4\xff\xff\xff\0\0\0\0\1\0\0\0Xen\0abcd"), 4, AVF_ERR_FORMAT,
	 0},
	{"a name whose padding wraps",
	 NOTES("\xff\xff\xff\xff\0\0\0\0\1\0\0\0Xen\0abcd"), 4, AVF_ERR_FORMAT,
	 0},
	{"an entry that would wrap back",
	 NOTES("\4\0\0\0\xf0\xff\xff\xff\1\0\0\0Xen\0abcd"), 4, AVF_ERR_FORMAT,
	 0},
	{"a good note behind a cut one",
	 NOTES("\4\0\0\0\xff\0\0\0\1\0\0\0GNU\0" XEN "\1\0\0\0"), 4,
	 AVF_ERR_FORMAT, 0},
};

Test(elf_note, finds_the_entry_or_says_why_not)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* an exact copy, so that a sanitizer sees overreads */
		unsigned char *notes = malloc(rows[i].size ? rows[i].size : 1);
		uint32_t entry = 0;
		int rc;

		cr_assert_not_null(notes);
		memcpy(notes, rows[i].notes, rows[i].size);
		rc = elf_note_find_pvh(notes, rows[i].size, rows[i].align,
				       &entry);
		cr_expect_eq(rc, rows[i].rc, "%s: %d", rows[i].what, rc);
		cr_expect_eq(entry, rows[i].entry, "%s", rows[i].what);
		free(notes);
	}
}
