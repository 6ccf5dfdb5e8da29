/*
 * The x86-64 power ports: ACPI's hardware-reduced sleep registers (ACPI 6.5,
 * section 4.8.3.7), the reset register (4.8.3.6), and what is left of the
 * keyboard controller. The ACPI tables name the same ports by these macros.
 *
 * Thread rule: the callbacks run on a vCPU thread with the machine's lock
 * held; they must not wait.
 */
#pragma once

#include <stdint.h>

#include "base/checked.h"
#include "base/error.h"
#include "bus/bus.h"

#define PM_X86_64_BASE          0x600 /* I/O port */
#define PM_X86_64_SLEEP_CONTROL 0     /* offsets, one byte each */
#define PM_X86_64_SLEEP_STATUS  1
#define PM_X86_64_RESET         2
#define PM_X86_64_SIZE          3

#define PM_X86_64_SLP_TYP_SHIFT 2
#define PM_X86_64_SLP_TYP_MASK  0x7
#define PM_X86_64_SLP_TYP_S5    5
#define PM_X86_64_SLP_EN        BIT(5)
#define PM_X86_64_RESET_VALUE   0x01

#define I8042_BASE          0x60 /* I/O port; 0x61 is system control port B */
#define I8042_SIZE          5
#define I8042_COMMAND       4 /* offsets; the status when read */
#define I8042_SYSTEM_PORT_B 1
#define I8042_COMMAND_RESET 0xfe

struct pm_x86_64_ops {
	/** The guest turned itself off (S5). */
	void (*power_off)(void *userdata);
	/** The guest asks for a reset. */
	void (*reset)(void *userdata);
};

struct pm_x86_64 {
	struct bus_range pm;
	struct bus_range i8042;
	const struct pm_x86_64_ops *ops;
	void *userdata; /* borrowed */
};

/**
 * Set up the ranges and put them on @bus (the port bus).
 * Errors: as bus_add(); then nothing is on the bus.
 */
int pm_x86_64_init(struct pm_x86_64 *pm, struct bus *bus,
		   const struct pm_x86_64_ops *ops, void *userdata) MUST_CHECK;

/** Take the ranges off @bus. */
void pm_x86_64_fini(struct pm_x86_64 *pm, struct bus *bus);
