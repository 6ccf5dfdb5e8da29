/* arm64: one instruction each, and where the machine has what. */
#pragma once

#include <stdint.h>

#define BARE_RAM        0x80000000ULL
#define BARE_ECAM       0x10000000ULL
#define BARE_WINDOW     0x20000000ULL /* for BARs */
#define BARE_WINDOW_END 0x30000000ULL
#define BARE_IRQ_CHIP   0x3fff0000ULL
#define BARE_NOWHERE    0x10000000000ULL /* nothing is mapped there */

static inline void relax(void)
{
	__asm__ volatile("yield" : : : "memory");
}

static inline void undefined_instruction(void)
{
	__asm__ volatile("udf #0");
}

/*
 * Loads and stores of one register without write-back: the only ones that a
 * CPU describes to the hypervisor (Arm ARM D17.2.37, ISS of a Data Abort).
 * What was stored to memory before is visible to a device that is told.
 */
#define MMIO_ACCESS(bits, suffix)                                    \
	static inline uint##bits##_t mmio_read##bits(uint64_t addr)  \
	{                                                            \
		uint32_t value;                                      \
                                                                     \
		__asm__ volatile("ldr" suffix " %w0, [%1]\n\tdsb ld" \
				 : "=r"(value)                       \
				 : "r"(addr)                         \
				 : "memory");                        \
		return (uint##bits##_t)value;                        \
	}                                                            \
	static inline void mmio_write##bits(uint64_t addr,           \
					    uint##bits##_t value)    \
	{                                                            \
		__asm__ volatile("dsb st\n\tstr" suffix " %w0, [%1]" \
				 :                                   \
				 : "r"((uint32_t)value), "r"(addr)   \
				 : "memory");                        \
	}
MMIO_ACCESS(8, "b")
MMIO_ACCESS(16, "h")
MMIO_ACCESS(32, "")

/* pKVM's calls (Documentation/virt/kvm/arm/hypercalls.rst of Linux) */
#define PKVM_MEM_SHARE   0xc6000003ULL
#define PKVM_MEM_UNSHARE 0xc6000004ULL

/** A call of the firmware or the hypervisor (SMCCC); returns x0. */
static inline uint64_t hypercall(uint64_t function, uint64_t a, uint64_t b,
				 uint64_t c)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	__asm__ volatile("hvc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
			 :
			 : "memory", "x4", "x5", "x6", "x7", "x8", "x9", "x10",
			   "x11", "x12", "x13", "x14", "x15", "x16", "x17");
	return x0;
}
