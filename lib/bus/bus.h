/*
 * Dispatch of port and memory-mapped I/O to devices by address range.
 *
 * Thread rule: handlers run on vCPU threads with the machine's lock held.
 * Ranges are added and moved with that lock held.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define BUS_MAX_RANGES 128

struct bus_range;

/* A handler sees offsets inside its range and sizes of 1, 2, 4 or 8 bytes. */
struct bus_ops {
	void (*read)(void *opaque, uint64_t offset, void *data, uint32_t size);
	void (*write)(void *opaque, uint64_t offset, const void *data,
		      uint32_t size);
};

/* Embedded in its owner, who keeps it alive while it is added. */
struct bus_range {
	uint64_t base;
	uint64_t size;
	const struct bus_ops *ops;
	void *opaque; /* borrowed */
	bool added;
};

struct bus {
	const char *name; /* "pio" or "mmio" */
	unsigned int n_ranges;
	struct bus_range *ranges[BUS_MAX_RANGES]; /* borrowed, sorted by base */
};

void bus_init(struct bus *bus, const char *name);

/**
 * Add a range; its base, size, ops and opaque are set.
 * Errors: AVF_ERR_INVALID (empty, wraps, overlaps another range),
 * AVF_ERR_LIMIT.
 */
int bus_add(struct bus *bus, struct bus_range *range) MUST_CHECK;

/** Take a range off the bus. No-op when it is not on it. */
void bus_remove(struct bus *bus, struct bus_range *range);

/**
 * Perform one access. What no range claims, or what straddles the end of a
 * range, reads as all ones and is ignored as a write. Returns whether a
 * range claimed it.
 */
bool bus_read(const struct bus *bus, uint64_t addr, void *data, uint32_t size);
bool bus_write(const struct bus *bus, uint64_t addr, const void *data,
	       uint32_t size);
