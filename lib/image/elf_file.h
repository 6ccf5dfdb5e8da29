/* What the builders need to know of ELF files. Files are not trusted. */
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arch.h"
#include "base/error.h"

/**
 * The path in PT_INTERP of program @path. Errors: AVF_ERR_FORMAT (no 64-bit
 * ELF, none in it, no absolute path), those of opening it.
 */
int elf_file_interpreter(const char *path, char *buf, size_t size) MUST_CHECK;

/** The ELF machine of the 64-bit little-endian shared library @path.
 * Errors: AVF_ERR_FORMAT (it is none), those of opening it. */
int elf_file_library_machine(const char *path,
			     uint16_t *ret_machine) MUST_CHECK;

/** Whether @path is a program or a library for @arch.
 * Errors: AVF_ERR_FORMAT (it is not), those of opening it. */
int elf_file_check_arch(const char *path, const struct arch *arch) MUST_CHECK;

/**
 * Where this host has the library @soname of @arch: installed, or for
 * compiling programs of another architecture.
 * Errors: AVF_ERR_NOT_FOUND (which package has it).
 */
int elf_file_find_library(const struct arch *arch, const char *soname,
			  char ret_path[PATH_MAX]) MUST_CHECK;
