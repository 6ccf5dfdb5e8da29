#include <criterion/criterion.h>

#include <unistd.h>

#include "base/checked.h"
#include "support/echo_object.h"
#include "support/fake_session.h"
#include "support/parcel_bytes.h"

static struct fake_session fake;

static void set_up(void)
{
	fake_session_init(&fake);
}

static void tear_down(void)
{
	fake_session_fini(&fake);
	cr_expect_eq(fake.refs, 0);
}

TestSuite(table, .init = set_up, .fini = tear_down);

#define OBJECT "01000000 03000000 00000000 0c000000"

Test(table, of_version_1)
{
	static const struct {
		const char *what, *bytes;
		uint32_t positions[3];
		size_t n_positions, n_fds;
		binder_status_t status;
	} rows[] = {
		{"none", "11111111", {0}, 0, 0, STATUS_OK},
		{"one", "02000000 00000000", {0}, 1, 1, STATUS_OK},
		{"two, the other way round",
		 "02000000 00000000 02000000 01000000",
		 {8, 0},
		 2,
		 2,
		 STATUS_OK},
		{"a position without a descriptor",
		 "02000000 00000000",
		 {0},
		 1,
		 0,
		 STATUS_BAD_VALUE},
		{"a descriptor without a position",
		 "02000000 00000000",
		 {0},
		 0,
		 1,
		 STATUS_BAD_VALUE},
		{"a position at the end",
		 "02000000 00000000",
		 {8},
		 1,
		 1,
		 STATUS_BAD_VALUE},
		{"a position whose index is behind the end",
		 "02000000 00000000",
		 {4},
		 1,
		 1,
		 STATUS_BAD_VALUE},
		{"a position far away",
		 "02000000 00000000",
		 {0xfffffffc},
		 1,
		 1,
		 STATUS_BAD_VALUE},
		{"no data at all", "", {0}, 1, 1, STATUS_BAD_VALUE},
		{"no descriptor there",
		 "01000000 00000000",
		 {0},
		 1,
		 1,
		 STATUS_BAD_TYPE},
		{"an index that does not exist",
		 "02000000 01000000",
		 {0},
		 1,
		 1,
		 STATUS_BAD_VALUE},
	};
	struct parcel_frame frame;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		parcel_frame_from_hex(&frame, rows[i].bytes, rows[i].positions,
				      rows[i].n_positions, rows[i].n_fds);
		cr_expect_eq(parcel_check_positions(&frame), rows[i].status,
			     "%s", rows[i].what);
		for (size_t k = 1; k < frame.n_positions; k++)
			cr_expect(rows[i].status != STATUS_OK ||
				  frame.positions[k - 1] < frame.positions[k]);
		parcel_frame_fini(&frame);
	}
}

Test(table, of_version_2)
{
	static const struct {
		const char *what, *bytes;
		uint32_t positions[3];
		size_t n_positions, n_fds;
		binder_status_t status;
	} rows[] = {
		{"none", "11111111", {0}, 0, 0, STATUS_OK},
		{"an object", OBJECT, {0}, 1, 0, STATUS_OK},
		{"both kinds, the other way round",
		 OBJECT "02000000 00000000",
		 {16, 0},
		 2,
		 1,
		 STATUS_OK},
		{"a descriptor without a position",
		 OBJECT,
		 {0},
		 0,
		 1,
		 STATUS_BAD_VALUE},
		{"an object of which the end is missing",
		 "01000000 03000000 00000000",
		 {0},
		 1,
		 0,
		 STATUS_BAD_VALUE},
		{"an object at the end", OBJECT, {16}, 1, 0, STATUS_BAD_VALUE},
		{"an object far away",
		 OBJECT,
		 {0xfffffffc},
		 1,
		 0,
		 STATUS_BAD_VALUE},
		{"no object there",
		 "00000000 00000000 00000000 00000000",
		 {0},
		 1,
		 0,
		 STATUS_BAD_TYPE},
		{"no such type",
		 "03000000 00000000 00000000 00000000",
		 {0},
		 1,
		 0,
		 STATUS_BAD_TYPE},
		{"an object twice", OBJECT, {0, 0}, 2, 0, STATUS_BAD_VALUE},
		{"a descriptor that does not exist",
		 OBJECT "02000000 01000000",
		 {0, 16},
		 2,
		 1,
		 STATUS_BAD_VALUE},
	};
	struct parcel_frame frame;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		parcel_frame_from_hex(&frame, rows[i].bytes, rows[i].positions,
				      rows[i].n_positions, rows[i].n_fds);
		frame.lists_objects = true;
		cr_expect_eq(parcel_check_positions(&frame), rows[i].status,
			     "%s", rows[i].what);
		for (size_t k = 1; k < frame.n_positions; k++)
			cr_expect(rows[i].status != STATUS_OK ||
				  frame.positions[k - 1] < frame.positions[k]);
		parcel_frame_fini(&frame);
	}
}

