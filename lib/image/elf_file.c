/*
 * As much of ELF as packing needs. Files are the user's and may be anything:
 * each offset and size is compared with what the file has before it is used.
 */
#include "image/elf_file.h"

#include <elf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "image/scratch.h"

/* Maps a 64-bit little-endian ELF file; its header is copied out. */
static int open_elf(struct mapped_file *file, const char *path,
		    Elf64_Ehdr *ret_header)
{
	int rc = mapped_file_init(file, path);

	if (rc < 0)
		return rc;
	if (file->size < sizeof(*ret_header))
		return fail(AVF_ERR_FORMAT, "%s is not a 64-bit ELF file",
			    path);
	memcpy(ret_header, file->data, sizeof(*ret_header));
	if (memcmp(ret_header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    ret_header->e_ident[EI_CLASS] != ELFCLASS64 ||
	    ret_header->e_ident[EI_DATA] != ELFDATA2LSB)
		return fail(AVF_ERR_FORMAT, "%s is not a 64-bit ELF file",
			    path);
	return 0;
}

/* Absolute and ended by a NUL inside the segment, as gABI wants it. */
static int copy_interpreter(const struct mapped_file *file, const char *path,
			    const Elf64_Phdr *segment, char *buf, size_t size)
{
	const char *text = file->data;

	if (segment->p_offset > file->size ||
	    segment->p_filesz > file->size - segment->p_offset ||
	    segment->p_filesz < 2 || segment->p_filesz > size)
		return fail(AVF_ERR_FORMAT, "%s has a bad interpreter", path);
	text += segment->p_offset;
	if (text[0] != '/' || text[segment->p_filesz - 1] != '\0')
		return fail(AVF_ERR_FORMAT, "%s has a bad interpreter", path);
	memcpy(buf, text, segment->p_filesz);
	return 0;
}

int elf_file_interpreter(const char *path, char *buf, size_t size)
{
	CLEANUP(mapped_file_fini) struct mapped_file file = {0};
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	int rc;

	rc = open_elf(&file, path, &header);
	if (rc < 0)
		return rc;
	if (header.e_phentsize != sizeof(segment) ||
	    header.e_phoff > file.size ||
	    header.e_phnum > (file.size - header.e_phoff) / sizeof(segment))
		return fail(AVF_ERR_FORMAT, "%s is truncated", path);
	for (size_t i = 0; i < header.e_phnum; i++) {
		memcpy(&segment,
		       (const char *)file.data + header.e_phoff +
			       i * sizeof(segment),
		       sizeof(segment));
		if (segment.p_type == PT_INTERP)
			return copy_interpreter(&file, path, &segment, buf,
						size);
	}
	return fail(AVF_ERR_FORMAT, "%s names no interpreter", path);
}

int elf_file_library_machine(const char *path, uint16_t *ret_machine)
{
	CLEANUP(mapped_file_fini) struct mapped_file file = {0};
	Elf64_Ehdr header;
	int rc;

	rc = open_elf(&file, path, &header);
	if (rc < 0)
		return rc;
	if (header.e_type != ET_DYN)
		return fail(AVF_ERR_FORMAT, "%s is not a shared library", path);
	*ret_machine = header.e_machine;
	return 0;
}

int elf_file_check_arch(const char *path, const struct arch *arch)
{
	CLEANUP(mapped_file_fini) struct mapped_file file = {0};
	const struct arch *found;
	Elf64_Ehdr header;
	int rc;

	rc = open_elf(&file, path, &header);
	if (rc < 0)
		return rc;
	found = arch_find_elf(header.e_machine);
	if (found == arch)
		return 0;
	return fail(AVF_ERR_FORMAT, "%s is for %s, not for %s", path,
		    found ? found->name : "another architecture", arch->name);
}

/* Debian's directories of @arch first: multiarch, then what its cross
 * compilers link with. Last, those of the others, which have one only. */
static int find_in(const struct arch *arch, const char *soname,
		   char ret_path[PATH_MAX])
{
	static const struct {
		const char *before;
		bool triplet;
		const char *behind;
	} dirs[] = {
		{"/lib/", true, ""},       {"/usr/lib/", true, ""},
		{"/usr/", true, "/lib"},   {"/lib64", false, ""},
		{"/usr/lib64", false, ""}, {"/lib", false, ""},
		{"/usr/lib", false, ""},
	};
	char dir[64];
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		(void)snprintf(dir, sizeof(dir), "%s%s%s", dirs[i].before,
			       dirs[i].triplet ? arch->triplet : "",
			       dirs[i].behind);
		rc = path_join(ret_path, dir, soname);
		if (rc < 0)
			return rc;
		if (access(ret_path, R_OK) == 0 &&
		    elf_file_check_arch(ret_path, arch) == 0)
			return 0;
	}
	return AVF_ERR_NOT_FOUND;
}

int elf_file_find_library(const struct arch *arch, const char *soname,
			  char ret_path[PATH_MAX])
{
	int rc = find_in(arch, soname, ret_path);

	if (rc != AVF_ERR_NOT_FOUND)
		return rc;
	if (arch == arch_host())
		return fail(AVF_ERR_NOT_FOUND, "this host has no %s", soname);
	return fail(AVF_ERR_NOT_FOUND,
		    "this host has no %s for %s: install libc6-%s-cross",
		    soname, arch->name, arch->debian);
}
