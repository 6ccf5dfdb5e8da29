/* What an attack of a guest may cost the host, and why that much. */
#pragma once

#include <time.h>

/* A VMM's own memory may grow by as much as a whole VMM is meant to need:
 * 3 MiB. The most that a guest can make it allocate without sending data are
 * 3072 connections of 400 bytes; buffers that exist from the beginning are
 * touched page by page besides. */
#define MAX_GROWTH_KIB 3072L

/* Data that applications have not read yet: VSOCK_MAX_BUFFERED, 64 MiB for all
 * connections together. Who goes beyond it loses the connection. */
#define MAX_HOARDED_KIB 65536L

/* Log lines: a fixed part, and every device's budget of ten lines in five
 * seconds (base/log.h) for two devices. */
#define MAX_LOG_LINES         30U
#define MAX_LOG_LINES_PER_5_S 20U

/* CPUs' time, in tenths, that a VMM uses after an attack, while one vCPU of
 * the guest spins and the other halts: the spinning one, and half of another
 * for a busy computer's accounting. A loop that spins too makes it two. */
#define MAX_IDLE_CPUS_10 15L
#define IDLE_MS          400L

/* Bytes that a deaf guest leaves in the host: the two buffers of a Unix
 * socket pair (net.core.wmem_default, doubled by the kernel, and as much
 * again for the sake of other hosts' settings). */
#define MAX_STARVED_BYTES (1U << 20)

static inline unsigned int max_log_lines(time_t begin)
{
	return MAX_LOG_LINES +
	       MAX_LOG_LINES_PER_5_S * (unsigned int)((time(NULL) - begin) / 5);
}
