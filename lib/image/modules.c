/*
 * The modules that the guest loads, with what they depend on, in the order of
 * loading: a module's dependencies are stored before it, and etc/modules lists
 * them so. Dependencies are read from the modules themselves (.modinfo), as
 * modules.dep is made at installation only.
 */
#include "image/modules.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "image/scratch.h"
#include "unpack/unpack.h"

#define MODULE_MAX_NAME  63 /* bytes */
#define MODULE_MAX_BYTES ((size_t)64 << 20)
#define MAX_DEPTH        8

/* What the guest uses, most wanted last: disk, package, host link, entropy.
 * The first two are built in where we know them; others may differ. */
static const char *const wanted[] = {
	"virtio_pci", "virtio_console", "virtio_blk",
	"erofs",      "virtio_rng",     "vmw_vsock_virtio_transport",
};

struct module_set {
	struct cpio *cpio; /* borrowed */
	const char *dir;   /* borrowed */
	char *order;       /* modules.order, borrowed */
	char *builtin;     /* modules.builtin, borrowed */
	unsigned int n;
	char names[MODULES_MAX][MODULE_MAX_NAME + 1];
	char list[MODULES_LIST_SIZE]; /* etc/modules */
	size_t list_size;
};

/* Module names have '_' where files may have '-'. */
static bool same_name(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((a[i] == '-' ? '_' : a[i]) != (b[i] == '-' ? '_' : b[i]))
			return false;
	}
	return true;
}

/* The line of @list ("kernel/fs/erofs/erofs.ko") whose file is @name.
 * Returns it with its length, or NULL. */
static const char *find_line(const char *list, const char *name,
			     size_t *ret_size)
{
	const size_t n = strlen(name);
	const char *base;
	size_t size;

	for (const char *line = list; *line;
	     line += size + (line[size] == '\n')) {
		size = strcspn(line, "\n");
		base = memrchr(line, '/', size);
		base = base ? base + 1 : line;
		if ((size_t)(line + size - base) == n + 3 &&
		    same_name(base, name, n) &&
		    memcmp(base + n, ".ko", 3) == 0) {
			*ret_size = size;
			return line;
		}
	}
	return NULL;
}

/*
 * The table of sections inside of the file, or NULL for anything that is not an
 * ELF file with a whole one.
 */
static const Elf64_Shdr *section_headers(const char *elf, size_t size,
					 Elf64_Ehdr *ret_header)
{
	Elf64_Ehdr *h = ret_header;

	if (size < sizeof(*h))
		return NULL;
	memcpy(h, elf, sizeof(*h));
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 ||
	    h->e_ident[EI_CLASS] != ELFCLASS64 ||
	    h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shoff > size ||
	    h->e_shoff % _Alignof(Elf64_Shdr) != 0 ||
	    h->e_shnum > (size - h->e_shoff) / sizeof(Elf64_Shdr) ||
	    h->e_shstrndx >= h->e_shnum)
		return NULL;
	return (const Elf64_Shdr *)(const void *)(elf + h->e_shoff);
}

/* The bytes of a section, NUL-terminated; NULL where they cannot be. */
static const char *section_text(const char *elf, size_t size,
				const Elf64_Shdr *section)
{
	if (section->sh_offset > size ||
	    section->sh_size > size - section->sh_offset ||
	    section->sh_size == 0 ||
	    elf[section->sh_offset + section->sh_size - 1] != '\0')
		return NULL;
	return elf + section->sh_offset;
}

/* Rows are "key=value", each ended by a NUL, the last one, too. */
static const char *find_value(const char *rows, size_t size, const char *key)
{
	const size_t n = strlen(key);

	for (size_t i = 0; i < size; i += strlen(rows + i) + 1) {
		if (strncmp(rows + i, key, n) == 0 && rows[i + n] == '=')
			return rows + i + n + 1;
	}
	return NULL;
}

const char *modules_info(const void *elf, size_t size, const char *key)
{
	Elf64_Ehdr header;
	const Elf64_Shdr *sections = section_headers(elf, size, &header);
	const char *names;
	const char *text;

	if (!sections)
		return NULL;
	names = section_text(elf, size, &sections[header.e_shstrndx]);
	for (size_t i = 0; names && i < header.e_shnum; i++) {
		if (sections[i].sh_name >=
			    sections[header.e_shstrndx].sh_size ||
		    strcmp(names + sections[i].sh_name, ".modinfo") != 0)
			continue;
		text = section_text(elf, size, &sections[i]);
		return text ? find_value(text, sections[i].sh_size, key) : NULL;
	}
	return NULL;
}

/* Files may be compressed: .ko, .ko.xz, .ko.zst, .ko.gz. */
static int load_module(const char *dir, const char *line, size_t line_size,
		       struct mapped_file *file, struct unpack_buffer *unpacked)
{
	static const char *const suffixes[] = {"", ".xz", ".zst", ".gz"};
	char path[PATH_MAX];
	int rc = AVF_ERR_NOT_FOUND;
	int n;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes) && rc == AVF_ERR_NOT_FOUND;
	     i++) {
		n = snprintf(path, sizeof(path), "%s/%.*s%s", dir,
			     (int)line_size, line, suffixes[i]);
		if (n < 0 || (size_t)n >= sizeof(path))
			return fail(AVF_ERR_LIMIT, "a module's path");
		rc = mapped_file_init(file, path);
	}
	if (rc < 0)
		return rc;
	if (unpack_detect(file->data, file->size) == UNPACK_NONE)
		return 0;
	return unpack(file->data, file->size, MODULE_MAX_BYTES, unpacked);
}

