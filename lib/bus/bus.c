/*
 * A sorted array with binary search: ranges are few, and looked up at each
 * exit. Invariant: ranges do not overlap, so at most one holds an address, and
 * it is the one before upper_bound(). Addresses and sizes are the guest's; a
 * range that would wrap is refused when it is added.
 */
#include "bus/bus.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"

void bus_init(struct bus *bus, const char *name)
{
	memset(bus, 0, sizeof(*bus));
	bus->name = name;
}

/* The first range that begins above @addr; the list is sorted by base. */
static unsigned int upper_bound(const struct bus *bus, uint64_t addr)
{
	unsigned int lo = 0;
	unsigned int hi = bus->n_ranges;

	while (lo < hi) {
		unsigned int mid = lo + (hi - lo) / 2;

		if (bus->ranges[mid]->base > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

int bus_add(struct bus *bus, struct bus_range *range)
{
	unsigned int i = upper_bound(bus, range->base);
	const struct bus_range *below = i > 0 ? bus->ranges[i - 1] : NULL;
	uint64_t last;

	/* a refused range is on no bus, whatever it was before */
	range->added = false;
	if (range->size == 0 || ckd_add(&last, range->base, range->size - 1))
		return fail(AVF_ERR_INVALID,
			    "%s: range of 0x%" PRIx64 " bytes at 0x%" PRIx64,
			    bus->name, range->size, range->base);
	if ((below && range->base - below->base < below->size) ||
	    (i < bus->n_ranges && bus->ranges[i]->base <= last))
		return fail(AVF_ERR_INVALID,
			    "%s: range at 0x%" PRIx64 " overlaps another",
			    bus->name, range->base);
	if (bus->n_ranges == BUS_MAX_RANGES)
		return fail(AVF_ERR_LIMIT, "%s: more than %d ranges", bus->name,
			    BUS_MAX_RANGES);
	memmove(&bus->ranges[i + 1], &bus->ranges[i],
		(bus->n_ranges - i) * sizeof(bus->ranges[0]));
	bus->ranges[i] = range;
	bus->n_ranges++;
	range->added = true;
	return 0;
}

void bus_remove(struct bus *bus, struct bus_range *range)
{
	for (unsigned int i = 0; range->added && i < bus->n_ranges; i++) {
		if (bus->ranges[i] != range)
			continue;
		bus->n_ranges--;
		memmove(&bus->ranges[i], &bus->ranges[i + 1],
			(bus->n_ranges - i) * sizeof(bus->ranges[0]));
		range->added = false;
	}
}

/* The range that wholly holds the access, or NULL. */
static const struct bus_range *find(const struct bus *bus, uint64_t addr,
				    uint32_t size)
{
	unsigned int i = upper_bound(bus, addr);
	const struct bus_range *r;

	if (i == 0 || (size != 1 && size != 2 && size != 4 && size != 8))
		return NULL;
	r = bus->ranges[i - 1];
	if (addr - r->base >= r->size || size > r->size - (addr - r->base))
		return NULL;
	return r;
}

bool bus_read(const struct bus *bus, uint64_t addr, void *data, uint32_t size)
{
	const struct bus_range *r = find(bus, addr, size);

	/* before the handler runs: what it does not fill reads as ones, too */
	memset(data, 0xff, size);
	if (!r)
		return false;
	r->ops->read(r->opaque, addr - r->base, data, size);
	return true;
}

bool bus_write(const struct bus *bus, uint64_t addr, const void *data,
	       uint32_t size)
{
	const struct bus_range *r = find(bus, addr, size);

	if (!r)
		return false;
	r->ops->write(r->opaque, addr - r->base, data, size);
	return true;
}
