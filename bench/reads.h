/* Reading a disk, the same on the host and in the guest. */
#pragma once

#include <stdint.h>

#define READS_BLOCK      4096U
#define READS_MAX_DEPTH  32U
#define READS_SEQUENTIAL (128U << 10)

/** Random reads of READS_BLOCK bytes, @depth threads at a time. Returns
 * reads per second, or a negative number on an error. */
double reads_random(int fd, uint64_t size, unsigned int depth,
		    unsigned int count);

/** The whole of @size bytes in order. Returns MiB per second. */
double reads_sequential(int fd, uint64_t size);
