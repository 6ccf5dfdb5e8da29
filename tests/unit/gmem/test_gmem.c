#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "gmem/gmem.h"

#define LOW_SIZE  0x10000ULL
#define HIGH      0x100000000ULL
#define HIGH_SIZE 0x4000ULL

/* Two regions with a hole between them. */
static void setup(struct gmem *gm)
{
	gmem_init(gm);
	cr_assert_eq(gmem_add_anonymous(gm, 0, LOW_SIZE), 0);
	cr_assert_eq(gmem_add_anonymous(gm, HIGH, HIGH_SIZE), 0);
}

Test(gmem, ranges_are_inside_one_region_or_refused)
{
	static const struct {
		const char *what;
		gpa_t gpa;
		uint64_t len;
		bool ok;
	} rows[] = {
		{"first byte", 0, 1, true},
		{"whole low region", 0, LOW_SIZE, true},
		{"last byte", LOW_SIZE - 1, 1, true},
		{"no bytes", 0x100, 0, false},
		{"one byte past the end", LOW_SIZE, 1, false},
		{"spans the last byte", LOW_SIZE - 1, 2, false},
		{"in the hole", HIGH - 1, 1, false},
		{"spans hole and high region", HIGH - 1, 2, false},
		{"first byte of the high region", HIGH, 1, true},
		{"whole high region", HIGH, HIGH_SIZE, true},
		{"longer than the high region", HIGH, HIGH_SIZE + 1, false},
		{"from low to high", 0, HIGH + 1, false},
		{"address plus length wraps", UINT64_MAX, 2, false},
		{"length wraps around to the start", 0x10, UINT64_MAX - 0x8,
		 false},
		{"largest length", 0, UINT64_MAX, false},
	};
	struct gmem_slice s;
	struct gmem gm;

	setup(&gm);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int rc = gmem_map(&gm, rows[i].gpa, rows[i].len, &s);

		cr_expect_eq(rc, rows[i].ok ? 0 : AVF_ERR_PROTOCOL, "%s",
			     rows[i].what);
		if (rc == 0)
			cr_expect_eq(s.size, rows[i].len, "%s", rows[i].what);
	}
	gmem_fini(&gm);
}

Test(gmem, regions_that_overlap_or_wrap_are_refused)
{
	static const struct {
		const char *what;
		gpa_t base;
		uint64_t size;
		int rc;
	} rows[] = {
		{"empty", 0x20000, 0, AVF_ERR_INVALID},
		{"wraps", UINT64_MAX - 0xfff, 0x2000, AVF_ERR_INVALID},
		{"the same", 0, LOW_SIZE, AVF_ERR_INVALID},
		{"last byte shared", LOW_SIZE - 1, 0x1000, AVF_ERR_INVALID},
		{"encloses one", HIGH - 0x1000, 0x10000, AVF_ERR_INVALID},
		{"inside one", 0x1000, 0x1000, AVF_ERR_INVALID},
		{"ends where one begins", HIGH - 0x1000, 0x1000, 0},
		{"begins where one ends", LOW_SIZE, 0x1000, 0},
	};
	struct gmem gm;

	setup(&gm);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_eq(
			gmem_add_anonymous(&gm, rows[i].base, rows[i].size),
			rows[i].rc, "%s", rows[i].what);
	cr_expect_eq(gmem_size(&gm), LOW_SIZE + HIGH_SIZE + 0x2000);
	gmem_fini(&gm);
	cr_expect_eq(gmem_size(&gm), 0);
}

Test(gmem, more_regions_than_there_is_room_for)
{
	struct gmem gm;

	gmem_init(&gm);
	for (unsigned int i = 0; i < GMEM_MAX_REGIONS; i++)
		cr_assert_eq(gmem_add_anonymous(&gm, i * 0x10000ULL, 0x1000),
			     0);
	cr_expect_eq(gmem_add_anonymous(&gm, HIGH, 0x1000), AVF_ERR_LIMIT);
	gmem_fini(&gm);
}

