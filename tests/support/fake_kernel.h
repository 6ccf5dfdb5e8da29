/* A small good ELF kernel for tests to damage, and files made of bytes. */
#pragma once

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "base/byteorder.h"

#define FAKE_KERNEL_BASE  0x1000000ULL /* where it is loaded */
#define FAKE_KERNEL_SIZE  0x3000ULL    /* bytes in memory */
#define FAKE_KERNEL_PVH   0x1000010U
#define FAKE_KERNEL_ENTRY 0x1000020ULL

/* The file, as it is on disk. */
struct fake_kernel {
	Elf64_Ehdr head;
	Elf64_Phdr load;
	Elf64_Phdr note;
	struct {
		le32 name_size;
		le32 desc_size;
		le32 type;
		char name[4];
		le32 entry;
	} pvh;
	unsigned char padding[4];  /* the file ends with its text */
	unsigned char text[0x100]; /* 0, 1, 2, ... */
};

/** A kernel that loads, with a PVH entry. */
void fake_kernel_init(struct fake_kernel *kernel);

/** An fd of a new file that holds @data. Cannot fail: it ends the test. */
int fake_file(const void *data, size_t size);
