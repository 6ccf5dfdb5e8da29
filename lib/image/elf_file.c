/*
 * As much of ELF as packing needs. Files are the user's and may be anything:
 * each offset and size is compared with what the file has before it is used.
 */
#include "image/elf_file.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "image/scratch.h"

/* Header of a 64-bit little-endian ELF file, copied out. */
static int read_header(const struct mapped_file *file, const char *path,
		       Elf64_Ehdr *ret_header)
{
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
	const char *text = (const char *)file->data + segment->p_offset;

	if (segment->p_offset > file->size ||
	    segment->p_filesz > file->size - segment->p_offset ||
	    segment->p_filesz < 2 || segment->p_filesz > size ||
	    text[0] != '/' || text[segment->p_filesz - 1] != '\0')
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

	rc = mapped_file_init(&file, path);
	if (rc < 0)
		return rc;
	rc = read_header(&file, path, &header);
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

	rc = mapped_file_init(&file, path);
	if (rc < 0)
		return rc;
	rc = read_header(&file, path, &header);
	if (rc < 0)
		return rc;
	if (header.e_type != ET_DYN)
		return fail(AVF_ERR_FORMAT, "%s is not a shared library", path);
	*ret_machine = header.e_machine;
	return 0;
}

int elf_file_find_library(const char *soname, char ret_path[PATH_MAX])
{
	static const char *const dirs[] = {
		"/lib/x86_64-linux-gnu",
		"/usr/lib/x86_64-linux-gnu",
		"/lib/aarch64-linux-gnu",
		"/usr/lib/aarch64-linux-gnu",
		"/lib64",
		"/usr/lib64",
		"/lib",
		"/usr/lib",
	};
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		rc = path_join(ret_path, dirs[i], soname);
		if (rc < 0)
			return rc;
		if (access(ret_path, R_OK) == 0)
			return 0;
	}
	return fail(AVF_ERR_NOT_FOUND, "this host has no %s", soname);
}
