/*
 * Two small devices on the port bus of a PC: the sleep and reset registers of
 * hardware-reduced ACPI (6.4, 4.8.3.6 and 4.8.3.7), which boot/acpi.c tells the
 * guest about, and what is left of a keyboard controller, for guests that reset
 * or probe the old way. Both only call back; the machine decides what a reset
 * means. On vCPU threads, with the machine's lock.
 */
#include "devices/pm_x86_64.h"

#include <string.h>

/*
 * Status of the keyboard controller: output buffer full, for ever. A driver
 * that probes drains the buffer a few times and finds no controller, without
 * the time-outs that a silent one costs it; one that is about to reset sees
 * that the controller takes commands.
 */
#define I8042_STATUS_OUTPUT_FULL 0x01

/* Timer 2 has run out, no NMI reason: whoever waits for it goes on. */
#define SYSTEM_PORT_B_TIMER2_OUT 0x20

static void pm_read(void *opaque, uint64_t offset, void *data, uint32_t size)
{
	(void)opaque;
	(void)offset;
	/* never woken up (WAK_STS clear), and nothing to read elsewhere */
	memset(data, 0, size);
}

/* Ports are bytes. A wider write could hit two registers; it is dropped. */
static void pm_write(void *opaque, uint64_t offset, const void *data,
		     uint32_t size)
{
	const struct pm_x86_64 *pm = opaque;
	const uint8_t value = *(const uint8_t *)data;
	unsigned int type;

	if (size != 1)
		return;
	type = (value >> PM_X86_64_SLP_TYP_SHIFT) & PM_X86_64_SLP_TYP_MASK;
	if (offset == PM_X86_64_SLEEP_CONTROL && (value & PM_X86_64_SLP_EN) &&
	    type == PM_X86_64_SLP_TYP_S5)
		pm->ops->power_off(pm->userdata);
	else if (offset == PM_X86_64_RESET && value == PM_X86_64_RESET_VALUE)
		pm->ops->reset(pm->userdata);
}

static void i8042_read(void *opaque, uint64_t offset, void *data, uint32_t size)
{
	uint8_t value = 0;

	(void)opaque;
	if (offset == I8042_COMMAND)
		value = I8042_STATUS_OUTPUT_FULL;
	else if (offset == I8042_SYSTEM_PORT_B)
		value = SYSTEM_PORT_B_TIMER2_OUT;
	memset(data, 0, size);
	memcpy(data, &value, sizeof(value));
}

static void i8042_write(void *opaque, uint64_t offset, const void *data,
			uint32_t size)
{
	const struct pm_x86_64 *pm = opaque;
	const uint8_t value = *(const uint8_t *)data;

	/* "reboot=k": the controller pulses the reset line */
	if (size == 1 && offset == I8042_COMMAND &&
	    value == I8042_COMMAND_RESET)
		pm->ops->reset(pm->userdata);
}

static const struct bus_ops pm_ops = {.read = pm_read, .write = pm_write};
static const struct bus_ops i8042_ops = {
	.read = i8042_read,
	.write = i8042_write,
};

int pm_x86_64_init(struct pm_x86_64 *pm, struct bus *bus,
		   const struct pm_x86_64_ops *ops, void *userdata)
{
	int rc;

	*pm = (struct pm_x86_64){
		.pm = {.base = PM_X86_64_BASE,
		       .size = PM_X86_64_SIZE,
		       .ops = &pm_ops,
		       .opaque = pm},
		.i8042 = {.base = I8042_BASE,
			  .size = I8042_SIZE,
			  .ops = &i8042_ops,
			  .opaque = pm},
		.ops = ops,
		.userdata = userdata,
	};
	rc = bus_add(bus, &pm->pm);
	if (rc < 0)
		return rc;
	rc = bus_add(bus, &pm->i8042);
	if (rc < 0)
		bus_remove(bus, &pm->pm);
	return rc;
}

void pm_x86_64_fini(struct pm_x86_64 *pm, struct bus *bus)
{
	bus_remove(bus, &pm->i8042);
	bus_remove(bus, &pm->pm);
}