Test(table, a_descriptor_is_read_where_the_table_says)
{
	static const uint32_t at[] = {8};
	struct parcel_frame frame;
	AParcel *p;
	int fd = -1;

	parcel_frame_from_hex(&frame, "02000000 00000000 02000000 00000000", at,
			      1, 1);
	cr_assert_eq(parcel_check_positions(&frame), STATUS_OK);
	p = parcel_new_received(&fake.session, &frame);
	cr_expect_eq(parcel_read_fd(p, &fd), STATUS_BAD_TYPE);
	cr_expect_eq(parcel_read_fd(p, &fd), STATUS_OK);
	close(fd);
	cr_expect_eq(parcel_read_fd(p, &fd), STATUS_NOT_ENOUGH_DATA);
	AParcel_delete(p);
}

/* A parcel of version 2 that was received, with these positions. */
static AParcel *receive(const char *hex, const uint32_t *positions, size_t n)
{
	struct parcel_frame frame;

	parcel_frame_from_hex(&frame, hex, positions, n, 0);
	frame.lists_objects = true;
	cr_assert_eq(parcel_check_positions(&frame), STATUS_OK);
	return parcel_new_received(&fake.session, &frame);
}

Test(table, objects_are_read_where_it_says)
{
	static const uint32_t at[] = {16};
	AParcel *p = receive(OBJECT OBJECT, at, 1);
	AIBinder *binder = NULL;

	cr_expect_eq(AParcel_readStrongBinder(p, &binder), STATUS_BAD_VALUE);
	cr_expect_eq(fake.entered, 0);
	cr_expect_eq(AParcel_readStrongBinder(p, &binder), STATUS_OK);
	cr_expect_eq(fake.entered, 1);
	AIBinder_decStrong(binder);
	AParcel_delete(p);
	cr_expect_eq(fake.entered, 1, "it was read: nothing is left to give");
	cr_expect_eq(fake.released, 1);
}

Test(table, what_nobody_reads_is_given_back)
{
	static const uint32_t at[] = {0, 16, 32};
	AParcel *p = receive(OBJECT OBJECT OBJECT, at, 3);
	AIBinder *binder = NULL;

	(void)AParcel_setDataPosition(p, 16);
	cr_expect_eq(AParcel_readStrongBinder(p, &binder), STATUS_OK);
	AParcel_delete(p);
	cr_expect_eq(fake.entered, 3);
	cr_expect_eq(fake.released, 2, "one is held");
	AIBinder_decStrong(binder);
	cr_expect_eq(fake.released, 3);
}

/* An object with a stability that does not exist is not one. */
Test(table, what_cannot_be_given_back)
{
	static const uint32_t at[] = {0, 16};
	AParcel *p =
		receive("01000000 03000000 00000000 07000000" OBJECT, at, 2);

	fake.refuse = STATUS_DEAD_OBJECT;
	AParcel_delete(p);
	cr_expect_eq(fake.entered, 0);
	cr_expect_eq(fake.released, 0);
}

Test(table, objects_that_are_appended)
{
	static const uint32_t at[] = {4, 20};
	AParcel *p = receive("77000000" OBJECT OBJECT, at, 2);
	AParcel *to = parcel_new(&fake.session);
	AIBinder *binder = NULL;

	/* the number and the first object; the second one is not whole */
	cr_assert_eq(AParcel_appendFrom(p, to, 0, 32), STATUS_OK);
	cr_expect_eq(fake.entered, 1);
	cr_expect_eq(fake.left, 1, "and leaves again");
	cr_expect_eq(to->n_refs, 1);
	AParcel_delete(p);
	cr_expect_eq(fake.entered, 2);
	(void)AParcel_setDataPosition(to, 4);
	cr_expect_eq(AParcel_readStrongBinder(to, &binder), STATUS_OK);
	AIBinder_decStrong(binder);
	(void)AParcel_setDataPosition(to, 20);
	cr_expect_neq(AParcel_readStrongBinder(to, &binder), STATUS_OK);
	AParcel_delete(to);
	cr_expect_eq(fake.left, 0);
}

/* What is sent: nothing but descriptors, or both in ascending order. */
Test(table, of_what_is_sent)
{
	static const uint32_t both[] = {0, 8, 24, 32};
	struct echo_object state = {0};
	AIBinder *local = AIBinder_new(echo_class_new("echo"), &state);
	AParcel *p;

	for (int lists = 0; lists < 2; lists++) {
		fake.session.lists_objects = lists;
		p = parcel_new(&fake.session);
		cr_assert_eq(parcel_make_table(p), STATUS_OK);
		cr_expect_eq(parcel_table_length(p), 0);
		cr_assert_eq(parcel_write_fd(p, 2), STATUS_OK);
		cr_assert_eq(AParcel_writeStrongBinder(p, local), STATUS_OK);
		cr_assert_eq(parcel_write_fd(p, 2), STATUS_OK);
		cr_assert_eq(AParcel_writeStrongBinder(p, local), STATUS_OK);
		cr_assert_eq(AParcel_writeStrongBinder(p, NULL), STATUS_OK);
		cr_assert_eq(parcel_make_table(p), STATUS_OK);
		cr_assert_eq(parcel_table_length(p), lists ? 4 : 2);
		for (size_t i = 0; lists && i < 4; i++)
			cr_expect_eq(parcel_table(p)[i], both[i]);
		cr_expect_eq(parcel_table(p)[0], 0);
		cr_expect_eq(parcel_table(p)[1], lists ? 8 : 24);
		AParcel_delete(p);
	}
	AIBinder_decStrong(local);
}
