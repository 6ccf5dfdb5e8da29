/* Which range an access reaches, and which ranges may be added. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/checked.h"
#include "bus/bus.h"

static uint64_t seen_offset;
static uint32_t seen_size;

static void on_read(void *opaque, uint64_t offset, void *data, uint32_t size)
{
	seen_offset = offset;
	seen_size = size;
	memset(data, *(const char *)opaque, size);
}

static void on_write(void *opaque, uint64_t offset, const void *data,
		     uint32_t size)
{
	(void)opaque;
	(void)data;
	seen_offset = offset;
	seen_size = size;
}

static const struct bus_ops ops = {.read = on_read, .write = on_write};
static char a_byte = 'a', b_byte = 'b', z_byte = 'z';
static struct bus_range a = {0x1000, 0x10, &ops, &a_byte, false};
static struct bus_range b = {0x1010, 0x10, &ops, &b_byte, false};
static struct bus_range z = {UINT64_MAX - 7, 8, &ops, &z_byte, false};
static struct bus bus;

static void setup(void)
{
	bus_init(&bus, "mmio");
	/* not in the order of their addresses */
	cr_assert_eq(bus_add(&bus, &z), 0);
	cr_assert_eq(bus_add(&bus, &b), 0);
	cr_assert_eq(bus_add(&bus, &a), 0);
}

TestSuite(bus, .init = setup);

static const struct {
	const char *what;
	uint64_t addr;
	uint32_t size;
	char hit; /* 0: nobody */
	uint64_t offset;
} accesses[] = {
	{"first byte", 0x1000, 1, 'a', 0},
	{"last byte", 0x100f, 1, 'a', 15},
	{"eight bytes", 0x1008, 8, 'a', 8},
	{"the next range", 0x1010, 4, 'b', 0},
	{"the end of the address space", UINT64_MAX - 7, 8, 'z', 0},
	{"unaligned", 0x1001, 4, 'a', 1},
	{"below", 0xfff, 1, 0, 0},
	{"across the beginning", 0xfff, 2, 0, 0},
	{"across two ranges", 0x100e, 4, 0, 0},
	{"across the end", 0x101f, 2, 0, 0},
	{"behind", 0x1020, 1, 0, 0},
	{"across the end of the address space", UINT64_MAX, 8, 0, 0},
	{"no bytes", 0x1000, 0, 0, 0},
	{"three bytes", 0x1000, 3, 0, 0},
	{"sixteen bytes", 0x1000, 16, 0, 0},
};

Test(bus, accesses)
{
	for (size_t i = 0; i < ARRAY_SIZE(accesses); i++) {
		const char *what = accesses[i].what;
		uint32_t size = accesses[i].size;
		char want = accesses[i].hit ? accesses[i].hit : (char)0xff;
		char data[16] = {0};

		seen_size = 0;
		cr_expect_eq(bus_read(&bus, accesses[i].addr, data, size),
			     accesses[i].hit != 0, "%s", what);
		for (uint32_t k = 0; k < sizeof(data); k++)
			cr_expect_eq(data[k], k < size ? want : 0, "%s", what);
		cr_expect_eq(seen_size, accesses[i].hit ? size : 0, "%s", what);
		seen_offset = 0;
		seen_size = 0;
		cr_expect_eq(bus_write(&bus, accesses[i].addr, data, size),
			     accesses[i].hit != 0, "%s", what);
		cr_expect_eq(seen_offset, accesses[i].offset, "%s", what);
		cr_expect_eq(seen_size, accesses[i].hit ? size : 0, "%s", what);
	}
}

static const struct {
	const char *what;
	uint64_t base, size;
	int rc;
} adds[] = {
	{"below the others", 0, 0x1000, 0},
	{"above the others", 0x1020, 0x1000, 0},
	{"empty", 0x5000, 0, AVF_ERR_INVALID},
	{"wraps", UINT64_MAX - 1, 3, AVF_ERR_INVALID},
	{"the same", 0x1000, 0x10, AVF_ERR_INVALID},
	{"overlaps by the last byte", 0xff1, 0x10, AVF_ERR_INVALID},
	{"overlaps by the first byte", 0x101f, 1, AVF_ERR_INVALID},
	{"inside another", 0x1008, 1, AVF_ERR_INVALID},
	{"around all", 0, UINT64_MAX, AVF_ERR_INVALID},
};

Test(bus, adds)
{
	for (size_t i = 0; i < ARRAY_SIZE(adds); i++) {
		struct bus_range r = {adds[i].base, adds[i].size, &ops, &a_byte,
				      false};

		cr_expect_eq(bus_add(&bus, &r), adds[i].rc, "%s", adds[i].what);
		cr_expect_eq(r.added, adds[i].rc == 0, "%s", adds[i].what);
		bus_remove(&bus, &r);
		bus_remove(&bus, &r);
		cr_expect_eq(bus.n_ranges, 3U, "%s", adds[i].what);
	}
}

Test(bus, removed_ranges_are_not_reached)
{
	char c;

	bus_remove(&bus, &a);
	cr_expect_not(bus_read(&bus, 0x1000, &c, 1));
	cr_expect(bus_read(&bus, 0x1010, &c, 1));
	cr_expect_eq(c, 'b');
	cr_expect_eq(bus_add(&bus, &a), 0);
	cr_expect(bus_read(&bus, 0x1000, &c, 1));
}

Test(bus, a_full_bus)
{
	static struct bus_range many[BUS_MAX_RANGES];
	uint64_t n = BUS_MAX_RANGES - 3;

	for (uint64_t i = 0; i <= n; i++) {
		many[i] = (struct bus_range){0x10000 + i, 1, &ops, &a_byte,
					     false};
		cr_expect_eq(bus_add(&bus, &many[i]),
			     i < n ? 0 : AVF_ERR_LIMIT);
	}
}