/* Listed already: several modules may depend on one. */
static bool has_module(const struct module_set *set, const char *name)
{
	const size_t n = strlen(name);

	for (unsigned int i = 0; i < set->n; i++) {
		if (strlen(set->names[i]) == n &&
		    same_name(set->names[i], name, n))
			return true;
	}
	return false;
}

/*
 * Into the archive and the list. @name is flat: lib/modules has no directories.
 */
static int store(struct module_set *set, const char *name, const void *elf,
		 size_t size)
{
	char path[CPIO_MAX_NAME + 1];
	int n;
	int rc;

	if (set->n == MODULES_MAX)
		return fail(AVF_ERR_LIMIT, "more than %u modules", MODULES_MAX);
	(void)snprintf(path, sizeof(path), "lib/modules/%s.ko", name);
	rc = cpio_file(set->cpio, path, 0644, elf, size);
	if (rc < 0)
		return rc;
	n = snprintf(set->list + set->list_size,
		     sizeof(set->list) - set->list_size, "/%s\n", path);
	if (n < 0 || (size_t)n >= sizeof(set->list) - set->list_size)
		return fail(AVF_ERR_LIMIT, "the list of modules");
	set->list_size += (size_t)n;
	(void)snprintf(set->names[set->n++], sizeof(set->names[0]), "%s", name);
	return 0;
}

static int add_module(struct module_set *set, const char *name,
		      unsigned int depth);

/* @depends is "a,b,c". */
static int add_depends(struct module_set *set, const char *depends,
		       unsigned int depth)
{
	char name[MODULE_MAX_NAME + 1];
	size_t n;
	int rc;

	if (depth == MAX_DEPTH)
		return fail(AVF_ERR_FORMAT, "modules depend on each other");
	while (depends && *depends) {
		n = strcspn(depends, ",");
		if (n == 0 || n > MODULE_MAX_NAME)
			return fail(AVF_ERR_FORMAT, "bad names in a module");
		memcpy(name, depends, n);
		name[n] = '\0';
		rc = add_module(set, name, depth + 1);
		if (rc < 0)
			return rc;
		depends += n + (depends[n] == ',');
	}
	return 0;
}

/*
 * Recursive through add_depends(), whose depth is limited: modules that depend
 * on each other end in an error.
 */
static int add_module(struct module_set *set, const char *name,
		      unsigned int depth)
{
	CLEANUP(unpack_buffer_fini) struct unpack_buffer unpacked = {0};
	CLEANUP(mapped_file_fini) struct mapped_file file = {0};
	const char *line;
	const void *elf;
	size_t size;
	int rc;

	if (has_module(set, name) || find_line(set->builtin, name, &size))
		return 0;
	line = find_line(set->order, name, &size);
	if (!line)
		return fail(AVF_ERR_NOT_FOUND, "the kernel has no module %s",
			    name);
	rc = load_module(set->dir, line, size, &file, &unpacked);
	if (rc < 0)
		return rc;
	elf = unpacked.size ? unpacked.data : file.data;
	size = unpacked.size ? unpacked.size : file.size;
	rc = add_depends(set, modules_info(elf, size, "depends"), depth);
	if (rc < 0)
		return rc;
	return store(set, name, elf, size);
}

static int read_list(const char *dir, const char *name, char **ret_list)
{
	CLEANUP(mapped_file_fini) struct mapped_file file = {0};
	char path[PATH_MAX];
	int rc;

	rc = path_join(path, dir, name);
	if (rc < 0)
		return rc;
	rc = mapped_file_init(&file, path);
	if (rc < 0)
		return rc;
	*ret_list = strndup(file.data, file.size);
	if (!*ret_list)
		return fail(AVF_ERR_NO_MEMORY, "%s", name);
	return 0;
}

int modules_add(struct cpio *cpio, const char *dir)
{
	CLEANUP(free_p) struct module_set *set = calloc(1, sizeof(*set));
	CLEANUP(free_p) char *builtin = NULL;
	CLEANUP(free_p) char *order = NULL;
	int rc;

	if (!set)
		return fail(AVF_ERR_NO_MEMORY, "modules");
	rc = read_list(dir, "modules.order", &order);
	if (rc < 0)
		return rc;
	rc = read_list(dir, "modules.builtin", &builtin);
	if (rc < 0)
		return rc;
	set->cpio = cpio;
	set->dir = dir;
	set->order = order;
	set->builtin = builtin;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		rc = add_module(set, wanted[i], 0);
		if (rc < 0)
			return rc;
	}
	return cpio_file(cpio, "etc/modules", 0644, set->list, set->list_size);
}
