/* When a queue interrupts its driver, and when it asks for kicks. */
#include <criterion/criterion.h>

#include "base/checked.h"
#include "support/fake_driver.h"

#define RINGS 0x10000ULL
#define BUF   0x40000ULL
#define SIZE  16
#define W     FAKE_WRITE

static struct gmem gm;
static struct virtq vq;
static struct fake_driver drv;
static struct virtq_chain chain;

static void setup_base(uint16_t size, uint16_t base)
{
	gmem_init(&gm);
	cr_assert_eq(gmem_add_anonymous(&gm, 0, 0x100000), 0);
	(void)fake_driver_init(&drv, &gm, RINGS, size);
	fake_driver_set_avail_idx(&drv, base);
	virtq_init(&vq, &gm, 256);
	fake_driver_place(&drv, &vq);
	cr_assert_eq(virtq_start(&vq, base), 0);
}

static void setup(void)
{
	setup_base(SIZE, 0);
}

static void teardown(void)
{
	gmem_fini(&gm);
}

TestSuite(queue_events, .init = setup, .fini = teardown);

struct signal_row {
	const char *what;
	bool event_idx;
	uint16_t flags;
	uint16_t used_event;
	uint16_t base;
	uint16_t pushes;
	bool wants;
};

static const struct signal_row signals[] = {
	{"nothing pushed", false, 0, 0, 0, 0, false},
	{"nothing pushed, event index", true, 0, 0, 0, 0, false},
	{"one", false, 0, 0, 0, 1, true},
	{"no interrupt flag", false, 1, 0, 0, 1, false},
	{"unknown flags", false, 0xfffe, 0, 0, 1, true},
	{"event at the first", true, 0, 0, 0, 1, true},
	{"event at the last of three", true, 0, 2, 0, 3, true},
	{"event in the middle", true, 0, 1, 0, 3, true},
	{"event one ahead", true, 0, 3, 0, 3, false},
	{"event far ahead", true, 0, 0x8000, 0, 3, false},
	{"event behind", true, 0, 65535, 0, 3, false},
	{"flags do not count with event index", true, 1, 0, 0, 1, true},
	{"taken over: once for certain", true, 0, 0x8000, 100, 1, true},
	{"taken over, idle: once for certain", false, 0, 0, 100, 0, true},
};

Test(queue_events, interrupts)
{
	const struct fake_desc buf = {BUF, 16, W, 0};

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		const struct signal_row *row = &signals[i];

		teardown();
		setup_base(SIZE, row->base);
		vq.event_idx = row->event_idx;
		fake_driver_set_avail_flags(&drv, row->flags);
		fake_driver_set_used_event(&drv, row->used_event);
		for (uint16_t k = 0; k < row->pushes; k++) {
			(void)fake_driver_add(&drv, &buf, 1);
			cr_assert_eq(virtq_pop(&vq, &chain), 1);
			cr_assert_eq(virtq_push(&vq, chain.head, 0), 0);
		}
		cr_expect_eq(virtq_wants_interrupt(&vq), row->wants, "%s",
			     row->what);
		cr_expect_not(virtq_wants_interrupt(&vq), "%s: twice",
			      row->what);
	}
}

Test(queue_events, event_index_wraps)
{
	const struct fake_desc buf = {BUF, 16, W, 0};
	uint32_t yes = 0;

	vq.event_idx = true;
	for (uint32_t i = 0; i < 131072; i++) {
		(void)fake_driver_add(&drv, &buf, 1);
		cr_assert_eq(virtq_pop(&vq, &chain), 1);
		cr_assert_eq(virtq_push(&vq, chain.head, 0), 0);
		fake_driver_set_used_event(&drv, 0x1000);
		yes += virtq_wants_interrupt(&vq);
	}
	cr_expect_eq(yes, 2U, "%u", yes);
}

Test(queue_events, kicks_by_flag)
{
	virtq_disable_kicks(&vq);
	cr_expect_eq(fake_driver_used_flags(&drv), 1);
	cr_expect_not(virtq_enable_kicks(&vq));
	cr_expect_eq(fake_driver_used_flags(&drv), 0);
}

Test(queue_events, kicks_by_event_index)
{
	const struct fake_desc buf = {BUF, 16, W, 0};

	vq.event_idx = true;
	(void)fake_driver_add(&drv, &buf, 1);
	cr_assert_eq(virtq_pop(&vq, &chain), 1);
	cr_expect_not(virtq_enable_kicks(&vq));
	cr_expect_eq(fake_driver_avail_event(&drv), 1);
	(void)fake_driver_add(&drv, &buf, 1);
	virtq_disable_kicks(&vq);
	cr_expect_eq(fake_driver_used_flags(&drv), 0);
	cr_expect(virtq_enable_kicks(&vq), "a request came in between");
}

/* What we wrote to the guest's memory is never asked for an answer. */
Test(queue_events, scribbling_over_our_words_changes_nothing)
{
	const struct fake_desc buf = {BUF, 16, W, 0};
	const gpa_t avail_event = drv.used + 4 + 8ULL * SIZE;

	for (int event_idx = 0; event_idx < 2; event_idx++) {
		vq.event_idx = event_idx;
		for (uint32_t i = 0; i < 100; i++) {
			cr_expect_not(virtq_enable_kicks(&vq));
			cr_assert_eq(gmem_store_le16(&gm, avail_event,
						     (uint16_t)(i * 7919)),
				     0);
			cr_assert_eq(gmem_store_le16(&gm, drv.used, 0xffff), 0);
			(void)fake_driver_add(&drv, &buf, 1);
			cr_expect(virtq_enable_kicks(&vq), "%u", i);
			cr_assert_eq(virtq_pop(&vq, &chain), 1);
			cr_assert_eq(virtq_push(&vq, chain.head, 0), 0);
		}
		cr_expect_eq(fake_driver_used_flags(&drv),
			     event_idx ? 0xffffU : 0U);
	}
}
