/* x86-64: one instruction each, and where the machine has what. */
#pragma once

#include <stdint.h>

#define BARE_RAM        0x00000000ULL
#define BARE_ECAM       0xe0000000ULL
#define BARE_WINDOW     0xc0000000ULL /* for BARs */
#define BARE_WINDOW_END 0xe0000000ULL
#define BARE_IRQ_CHIP   0xfee00000ULL
#define BARE_NOWHERE    0x10000000000ULL /* nothing is mapped there */

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline void undefined_instruction(void)
{
	__asm__ volatile("ud2");
}

/* One plain mov each, which every hypervisor can emulate. */
#define MMIO_ACCESS(bits)                                           \
	static inline uint##bits##_t mmio_read##bits(uint64_t addr) \
	{                                                           \
		return *(volatile uint##bits##_t *)addr;            \
	}                                                           \
	static inline void mmio_write##bits(uint64_t addr,          \
					    uint##bits##_t value)   \
	{                                                           \
		*(volatile uint##bits##_t *)addr = value;           \
	}
MMIO_ACCESS(8)
MMIO_ACCESS(16)
MMIO_ACCESS(32)
