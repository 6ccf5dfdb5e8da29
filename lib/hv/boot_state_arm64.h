/* Registers with which the boot CPU begins, arm64: EL1, MMU off, interrupts
 * masked (Documentation/arch/arm64/booting.rst of Linux). */
#pragma once

#include <stdint.h>

struct hv_boot_state {
	uint64_t entry;       /* of the kernel */
	uint64_t kernel_size; /* bytes, without BSS, for a firmware */
	uint64_t fdt;         /* x0 */
};
