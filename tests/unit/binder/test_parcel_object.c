#include <criterion/criterion.h>

#include "base/checked.h"
#include "support/echo_object.h"
#include "support/fake_session.h"
#include "support/parcel_bytes.h"

static struct fake_session fake;
static struct echo_object state;
static AIBinder *local;

static void set_up(void)
{
	fake_session_init(&fake);
	local = AIBinder_new(echo_class_new("echo"), &state);
}

static void tear_down(void)
{
	fake_session_fini(&fake);
	AIBinder_decStrong(local);
	cr_expect_eq(state.destroyed, 1);
	cr_expect_eq(fake.refs, 0);
}

TestSuite(objects, .init = set_up, .fini = tear_down);

Test(objects, within_the_process)
{
	AParcel *p = AParcel_create();
	AIBinder *back, *none = local;

	cr_assert_eq(AParcel_writeStrongBinder(p, local), STATUS_OK);
	cr_assert_eq(AParcel_writeStrongBinder(p, NULL), STATUS_OK);
	cr_expect(parcel_is(p, "01000000 00000000 00000000 0c000000"
			       "00000000 00000000"));
	cr_expect_eq(AIBinder_debugGetRefCount(local), 2);
	(void)AParcel_setDataPosition(p, 0);
	cr_assert_eq(AParcel_readStrongBinder(p, &back), STATUS_OK);
	cr_expect_eq(back, local);
	cr_assert_eq(AParcel_readStrongBinder(p, &none), STATUS_OK);
	cr_expect_null(none);
	AIBinder_decStrong(back);
	AParcel_delete(p);
	cr_expect_eq(AIBinder_debugGetRefCount(local), 1);
}

Test(objects, of_a_session)
{
	AParcel *p = parcel_new(&fake.session);

	AIBinder_markVintfStability(local);
	cr_assert_eq(AParcel_writeStrongBinder(p, local), STATUS_OK);
	cr_expect(parcel_is(p, "01000000 03000000 00000000 3f000000"));
	cr_expect_eq(fake.left, 1);
	AParcel_delete(p);
	cr_expect_eq(fake.left, 0, "a parcel that was not sent undoes it");
}

Test(objects, of_a_parcel_that_was_sent)
{
	AParcel *p = parcel_new(&fake.session);

	cr_assert_eq(AParcel_writeStrongBinder(p, local), STATUS_OK);
	p->sent = true;
	AParcel_delete(p);
	cr_expect_eq(fake.left, 1);
}

Test(objects, that_cannot_leave)
{
	AParcel *p = parcel_new(&fake.session);

	fake.refuse = STATUS_INVALID_OPERATION;
	cr_expect_eq(AParcel_writeStrongBinder(p, local),
		     STATUS_INVALID_OPERATION);
	cr_expect_eq(AParcel_getDataSize(p), 0);
	AParcel_delete(p);
	cr_expect_eq(AIBinder_debugGetRefCount(local), 1);
}

Test(objects, written_over_one_another)
{
	/* the session has the last reference, until tear_down() */
	static struct echo_object other_state;
	AIBinder *other = AIBinder_new(echo_class_new("other"), &other_state);
	AParcel *p = parcel_new(&fake.session);
	AIBinder *back;

	cr_assert_eq(AParcel_writeStrongBinder(p, local), STATUS_OK);
	(void)AParcel_setDataPosition(p, 0);
	cr_assert_eq(AParcel_writeStrongBinder(p, other), STATUS_OK);
	cr_expect_eq(fake.left, 1);
	(void)AParcel_setDataPosition(p, 0);
	cr_assert_eq(AParcel_readStrongBinder(p, &back), STATUS_OK);
	cr_expect_eq(back, other);
	AIBinder_decStrong(back);
	AParcel_delete(p);
	AIBinder_decStrong(other);
	cr_expect_eq(fake.left, 0);
}

Test(objects, many_in_one_parcel_and_read_backwards)
{
	AParcel *p = AParcel_create();
	AIBinder *back;

	for (int i = 0; i < 100; i++)
		cr_assert_eq(AParcel_writeStrongBinder(p, local), STATUS_OK);
	for (int i = 99; i >= 0; i--) {
		(void)AParcel_setDataPosition(p, i * 16);
		cr_assert_eq(AParcel_readStrongBinder(p, &back), STATUS_OK);
		cr_assert_eq(back, local);
		AIBinder_decStrong(back);
	}
	(void)AParcel_setDataPosition(p, 8);
	cr_expect_neq(AParcel_readStrongBinder(p, &back), STATUS_OK);
	AParcel_delete(p);
}

Test(objects, received_and_read_twice_count_once)
{
	AParcel *p = parcel_from_hex(&fake.session,
				     "01000000 03000000 00000000 0c000000");
	AIBinder *first, *second;

	cr_assert_eq(AParcel_readStrongBinder(p, &first), STATUS_OK);
	(void)AParcel_setDataPosition(p, 0);
	cr_assert_eq(AParcel_readStrongBinder(p, &second), STATUS_OK);
	cr_expect_eq(first, second);
	cr_expect_eq(fake.entered, 1);
	cr_expect_eq(first->stability, STABILITY_SYSTEM);
	AIBinder_decStrong(first);
	AIBinder_decStrong(second);
	cr_expect_eq(fake.released, 0);
	AParcel_delete(p);
	cr_expect_eq(fake.released, 1);
}

Test(objects, that_cannot_be)
{
	static const struct {
		const char *what, *bytes;
		bool session;
		binder_status_t status;
	} rows[] = {
		{"nothing", "", true, STATUS_NOT_ENOUGH_DATA},
		{"null without stability", "00000000", true,
		 STATUS_NOT_ENOUGH_DATA},
		{"null with stability", "00000000 0c000000", true,
		 STATUS_BAD_TYPE},
		{"a descriptor", "02000000 00000000 00000000 0c000000", true,
		 STATUS_BAD_TYPE},
		{"cut off", "01000000 03000000 00000000", true,
		 STATUS_NOT_ENOUGH_DATA},
		{"undeclared", "01000000 03000000 00000000 00000000", true,
		 STATUS_BAD_TYPE},
		{"a stability that does not exist",
		 "01000000 03000000 00000000 0d000000", true, STATUS_BAD_TYPE},
		{"an address outside of a session",
		 "01000000 03000000 00000000 0c000000", false, STATUS_BAD_TYPE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AParcel *p = parcel_from_hex(
			rows[i].session ? &fake.session : NULL, rows[i].bytes);
		AIBinder *binder = local;

		cr_expect_eq(AParcel_readStrongBinder(p, &binder),
			     rows[i].status, "%s", rows[i].what);
		cr_expect_eq(binder, local, "%s", rows[i].what);
		AParcel_delete(p);
	}
	cr_expect_eq(fake.entered, 0);
}
