#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/checked.h"
#include "devices/vsock_internal.h"

static struct virtio_vsock *vs;
static struct vsock_conn conns[VSOCK_MAX_CONNS];

static void setup(void)
{
	vs = calloc(1, sizeof(*vs));
	cr_assert_not_null(vs);
	vs->hash_key = 0x9e3779b97f4a7c15;
}

static void teardown(void)
{
	free(vs);
}

TestSuite(vsock_table, .init = setup, .fini = teardown);

static struct vsock_conn *insert(size_t i, uint32_t host, uint32_t guest)
{
	conns[i].host_port = host;
	conns[i].guest_port = guest;
	vsock_table_insert(vs, &conns[i]);
	return &conns[i];
}

Test(vsock_table, pairs_are_told_apart)
{
	static const struct {
		const char *what;
		uint32_t host, guest;
	} others[] = {
		{"the other way round", 2, 1},
		{"another host port", 2, 2},
		{"another guest port", 1, 1},
		{"high bits of the host port", 0x80000001U, 2},
		{"high bits of the guest port", 1, 0x80000002U},
		{"nothing", 0, 0},
	};
	struct vsock_conn *conn = insert(0, 1, 2);

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		cr_expect_null(
			vsock_table_find(vs, others[i].host, others[i].guest),
			"%s", others[i].what);
	cr_assert_eq(vsock_table_find(vs, 1, 2), conn);
	vsock_table_remove(vs, conn);
	vsock_table_remove(vs, conn); /* not in it: no-op */
	cr_assert_null(vsock_table_find(vs, 1, 2));
}

Test(vsock_table, removal_leaves_the_neighbours)
{
	for (uint32_t i = 0; i < VSOCK_MAX_CONNS; i++)
		(void)insert(i, 7, i * 2048);
	for (uint32_t i = 0; i < VSOCK_MAX_CONNS; i += 2)
		vsock_table_remove(vs, &conns[i]);
	for (uint32_t i = 0; i < VSOCK_MAX_CONNS; i++)
		cr_assert_eq(vsock_table_find(vs, 7, i * 2048),
			     i % 2 ? &conns[i] : NULL, "connection %u", i);
}

/* Ports that a guest may choose must not all end in one bucket. */
Test(vsock_table, patterns_spread)
{
	static const struct {
		const char *what;
		uint32_t host_step, guest_step;
	} rows[] = {
		{"guest ports in a row", 0, 1},
		{"guest ports far apart", 0, 1U << 19},
		{"host ports in a row", 1, 0},
		{"both in step", 1, 1},
		{"against each other", 1, UINT32_MAX},
	};
	unsigned int longest, n;

	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		teardown();
		setup();
		for (uint32_t i = 0; i < VSOCK_MAX_CONNS; i++)
			(void)insert(i, i * rows[r].host_step,
				     i * rows[r].guest_step);
		longest = 0;
		for (size_t b = 0; b < VSOCK_BUCKETS; b++) {
			struct vsock_conn *c = vs->buckets[b];

			for (n = 0; c; c = c->next_in_bucket)
				n++;
			longest = MAX(longest, n);
		}
		cr_expect_lt(longest, 32, "%s: %u in one", rows[r].what,
			     longest);
	}
}