Test(gmem, a_mapping_that_is_refused_is_unmapped)
{
	void *p = mmap(NULL, 0x1000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	unsigned char core;
	struct gmem gm;

	setup(&gm);
	cr_expect_eq(gmem_add_mapped(&gm, 0, 0x1000, p, true), AVF_ERR_INVALID);
	cr_expect_eq(mincore(p, 0x1000, &core), -1, "taken on failure too");
	gmem_fini(&gm);
}

Test(gmem, copies_arrive_and_refused_ones_change_nothing)
{
	char buf[4] = "abc";
	struct gmem gm;

	setup(&gm);
	cr_expect_eq(gmem_write(&gm, 0x100, "xyz", 4), 0);
	cr_expect_eq(gmem_read(&gm, LOW_SIZE - 1, buf, 4), AVF_ERR_PROTOCOL);
	cr_expect_str_eq(buf, "abc");
	cr_expect_eq(gmem_read(&gm, 0x100, buf, 4), 0);
	cr_expect_str_eq(buf, "xyz");
	cr_expect_eq(gmem_write(&gm, LOW_SIZE - 2, "xyz", 4), AVF_ERR_PROTOCOL);
	cr_expect_eq(gmem_read(&gm, LOW_SIZE - 2, buf, 2), 0);
	cr_expect_eq(buf[0], 0, "nothing was written");
	gmem_fini(&gm);
}

Test(gmem, ring_fields_are_little_endian_and_aligned)
{
	unsigned char bytes[2];
	uint16_t value = 0;
	struct gmem gm;

	setup(&gm);
	cr_expect_eq(gmem_store_le16(&gm, 0x200, 0x1234), 0);
	cr_expect_eq(gmem_read(&gm, 0x200, bytes, 2), 0);
	cr_expect_eq(bytes[0], 0x34);
	cr_expect_eq(gmem_load_le16(&gm, 0x200, &value), 0);
	cr_expect_eq(value, 0x1234);
	cr_expect_eq(gmem_load_le16(&gm, 0x201, &value), AVF_ERR_PROTOCOL);
	cr_expect_eq(gmem_store_le16(&gm, LOW_SIZE, 1), AVF_ERR_PROTOCOL);
	cr_expect_eq(gmem_load_le16(&gm, LOW_SIZE - 1, &value),
		     AVF_ERR_PROTOCOL);
	gmem_fini(&gm);
}

Test(gmem, regions_may_touch_but_accesses_stay_in_one)
{
	struct gmem_slice low, high;
	struct gmem gm;

	gmem_init(&gm);
	cr_assert_eq(gmem_add_anonymous(&gm, 0, LOW_SIZE), 0);
	cr_assert_eq(gmem_add_anonymous(&gm, LOW_SIZE, LOW_SIZE), 0);
	cr_assert_eq(gmem_map(&gm, LOW_SIZE - 1, 1, &low), 0);
	cr_assert_eq(gmem_map(&gm, LOW_SIZE, 1, &high), 0,
		     "the first byte of the second belongs to it");
	cr_expect_eq(high.host, gm.regions[1].host);
	cr_expect_eq(gmem_map(&gm, LOW_SIZE - 1, 2, &low), AVF_ERR_PROTOCOL);
	gmem_fini(&gm);
}

Test(gmem, ring_fields_are_aligned_for_guest_and_host)
{
	static _Alignas(2) char host[16];
	uint16_t value;
	struct gmem gm;

	gmem_init(&gm);
	cr_assert_eq(gmem_add_mapped(&gm, 1, 8, host, false), 0);
	cr_expect_eq(gmem_load_le16(&gm, 1, &value), AVF_ERR_PROTOCOL,
		     "odd for the guest, even for the host");
	cr_expect_eq(gmem_load_le16(&gm, 2, &value), AVF_ERR_PROTOCOL,
		     "even for the guest, odd for the host");
	gmem_fini(&gm);
}
