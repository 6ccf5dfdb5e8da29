/*
 * What the bare test guests share: ports, serial line, power, other CPUs.
 * There is no memory allocation and there are no interrupts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_CPUS 64U

/** Where a guest begins, on the boot CPU. */
void guest_main(void);

/** Where every other CPU begins; @cpu counts from 1. A guest may define it. */
void cpu_main(unsigned int cpu);

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

/** To the serial line. */
void print(const char *text);
void print_number(uint64_t value);
void print_hex(const void *data, size_t size);
void print_bytes(const void *data, size_t size);

/** Through the ACPI ports. Do not return. */
_Noreturn void power_off(void);
_Noreturn void reset(void);
_Noreturn void halt_forever(void);

/** Print "FAIL: @text", power off. */
_Noreturn void give_up(const char *text);

/** The command line; "" without one. */
const char *cmdline(void);

/** The number behind "@key=" in the command line, or @fallback. */
uint64_t cmdline_number(const char *key, uint64_t fallback);

/** How many CPUs the MADT lists as enabled. */
unsigned int count_cpus(void);

/** INIT and start-up IPI to all other CPUs. */
void start_cpus(void);

/* gcc calls these on its own */
void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);
