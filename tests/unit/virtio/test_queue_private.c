/* Rings that the guest of a protected VM keeps to itself. No memory of this
 * process is like that, so the load that would fail is this test's. */
#include <criterion/criterion.h>

#include "base/checked.h"
#include "gmem/guest_access.h"
#include "support/fake_driver.h"

#define RINGS 0x10000ULL
#define BUF   0x40000ULL
#define SIZE  16

static struct gmem gm;
static struct virtq vq;
static struct fake_driver drv;
static struct virtq_chain chain;
static bool is_private;

int __real_guest_load16(const uint16_t *from, uint16_t *ret_value);
int __wrap_guest_load16(const uint16_t *from, uint16_t *ret_value);

int __wrap_guest_load16(const uint16_t *from, uint16_t *ret_value)
{
	if (is_private)
		return fail(AVF_ERR_PROTOCOL, "private");
	return __real_guest_load16(from, ret_value);
}

static void place(void)
{
	(void)fake_driver_init(&drv, &gm, RINGS, SIZE);
	fake_driver_place(&drv, &vq);
	cr_assert_eq(virtq_start(&vq, 0), 0);
}

static void setup(void)
{
	gmem_init(&gm);
	cr_assert_eq(gmem_add_anonymous(&gm, 0, 0x100000), 0);
	virtq_init(&vq, &gm, 256);
	place();
}

static void teardown(void)
{
	gmem_fini(&gm);
}

TestSuite(queue_private, .init = setup, .fini = teardown);

static int pop(bool from_private)
{
	int rc;

	is_private = from_private;
	rc = virtq_pop(&vq, &chain);
	is_private = false;
	return rc;
}

Test(queue_private, nobody_has_looked)
{
	cr_expect_eq(vq.reach, VIRTQ_REACH_UNKNOWN);
	virtq_reset(&vq);
	cr_expect_eq(pop(true), 0, "there is no ring");
	cr_expect_eq(vq.reach, VIRTQ_REACH_UNKNOWN);
}

Test(queue_private, an_empty_ring_that_can_be_read)
{
	cr_expect_eq(pop(false), 0);
	cr_expect_eq(vq.reach, VIRTQ_REACH_GOOD);
}

/* A driver's second attempt may be better, and none makes it worse again. */
Test(queue_private, what_was_seen_outlives_a_reset)
{
	static const struct {
		bool is_private;
		enum virtq_reach reach;
	} rings[] = {
		{true, VIRTQ_REACH_REFUSED},
		{true, VIRTQ_REACH_REFUSED},
		{false, VIRTQ_REACH_GOOD},
		{true, VIRTQ_REACH_GOOD},
	};
	const struct fake_desc buf = {BUF, 16, FAKE_WRITE, 0};

	for (size_t i = 0; i < ARRAY_SIZE(rings); i++) {
		virtq_reset(&vq);
		place();
		(void)fake_driver_add(&drv, &buf, 1);
		cr_expect_eq(pop(rings[i].is_private),
			     rings[i].is_private ? AVF_ERR_PROTOCOL : 1,
			     "ring %zu", i);
		cr_expect_eq(vq.reach, rings[i].reach, "ring %zu", i);
	}
}

/* A driver that breaks a ring has shared it all the same. */
Test(queue_private, a_broken_ring_that_can_be_read)
{
	fake_driver_set_avail_idx(&drv, SIZE + 1);
	cr_expect_eq(pop(false), AVF_ERR_PROTOCOL);
	cr_expect_eq(vq.reach, VIRTQ_REACH_GOOD);
}
