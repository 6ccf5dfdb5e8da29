/*
 * What the bare test guests share: serial line, power, other CPUs; arch.h has
 * what is one instruction.
 * There is no memory allocation and there are no interrupts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch.h"

#define MAX_CPUS 64U

/** Where a guest begins, on the boot CPU. */
void guest_main(void);

/** Where every other CPU begins; @cpu counts from 1. A guest may define it. */
void cpu_main(unsigned int cpu);

/** To the serial line. */
void print(const char *text);
void print_number(uint64_t value);
void print_hex(const void *data, size_t size);
void print_bytes(const void *data, size_t size);
void print_char(char c);

/** By ACPI's ports, or PSCI's calls. Do not return. */
_Noreturn void power_off(void);
_Noreturn void reset(void);
_Noreturn void halt_forever(void);

/**
 * Let devices reach variables, in a VM whose memory they cannot reach
 * otherwise. Stacks stay ours alone.
 */
void share_variables(void);

/** The same for the page at @addr. */
void share_page(uint64_t addr);

/** Print "FAIL: @text", power off. */
_Noreturn void give_up(const char *text);

/** The command line; "" without one. */
const char *cmdline(void);

/** The number behind "@key=" in the command line, or @fallback. */
uint64_t cmdline_number(const char *key, uint64_t fallback);

/** How many CPUs the MADT or the device tree lists. */
unsigned int count_cpus(void);

/** Let all other CPUs run: cpu_main(). */
void start_cpus(void);

/* gcc calls these on its own */
void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);
