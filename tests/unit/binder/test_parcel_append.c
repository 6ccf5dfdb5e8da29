#include <criterion/criterion.h>

#include <unistd.h>

#include "support/echo_object.h"
#include "support/fake_session.h"
#include "support/parcel_bytes.h"

Test(append, plain_bytes)
{
	AParcel *from = parcel_from_hex(NULL, "01000000 02000000 03000000");
	AParcel *to = AParcel_create();

	cr_assert_eq(AParcel_writeInt32(to, 9), STATUS_OK);
	(void)AParcel_setDataPosition(to, 0);
	cr_assert_eq(AParcel_appendFrom(from, to, 4, 8), STATUS_OK);
	cr_expect(parcel_is(to, "09000000 02000000 03000000"));
	cr_expect_eq(AParcel_getDataPosition(to), 12);
	cr_expect_eq(AParcel_appendFrom(from, to, 12, 0), STATUS_OK);
	cr_expect_eq(AParcel_appendFrom(from, to, 12, 1), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_appendFrom(from, to, 13, 0), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_appendFrom(from, to, -1, 1), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_appendFrom(from, to, 0, -1), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_appendFrom(from, to, 4, INT32_MAX),
		     STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_appendFrom(to, to, 0, 4), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_appendFrom(to, from, 0, 4),
		     STATUS_INVALID_OPERATION);
	AParcel_delete(from);
	AParcel_delete(to);
}

Test(append, objects_and_descriptors_get_their_new_places)
{
	struct fake_session fake;
	struct echo_object state = {0};
	AIBinder *local = AIBinder_new(echo_class_new("echo"), &state);
	AParcel *from = AParcel_create();
	AParcel *to;
	AIBinder *back;
	int fd;

	fake_session_init(&fake);
	to = parcel_new(&fake.session);
	cr_assert_eq(AParcel_writeStrongBinder(from, local), STATUS_OK);
	cr_assert_eq(parcel_write_fd(from, 2), STATUS_OK);
	cr_assert_eq(parcel_write_fd(to, 1), STATUS_OK);
	cr_assert_eq(AParcel_appendFrom(from, to, 0, 24), STATUS_OK);
	cr_expect(parcel_is(to, "02000000 00000000"
				"01000000 03000000 00000000 0c000000"
				"02000000 01000000"));
	cr_expect_eq(fake.left, 1);
	(void)AParcel_setDataPosition(to, 8);
	cr_assert_eq(AParcel_readStrongBinder(to, &back), STATUS_OK);
	cr_expect_eq(back, local);
	cr_assert_eq(parcel_read_fd(to, &fd), STATUS_OK);
	close(fd);
	AIBinder_decStrong(back);
	AParcel_delete(to);
	cr_expect_eq(fake.left, 0);

	/* cut off, they are bytes */
	to = AParcel_create();
	cr_assert_eq(AParcel_appendFrom(from, to, 0, 12), STATUS_OK);
	cr_assert_eq(AParcel_appendFrom(from, to, 4, 12), STATUS_OK);
	cr_expect_eq(to->n_refs, 0);
	AParcel_delete(to);

	fake.session.allow_fds = false;
	to = parcel_new(&fake.session);
	cr_expect_eq(AParcel_appendFrom(from, to, 0, 24),
		     STATUS_FDS_NOT_ALLOWED);
	AParcel_delete(to);
	AParcel_delete(from);
	fake_session_fini(&fake);
	AIBinder_decStrong(local);
	cr_expect_eq(state.destroyed, 1);
}

Test(append, sessions_do_not_mix)
{
	struct fake_session one, two;
	AParcel *from, *to;
	AIBinder *back;

	fake_session_init(&one);
	fake_session_init(&two);
	from = parcel_from_hex(&one.session,
			       "01000000 03000000 00000000 0c000000");
	to = parcel_new(&two.session);
	cr_expect_eq(AParcel_appendFrom(from, to, 0, 4), STATUS_BAD_TYPE);
	AParcel_delete(to);
	to = AParcel_create();
	cr_assert_eq(AParcel_writeInt32(to, 1), STATUS_OK);
	cr_expect_eq(AParcel_appendFrom(from, to, 0, 4), STATUS_BAD_TYPE);
	AParcel_delete(to);
	/* what holds a parcelable for later takes the session of its bytes */
	to = AParcel_create();
	cr_assert_eq(AParcel_appendFrom(from, to, 0, 16), STATUS_OK);
	(void)AParcel_setDataPosition(to, 0);
	cr_assert_eq(AParcel_readStrongBinder(to, &back), STATUS_OK);
	cr_expect_eq(one.entered, 1);
	AIBinder_decStrong(back);
	AParcel_delete(to);
	AParcel_delete(from);
	cr_expect_eq(one.refs, 0);
	cr_expect_eq(two.refs, 0);
}
