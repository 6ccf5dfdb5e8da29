/* For which architecture a kernel is, by the first bytes of its file. */
#pragma once

#include <stddef.h>

#include "base/arch.h"

/** Bytes that are enough: up to the magic of a bzImage. */
#define KERNEL_ARCH_HEAD 0x206U

/**
 * What the kernel with the first bytes @head is for: a bzImage (Linux,
 * Documentation/arch/x86/boot.rst), an arm64 Image (.../arm64/booting.rst), an
 * ELF file. NULL: none of them, as a compressed kernel, or for another
 * architecture than guests have. Not trusted.
 */
const struct arch *kernel_arch(const void *head, size_t size);
