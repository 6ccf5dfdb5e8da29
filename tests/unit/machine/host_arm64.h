/* What a test of the machine knows of arm64's. Included by the command line. */
#pragma once

#include <string.h>

#include "base/byteorder.h"
#include "hv/hv.h"
#include "machine/layout_arm64.h"
#include "support/fake_kernel.h"

#define HOST_SERIAL       MACHINE_SERIAL_BASE
#define HOST_SERIAL_LINE  MACHINE_SERIAL_LINE
#define HOST_SERIAL_READ  HV_EXIT_MMIO_READ
#define HOST_SERIAL_WRITE HV_EXIT_MMIO_WRITE

/* Regions of 5 GiB of memory: all devices are below it. */
#define HOST_REGIONS 1U

/* Memory for the devices of a protected VM with @n disks, in bytes. */
#define HOST_POOL(n) ((4ULL + (n)) * (2ULL << 20))

/* Power-off and reset are calls of the firmware, which all machines have. */
#define HOST_ENDS

/** A file of a kernel that loads. */
static inline int host_kernel(void)
{
	const le64 size = le64_make(0x100000), flags = le64_make(0xa);
	unsigned char image[0x1000] = {0};

	memcpy(image + 16, &size, 8);
	memcpy(image + 24, &flags, 8);
	memcpy(image + 56, "ARM\x64", 4);
	return fake_file(image, sizeof(image));
}
