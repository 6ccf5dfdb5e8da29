/* The ring walk: honest chains, and every way found to break a ring. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "base/checked.h"
#include "support/fake_driver.h"

#define RAM      0x100000ULL /* the first region: [0, 1 MiB) */
#define HOLE_END 0x200000ULL /* the second: [2 MiB, 3 MiB) */
#define RINGS    0x10000ULL
#define BUF      0x40000ULL
#define TABLE    0x50000ULL
#define SIZE     16
#define MAX_ROW  6
#define N        FAKE_NEXT
#define W        FAKE_WRITE
#define I        FAKE_INDIRECT

static struct gmem gm;
static struct virtq vq;
static struct fake_driver drv;
static struct virtq_chain chain;

static void setup_base(uint16_t size, uint16_t base)
{
	gmem_init(&gm);
	cr_assert_eq(gmem_add_anonymous(&gm, 0, RAM), 0);
	cr_assert_eq(gmem_add_anonymous(&gm, HOLE_END, RAM), 0);
	(void)fake_driver_init(&drv, &gm, RINGS, size);
	fake_driver_set_avail_idx(&drv, base);
	virtq_init(&vq, &gm, 256);
	vq.indirect = true;
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

TestSuite(queue, .init = setup, .fini = teardown);

struct walk_row {
	const char *what;
	struct fake_desc d[MAX_ROW]; /* the table from descriptor 0 */
	struct fake_desc t[MAX_ROW]; /* the indirect table at TABLE */
	uint16_t head;
	int rc;
	unsigned int n_readable, n_writable;
	bool no_indirect;
};

static const struct walk_row walks[] = {
	{"one readable buffer", {{BUF, 8, 0, 0}}, {{0}}, 0, 1, 1, 0, false},
	{"one writable buffer", {{BUF, 8, W, 0}}, {{0}}, 0, 1, 0, 1, false},
	{"read then write",
	 {{BUF, 8, N, 1}, {BUF, 8, W, 0}},
	 {{0}},
	 0,
	 1,
	 1,
	 1,
	 false},
	{"a chain that runs backwards",
	 {{BUF, 8, W, 0}, {BUF, 8, N, 0}},
	 {{0}},
	 1,
	 1,
	 1,
	 1,
	 false},
	{"a buffer at address 0", {{0, 1, 0, 0}}, {{0}}, 0, 1, 1, 0, false},
	{"the last byte of RAM",
	 {{RAM - 1, 1, 0, 0}},
	 {{0}},
	 0,
	 1,
	 1,
	 0,
	 false},
	{"the next field without its flag",
	 {{BUF, 8, 0, 999}},
	 {{0}},
	 0,
	 1,
	 1,
	 0,
	 false},
	{"a buffer inside the ring itself (own harm)",
	 {{RINGS, 8, W, 0}},
	 {{0}},
	 0,
	 1,
	 0,
	 1,
	 false},
	{"a buffer inside the used ring (own harm)",
	 {{RINGS + 16 * SIZE + 6 + 2 * SIZE + 2, 8, W, 0}},
	 {{0}},
	 0,
	 1,
	 0,
	 1,
	 false},
	{"an indirect table inside the descriptor table (own harm)",
	 {{RINGS + 16, 16, I, 0}, {BUF, 8, W, 0}},
	 {{0}},
	 0,
	 1,
	 0,
	 1,
	 false},
	{"an indirect table",
	 {{TABLE, 32, I, 0}},
	 {{BUF, 8, N, 1}, {BUF, 8, W, 0}},
	 0,
	 1,
	 1,
	 1,
	 false},
	{"an indirect table after a direct buffer",
	 {{BUF, 4, N, 1}, {TABLE, 16, I, 0}},
	 {{BUF, 8, W, 0}},
	 0,
	 1,
	 1,
	 1,
	 false},
	{"an indirect table with the meaningless write flag",
	 {{TABLE, 16, I | W, 0}},
	 {{BUF, 8, 0, 0}},
	 0,
	 1,
	 1,
	 0,
	 false},

	{"an indirect table whose next means nothing",
	 {{TABLE, 32, I, 1}},
	 {{BUF, 8, N, 1}, {BUF, 8, W, 0}},
	 0,
	 1,
	 1,
	 1,
	 false},

	{"a chain that points at itself",
	 {{BUF, 1, N, 0}},
	 {{0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"a loop of two",
	 {{BUF, 1, N, 1}, {BUF, 1, N, 0}},
	 {{0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"next one past the table",
	 {{BUF, 1, N, SIZE}},
	 {{0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"next far out",
	 {{BUF, 1, N, 0xffff}},
	 {{0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"head one past the table",
	 {{BUF, 1, 0, 0}},
	 {{0}},
	 SIZE,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"head 65535",
	 {{BUF, 1, 0, 0}},
	 {{0}},
	 0xffff,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"no bytes", {{BUF, 0, 0, 0}}, {{0}}, 0, AVF_ERR_PROTOCOL, 0, 0, false},
	{"no bytes, second buffer",
	 {{BUF, 1, N, 1}, {BUF, 0, W, 0}},
	 {{0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"length 0xffffffff",
	 {{BUF, 0xffffffff, 0, 0}},
	 {{0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"one byte past the end of RAM",
	 {{RAM - 1, 2, 0, 0}},
	 {{0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"at the end of RAM",
	 {{RAM, 1, 0, 0}},
	 {{0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"across a hole in RAM",
	 {{RAM - 8, 0x100010, W, 0}},
	 {{0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"inside a device's window",
	 {{0xd0000000, 64, W, 0}},
	 {{0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"an address that wraps",
	 {{UINT64_MAX - 3, 8, 0, 0}},
	 {{0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"readable after writable",
	 {{BUF, 1, N | W, 1}, {BUF, 1, 0, 0}},
	 {{0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"indirect without the feature",
	 {{TABLE, 16, I, 0}},
	 {{BUF, 8, 0, 0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 true},
	{"indirect with next",
	 {{TABLE, 16, I | N, 1}, {BUF, 1, W, 0}},
	 {{BUF, 8, 0, 0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"indirect in indirect",
	 {{TABLE, 32, I, 0}},
	 {{TABLE, 16, I, 0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"an empty indirect table",
	 {{TABLE, 0, I, 0}},
	 {{BUF, 8, 0, 0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"an indirect table of one and a half",
	 {{TABLE, 24, I, 0}},
	 {{BUF, 8, 0, 0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"an indirect table outside RAM",
	 {{RAM, 16, I, 0}},
	 {{BUF, 8, 0, 0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"an indirect table of which the end is outside RAM",
	 {{RAM - 16, 32, I, 0}},
	 {{0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"an indirect table of nearly 4 GiB",
	 {{TABLE, 0xfffffff0, I, 0}},
	 {{BUF, 8, 0, 0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"an indirect table across a hole in RAM",
	 {{RAM - 16, 0x100020, I, 0}},
	 {{BUF, 8, 0, 0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"a loop in the indirect table",
	 {{TABLE, 32, I, 0}},
	 {{BUF, 8, N, 1}, {BUF, 8, N, 0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
	{"next past the indirect table, where one would do",
	 {{TABLE, 32, I, 0}},
	 {{BUF, 8, N, 2}, {0}, {BUF, 8, 0, 0}},
	 0,
	 AVF_ERR_PROTOCOL,
	 0,
	 0,
	 false},
};

static void lay_out(const struct walk_row *row)
{
	for (uint16_t i = 0; i < MAX_ROW; i++) {
		fake_driver_desc(&drv, i, row->d[i]);
		fake_driver_indirect(&drv, TABLE, i, row->t[i]);
	}
	fake_driver_publish(&drv, row->head);
}

Test(queue, walks)
{
	for (size_t i = 0; i < ARRAY_SIZE(walks); i++) {
		const struct walk_row *row = &walks[i];
		int rc;

		teardown();
		setup();
		vq.indirect = !row->no_indirect;
		lay_out(row);
		rc = virtq_pop(&vq, &chain);
		cr_expect_eq(rc, row->rc, "%s: %d", row->what, rc);
		if (rc != 1) {
			cr_expect_eq(vq.in_flight, 0U, "%s", row->what);
			continue;
		}
		cr_expect_eq(chain.head, row->head, "%s", row->what);
		cr_expect_eq(chain.n_readable, row->n_readable, "%s",
			     row->what);
		cr_expect_eq(chain.n_writable, row->n_writable, "%s",
			     row->what);
	}
}

Test(queue, parts_are_the_guests_bytes)
{
	const struct fake_desc bufs[] = {
		{BUF, 4, 0, 0}, {BUF + 64, 8, W, 0}, {BUF + 128, 2, W, 0}};
	struct gmem_slice s;

	(void)fake_driver_add(&drv, bufs, 3);
	cr_assert_eq(virtq_pop(&vq, &chain), 1);
	cr_assert_eq(gmem_map(&gm, BUF + 64, 8, &s), 0);
	cr_expect_eq(virtq_writable(&chain)[0].iov_base, (void *)s.host);
	cr_expect_eq(virtq_writable(&chain)[1].iov_len, 2U);
	cr_expect_eq(chain.readable_bytes, 4U);
	cr_expect_eq(chain.writable_bytes, 10U);
}

/* A table larger than the ring is allowed; a longer chain than ours not. */
static void indirect_of(uint32_t n)
{
	for (uint16_t i = 0; i < n; i++)
		fake_driver_indirect(&drv, TABLE, i,
				     (struct fake_desc){BUF, 1,
							i + 1U < n ? N : 0U,
							(uint16_t)(i + 1)});
	fake_driver_desc(&drv, 0, (struct fake_desc){TABLE, 16 * n, I, 0});
	fake_driver_publish(&drv, 0);
}

Test(queue, as_many_parts_as_promised)
{
	indirect_of(VIRTQ_MAX_PARTS);
	cr_assert_eq(virtq_pop(&vq, &chain), 1);
	cr_expect_eq(chain.n_readable, (unsigned int)VIRTQ_MAX_PARTS);
}

Test(queue, one_part_too_many)
{
	indirect_of(VIRTQ_MAX_PARTS + 1);
	cr_expect_eq(virtq_pop(&vq, &chain), AVF_ERR_PROTOCOL);
}

/* All that a next field can name: found to be too long long before its end,
 * straight on or in a circle. */
static int pop_of_65536(uint16_t last_next)
{
	for (uint32_t i = 0; i < 65536; i++) {
		uint16_t next = (uint16_t)(i + 1 < 65536 ? i + 1 : last_next);

		fake_driver_indirect(&drv, HOLE_END, (uint16_t)i,
				     (struct fake_desc){BUF, 1, N, next});
	}
	fake_driver_desc(&drv, 0,
			 (struct fake_desc){HOLE_END, 16 * 65536, I, 0});
	fake_driver_publish(&drv, 0);
	return virtq_pop(&vq, &chain);
}

Test(queue, an_indirect_table_of_65536)
{
	cr_expect_eq(pop_of_65536(0), AVF_ERR_PROTOCOL);
	cr_expect_eq(chain.n_readable, (unsigned int)VIRTQ_MAX_PARTS);
	cr_expect_eq(pop_of_65536(65535), AVF_ERR_PROTOCOL);
	/* one that is used is fine, however large the table is */
	fake_driver_indirect(&drv, HOLE_END, 0,
			     (struct fake_desc){BUF, 1, 0, 0});
	fake_driver_set_avail_idx(&drv, 0);
	fake_driver_publish(&drv, 0);
	cr_expect_eq(virtq_pop(&vq, &chain), 1);
}

Test(queue, a_whole_ring_in_one_chain)
{
	struct fake_desc bufs[SIZE];

	for (int i = 0; i < SIZE; i++)
		bufs[i] = (struct fake_desc){BUF, 1, 0, 0};
	(void)fake_driver_add(&drv, bufs, SIZE);
	cr_assert_eq(virtq_pop(&vq, &chain), 1);
	cr_expect_eq(chain.n_readable, (unsigned int)SIZE);
	/* the same, closed to a ring */
	fake_driver_desc(&drv, SIZE - 1, (struct fake_desc){BUF, 1, N, 0});
	fake_driver_publish(&drv, 0);
	cr_expect_eq(virtq_pop(&vq, &chain), AVF_ERR_PROTOCOL);
}

/* A loop is told from a long chain at the length of the table. */
Test(queue, a_loop_is_found_early)
{
	fake_driver_desc(&drv, 0, (struct fake_desc){BUF, 1, N, 0});
	fake_driver_publish(&drv, 0);
	cr_assert_eq(virtq_pop(&vq, &chain), AVF_ERR_PROTOCOL);
	cr_expect_not_null(strstr(error_record()->text, "loop"));
	cr_expect_eq(chain.n_readable, (unsigned int)SIZE);
}

/* The bytes behind the table would do as descriptors: they are not. */
Test(queue, behind_the_table)
{
	for (uint16_t i = 0; i <= SIZE; i++)
		fake_driver_indirect(&drv, TABLE, i,
				     (struct fake_desc){BUF, 1, 0, 0});
	vq.desc = TABLE;
	fake_driver_publish(&drv, SIZE);
	cr_expect_eq(virtq_pop(&vq, &chain), AVF_ERR_PROTOCOL);
	fake_driver_set_avail_idx(&drv, 0);
	fake_driver_publish(&drv, 0);
	fake_driver_indirect(&drv, TABLE, 0,
			     (struct fake_desc){BUF, 1, N, SIZE});
	cr_expect_eq(virtq_pop(&vq, &chain), AVF_ERR_PROTOCOL);
}

/* 32 MiB again and again: nothing of it is touched. */
static int pop_of_huge(uint16_t n)
{
	const uint64_t base = 0x10000000;
	const uint32_t size = 0x2000000;

	if (gm.n_regions == 2)
		cr_assert_eq(gmem_add_anonymous(&gm, base, size), 0);
	for (uint16_t i = 0; i < n; i++)
		fake_driver_indirect(&drv, TABLE, i,
				     (struct fake_desc){base, size,
							i + 1 < n ? N : 0,
							(uint16_t)(i + 1)});
	fake_driver_desc(&drv, 0, (struct fake_desc){TABLE, 16U * n, I, 0});
	fake_driver_publish(&drv, 0);
	return virtq_pop(&vq, &chain);
}

Test(queue, four_gib_and_not_more)
{
	cr_expect_eq(pop_of_huge(128), 1);
	cr_expect_eq(chain.readable_bytes, BIT64(32));
	cr_expect_eq(pop_of_huge(129), AVF_ERR_PROTOCOL);
}

struct start_row {
	const char *what;
	uint16_t size;
	gpa_t desc, avail, used;
	int rc;
};

static const struct start_row starts[] = {
	{"a small ring", 16, 0x1000, 0x2000, 0x3000, 0},
	{"a ring of one", 1, 0x1000, 0x2000, 0x3000, 0},
	{"the largest", 256, 0x1000, 0x3000, 0x4000, 0},
	{"a used ring that ends with RAM", 16, 0x1000, 0x2000,
	 RAM - 6 - 16 * 8 - 2, 0},
	{"overlapping rings (own harm)", 16, 0x1000, 0x1000, 0x1000, 0},
	{"size 0", 0, 0x1000, 0x2000, 0x3000, AVF_ERR_PROTOCOL},
	{"size 3", 3, 0x1000, 0x2000, 0x3000, AVF_ERR_PROTOCOL},
	{"above the maximum", 512, 0x1000, 0x3000, 0x6000, AVF_ERR_PROTOCOL},
	{"32768", 32768, 0x1000, 0x2000, 0x3000, AVF_ERR_PROTOCOL},
	{"65535", 65535, 0x1000, 0x2000, 0x3000, AVF_ERR_PROTOCOL},
	{"misaligned table", 16, 0x1008, 0x2000, 0x3000, AVF_ERR_PROTOCOL},
	{"misaligned avail", 16, 0x1000, 0x2001, 0x3000, AVF_ERR_PROTOCOL},
	{"misaligned used", 16, 0x1000, 0x2000, 0x3002, AVF_ERR_PROTOCOL},
	{"table past RAM", 16, RAM - 0xf0, 0x2000, 0x3000, AVF_ERR_PROTOCOL},
	{"avail past RAM", 16, 0x1000, RAM - 36, 0x3000, AVF_ERR_PROTOCOL},
	{"used past RAM", 16, 0x1000, 0x2000, RAM - 132, AVF_ERR_PROTOCOL},
	{"table in the hole", 16, RAM, 0x2000, 0x3000, AVF_ERR_PROTOCOL},
	{"table that wraps", 16, UINT64_MAX - 15, 0x2000, 0x3000,
	 AVF_ERR_PROTOCOL},
};

Test(queue, starts)
{
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		const struct start_row *row = &starts[i];
		int rc;

		virtq_reset(&vq);
		vq.size = row->size;
		vq.desc = row->desc;
		vq.avail = row->avail;
		vq.used = row->used;
		rc = virtq_start(&vq, 0);
		cr_expect_eq(rc, row->rc, "%s: %d", row->what, rc);
		cr_expect_eq(vq.started, row->rc == 0, "%s", row->what);
	}
}

struct index_row {
	const char *what;
	uint16_t base;  /* the ring starts here */
	uint16_t avail; /* what the driver writes */
	int rc;
};

static const struct index_row indices[] = {
	{"nothing new", 0, 0, 0},
	{"one", 0, 1, 1},
	{"a full ring", 0, SIZE, 1},
	{"the wrap from 65535 to 0", 65535, 0, 1},
	{"a full ring across the wrap", 65530, (uint16_t)(65530 + SIZE), 1},
	{"one more than the ring", 0, SIZE + 1, AVF_ERR_PROTOCOL},
	{"a jump of half", 0, 0x8000, AVF_ERR_PROTOCOL},
	{"one back", 5, 4, AVF_ERR_PROTOCOL},
	{"one back across the wrap", 0, 65535, AVF_ERR_PROTOCOL},
};

Test(queue, available_index)
{
	for (size_t i = 0; i < ARRAY_SIZE(indices); i++) {
		const struct index_row *row = &indices[i];
		int rc;

		teardown();
		setup_base(SIZE, row->base);
		fake_driver_desc(&drv, 0, (struct fake_desc){BUF, 1, 0, 0});
		fake_driver_set_avail_idx(&drv, row->avail);
		rc = virtq_pop(&vq, &chain);
		cr_expect_eq(rc, row->rc, "%s: %d", row->what, rc);
	}
}

Test(queue, the_same_head_again_and_again)
{
	int rc = 1;
	int n = 0;

	fake_driver_desc(&drv, 3, (struct fake_desc){BUF, 1, W, 0});
	for (; rc == 1 && n < 1000; n++) {
		fake_driver_publish(&drv, 3);
		rc = virtq_pop(&vq, &chain);
	}
	cr_expect_eq(rc, AVF_ERR_PROTOCOL);
	cr_expect_eq(n, SIZE + 1, "%d", n);
}

Test(queue, many_times_round)
{
	const struct fake_desc buf = {BUF, 16, W, 0};
	uint32_t head;
	uint32_t written;

	for (uint32_t i = 0; i < 70000; i++) {
		uint16_t sent = fake_driver_add(&drv, &buf, 1);

		cr_assert_eq(virtq_pop(&vq, &chain), 1, "%u", i);
		cr_assert_eq(chain.head, sent);
		cr_assert_eq(virtq_pop(&vq, &chain), 0);
		cr_assert_eq(virtq_push(&vq, sent, i & 15), 0);
		cr_assert(fake_driver_used(&drv, &head, &written));
		cr_assert_eq(head, sent);
		cr_assert_eq(written, i & 15);
	}
}

Test(queue, completion_in_another_order)
{
	const struct fake_desc buf = {BUF, 16, W, 0};
	uint16_t a = fake_driver_add(&drv, &buf, 1);
	uint16_t b = fake_driver_add(&drv, &buf, 1);
	uint32_t head;
	uint32_t written;

	cr_assert_eq(virtq_pop(&vq, &chain), 1);
	cr_assert_eq(virtq_pop(&vq, &chain), 1);
	cr_assert_eq(virtq_push(&vq, b, 2), 0);
	cr_assert_eq(virtq_push(&vq, a, 1), 0);
	cr_assert(fake_driver_used(&drv, &head, &written));
	cr_expect_eq(head, b);
	cr_expect_eq(written, 2U);
	cr_assert(fake_driver_used(&drv, &head, &written));
	cr_expect_eq(head, a);
	cr_expect_not(fake_driver_used(&drv, &head, &written));
	cr_expect_eq(virtq_push(&vq, a, 0), AVF_ERR_INTERNAL,
		     "a push without a pop");
}

Test(queue, unpop_gives_the_request_again)
{
	const struct fake_desc buf = {BUF, 16, W, 0};
	uint16_t a = fake_driver_add(&drv, &buf, 1);

	virtq_unpop(&vq); /* nothing popped: nothing happens */
	cr_assert_eq(virtq_pop(&vq, &chain), 1);
	virtq_unpop(&vq);
	chain.head = 0xdead;
	cr_assert_eq(virtq_pop(&vq, &chain), 1);
	cr_expect_eq(chain.head, a);
	cr_expect_eq(virtq_pop(&vq, &chain), 0);
}

Test(queue, reset_cuts_the_ring_off)
{
	const struct fake_desc buf = {BUF, 16, W, 0};
	uint32_t head;
	uint32_t written;

	(void)fake_driver_add(&drv, &buf, 1);
	cr_assert_eq(virtq_pop(&vq, &chain), 1);
	virtq_reset(&vq);
	cr_expect_eq(virtq_push(&vq, chain.head, 16), 0);
	cr_expect_not(fake_driver_used(&drv, &head, &written),
		      "a completion after reset reached the old ring");
	cr_expect_eq(virtq_pop(&vq, &chain), 0);
	cr_expect_not(virtq_has_work(&vq));
	cr_expect_not(virtq_wants_interrupt(&vq));
	cr_expect_eq(vq.size, 256);
}

Test(queue, the_guests_used_ring_is_never_read)
{
	const struct fake_desc buf = {BUF, 16, W, 0};
	uint16_t idx;

	for (uint16_t i = 0; i < 4; i++) {
		(void)fake_driver_add(&drv, &buf, 1);
		cr_assert_eq(virtq_pop(&vq, &chain), 1);
		/* scribble over flags, index and entries */
		for (uint64_t at = 0; at < 6 + 8 * SIZE; at += 2)
			cr_assert_eq(
				gmem_store_le16(&gm, drv.used + at, 0xa5a5), 0);
		cr_assert_eq(virtq_push(&vq, chain.head, 1), 0);
		cr_assert_eq(gmem_load_le16(&gm, drv.used + 2, &idx), 0);
		cr_expect_eq(idx, i + 1);
	}
}

Test(queue, a_queue_that_is_not_started_is_silent)
{
	virtq_reset(&vq);
	virtq_disable_kicks(&vq);
	virtq_unpop(&vq);
	cr_expect_not(virtq_enable_kicks(&vq));
	cr_expect_eq(virtq_pop(&vq, &chain), 0);
	cr_expect_eq(vq.next_avail, 0);
}

/*
 * A second CPU rewrites the descriptor all the time, between one that is fine
 * and one that is wild in every field. Whichever is seen, or a mix of both:
 * what is handed out lies in guest memory.
 */
static bool stop_racing;

static void *race(void *unused)
{
	static const struct fake_desc fine = {BUF, 64, W, 0};
	static const struct fake_desc wild = {0xfffffffffffff000, 0xffffffff, N,
					      0xffff};

	(void)unused;
	while (!__atomic_load_n(&stop_racing, __ATOMIC_RELAXED)) {
		fake_driver_desc(&drv, 0, fine);
		fake_driver_desc(&drv, 0, wild);
	}
	return NULL;
}

static bool in_ram(const struct iovec *part)
{
	for (unsigned int i = 0; i < gm.n_regions; i++) {
		const struct gmem_region *r = &gm.regions[i];
		uintptr_t at = (uintptr_t)part->iov_base - (uintptr_t)r->host;

		if (at < r->size && part->iov_len <= r->size - at)
			return true;
	}
	return false;
}

Test(queue, a_racing_writer)
{
	pthread_t thread;
	int n = 0;

	cr_assert_eq(pthread_create(&thread, NULL, race, NULL), 0);
	fake_driver_publish(&drv, 0);
	for (int i = 0; i < 200000; i++) {
		if (virtq_pop(&vq, &chain) != 1)
			continue;
		for (unsigned int k = 0;
		     k < chain.n_readable + chain.n_writable; k++)
			cr_assert(in_ram(&chain.parts[k]));
		virtq_unpop(&vq);
		n++;
	}
	__atomic_store_n(&stop_racing, true, __ATOMIC_RELAXED);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_log_info("%d of 200000 were fine", n);
}

/* The same for everything else that is read from the rings: index, head, and
 * an indirect table whose size and place change with its entries. */
static void *race_rings(void *unused)
{
	static const struct fake_desc table = {TABLE, 32, I, 0};
	static const struct fake_desc wild_table = {RAM - 8, 0xfffffff0, I | N,
						    0};
	static const struct fake_desc fine = {BUF, 64, N, 1};
	static const struct fake_desc last = {BUF, 64, W, 0};

	(void)unused;
	fake_driver_indirect(&drv, TABLE, 1, last);
	while (!__atomic_load_n(&stop_racing, __ATOMIC_RELAXED)) {
		fake_driver_desc(&drv, 0, table);
		fake_driver_indirect(&drv, TABLE, 0, fine);
		(void)!gmem_store_le16(&gm, drv.avail + 4, 0);
		(void)!gmem_store_le16(&gm, drv.avail + 2, 1);
		fake_driver_indirect(&drv, TABLE, 0, wild_table);
		(void)!gmem_store_le16(&gm, drv.avail + 2, 0x8000);
		(void)!gmem_store_le16(&gm, drv.avail + 4, 0xffff);
		fake_driver_desc(&drv, 0, wild_table);
	}
	return NULL;
}

Test(queue, a_racing_writer_of_rings_and_tables)
{
	pthread_t thread;
	int n = 0;

	stop_racing = false;
	cr_assert_eq(pthread_create(&thread, NULL, race_rings, NULL), 0);
	for (int i = 0; i < 200000; i++) {
		if (virtq_pop(&vq, &chain) != 1)
			continue;
		cr_assert_leq(chain.n_readable + chain.n_writable,
			      (unsigned int)VIRTQ_MAX_PARTS);
		cr_assert_lt(chain.head, SIZE);
		for (unsigned int k = 0;
		     k < chain.n_readable + chain.n_writable; k++)
			cr_assert(in_ram(&chain.parts[k]));
		virtq_unpop(&vq);
		n++;
	}
	__atomic_store_n(&stop_racing, true, __ATOMIC_RELAXED);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_log_info("%d of 200000 were fine", n);
}
