/* What a kernel says about itself in the first bytes of its file: for which
 * architecture it is, and how much memory it fills. Not trusted. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arch.h"

/** Bytes that are enough: up to init_size of a bzImage, and a few program
 * headers of an ELF file. */
#define KERNEL_ARCH_HEAD 1024U

/**
 * What the kernel with the first bytes @head is for: a bzImage (Linux,
 * Documentation/arch/x86/boot.rst), an arm64 Image (.../arm64/booting.rst), an
 * ELF file. NULL: none of them, as a compressed kernel, or for another
 * architecture than guests have.
 */
const struct arch *kernel_arch(const void *head, size_t size);

/**
 * The least memory, in bytes, that a machine needs to hold the kernel with the
 * first bytes @head, its BSS included. 0: it does not say.
 */
uint64_t kernel_memory(const void *head, size_t size);
