/* What a test of the machine knows of x86-64's. Included by the command line.
 */
#pragma once

#include <avf/vm.h>

#include "hv/hv.h"
#include "machine/layout_x86_64.h"
#include "support/fake_kernel.h"

#define HOST_SERIAL       MACHINE_COM1_PORT
#define HOST_SERIAL_LINE  MACHINE_COM1_LINE
#define HOST_SERIAL_READ  HV_EXIT_PIO_READ
#define HOST_SERIAL_WRITE HV_EXIT_PIO_WRITE

/* Regions of 5 GiB of memory: there is a hole below 4 GiB. */
#define HOST_REGIONS 2U

/* No protected VMs: the configuration is refused before. */
#define HOST_POOL(n) (0 * (uint64_t)(n))

/* Ways to end that are not firmware's or the hypervisor's. */
#define HOST_ENDS                                        \
	{"ACPI sleep S5",                                \
	 {HV_EXIT_PIO_WRITE, 0x600, 1, 5 << 2 | 1 << 5}, \
	 AVF_STOP_REASON_SHUTDOWN,                       \
	 "powered off"},                                 \
		{"ACPI reset register",                  \
		 {HV_EXIT_PIO_WRITE, 0x602, 1, 1},       \
		 AVF_STOP_REASON_REBOOT,                 \
		 "reset"},                               \
		{"keyboard controller's reset line",     \
		 {HV_EXIT_PIO_WRITE, 0x64, 1, 0xfe},     \
		 AVF_STOP_REASON_REBOOT,                 \
		 "reset"},

/** A file of a kernel that loads. */
static inline int host_kernel(void)
{
	struct fake_kernel kernel;

	fake_kernel_init(&kernel);
	return fake_file(&kernel, sizeof(kernel));
}
