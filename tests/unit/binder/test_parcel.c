#include <criterion/criterion.h>

#include "support/fake_session.h"
#include "support/parcel_bytes.h"

Test(parcel, a_new_one_is_empty)
{
	AParcel *p = AParcel_create();

	cr_expect_eq(AParcel_getDataSize(p), 0);
	cr_expect_eq(AParcel_getDataPosition(p), 0);
	cr_expect(AParcel_getAllowFds(p));
	AParcel_delete(p);
	AParcel_delete(NULL);
}

Test(parcel, values_are_padded_with_zeros)
{
	AParcel *p = AParcel_create();

	/* old bytes where the padding goes */
	cr_assert_eq(AParcel_writeInt32(p, -1), STATUS_OK);
	cr_assert_eq(AParcel_writeInt32(p, -1), STATUS_OK);
	cr_assert_eq(AParcel_setDataPosition(p, 0), STATUS_OK);
	cr_assert_eq(parcel_write_bytes(p, "\x01\x02\x03\x04\x05", 5),
		     STATUS_OK);
	cr_expect(parcel_is(p, "01020304 05000000"));
	cr_expect_eq(AParcel_getDataPosition(p), 8);
	AParcel_delete(p);
}

Test(parcel, writing_in_the_middle_keeps_the_rest)
{
	AParcel *p = AParcel_create();

	for (int i = 1; i <= 3; i++)
		cr_assert_eq(AParcel_writeInt32(p, i), STATUS_OK);
	cr_assert_eq(AParcel_setDataPosition(p, 4), STATUS_OK);
	cr_assert_eq(AParcel_writeInt32(p, 9), STATUS_OK);
	cr_expect(parcel_is(p, "01000000 09000000 03000000"));
	AParcel_delete(p);
}

Test(parcel, a_gap_is_filled_with_zeros)
{
	AParcel *p = AParcel_create();

	cr_assert_eq(AParcel_setDataPosition(p, 1000), STATUS_OK);
	cr_assert_eq(AParcel_writeInt32(p, 7), STATUS_OK);
	cr_assert_eq(AParcel_getDataSize(p), 1004);
	for (size_t i = 0; i < 1000; i++)
		cr_assert_eq(p->data[i], 0);
	AParcel_delete(p);
}

Test(parcel, reads_behind_the_end_fail)
{
	AParcel *p = parcel_from_hex(NULL, "01000000 0200");
	int32_t value = 77;

	cr_expect_eq(AParcel_readInt32(p, &value), STATUS_OK);
	cr_expect_eq(value, 1);
	cr_expect_eq(AParcel_readInt32(p, &value), STATUS_NOT_ENOUGH_DATA);
	cr_expect_eq(value, 1, "an output is written on success only");
	cr_expect_null(parcel_read_bytes(p, 1), "its padding is not there");
	cr_expect_null(parcel_read_bytes(p, SIZE_MAX));
	cr_expect_eq(AParcel_setDataPosition(p, 4000), STATUS_OK);
	cr_expect_eq(AParcel_readInt32(p, &value), STATUS_NOT_ENOUGH_DATA);
	cr_expect_eq(AParcel_setDataPosition(p, -1), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_setDataPosition(p, INT32_MAX), STATUS_OK);
	cr_expect_eq(AParcel_readInt32(p, &value), STATUS_NOT_ENOUGH_DATA);
	AParcel_delete(p);
}

Test(parcel, sizes_that_cannot_be)
{
	AParcel *p = AParcel_create();
	void *room;

	cr_expect_eq(parcel_reserve(p, SIZE_MAX, &room), STATUS_BAD_VALUE);
	cr_expect_eq(parcel_reserve(p, INT32_MAX, &room), STATUS_BAD_VALUE);
	cr_assert_eq(AParcel_setDataPosition(p, INT32_MAX), STATUS_OK);
	cr_expect_eq(AParcel_writeInt32(p, 1), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_getDataSize(p), 0);
	AParcel_delete(p);
}

Test(parcel, a_received_one_is_read_only)
{
	AParcel *p = parcel_from_hex(NULL, "01000000");

	cr_expect_eq(AParcel_writeInt32(p, 1), STATUS_INVALID_OPERATION);
	cr_expect_eq(AParcel_writeStrongBinder(p, NULL),
		     STATUS_INVALID_OPERATION);
	cr_expect_eq(AParcel_unmarshal(p, (const uint8_t *)"", 0),
		     STATUS_INVALID_OPERATION);
	cr_expect_eq(AParcel_reset(p), STATUS_OK);
	cr_expect_eq(AParcel_writeInt32(p, 1), STATUS_OK);
	cr_expect(parcel_is(p, "01000000"));
	AParcel_delete(p);
}

Test(parcel, a_secret_survives_growth)
{
	AParcel *p = AParcel_create();

	AParcel_markSensitive(p);
	for (int32_t i = 0; i < 1000; i++)
		cr_assert_eq(AParcel_writeInt32(p, i), STATUS_OK);
	for (int32_t i = 0; i < 1000; i++)
		cr_assert_eq(memcmp(p->data + 4 * i, &i, sizeof(i)), 0);
	AParcel_delete(p);
}

Test(parcel, marshal_and_unmarshal)
{
	AParcel *p = AParcel_create();
	AParcel *q = AParcel_create();
	uint8_t bytes[8];

	cr_assert_eq(AParcel_writeInt64(p, 0x1122334455667788), STATUS_OK);
	cr_expect_eq(AParcel_marshal(p, bytes, 0, 8), STATUS_OK);
	cr_expect_eq(AParcel_marshal(p, bytes, 8, 0), STATUS_OK);
	cr_expect_eq(AParcel_marshal(p, bytes, 9, 0), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_marshal(p, bytes, 1, 8), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_marshal(p, bytes, 4, SIZE_MAX), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_unmarshal(q, bytes, 8), STATUS_OK);
	cr_expect(parcel_is(q, "88776655 44332211"));
	cr_expect_eq(AParcel_getDataPosition(q), 0);
	cr_expect_eq(AParcel_unmarshal(q, bytes, (size_t)INT32_MAX + 1),
		     STATUS_BAD_VALUE);
	cr_assert_eq(parcel_write_fd(p, 0), STATUS_OK);
	cr_expect_eq(AParcel_marshal(p, bytes, 0, 8), STATUS_INVALID_OPERATION);
	AParcel_delete(p);
	AParcel_delete(q);
}

Test(parcel, holds_its_session)
{
	struct fake_session fake;
	AParcel *p;

	fake_session_init(&fake);
	p = parcel_new(&fake.session);
	cr_expect_eq(fake.refs, 1);
	cr_expect_eq(AParcel_reset(p), STATUS_OK);
	cr_expect_eq(fake.refs, 0, "a parcel that was reset is of no session");
	AParcel_delete(p);
	p = parcel_new(&fake.session);
	AParcel_delete(p);
	cr_expect_eq(fake.refs, 0);
}

/* Code of aidl sets the position to where a peer says that a body ends. */
Test(parcel, a_peers_bytes_are_not_read_without_end)
{
	AParcel *p = parcel_from_hex(NULL, "01000000 02000000 03000000");
	AParcel *mine = AParcel_create();
	int32_t value = 0;
	unsigned int n = 0;

	while (n < 100 && AParcel_setDataPosition(p, 12) == STATUS_OK &&
	       AParcel_setDataPosition(p, 0) == STATUS_OK)
		n++;
	cr_expect_eq(n, 16, "%u", n);
	cr_expect_eq(AParcel_getDataPosition(p), 12, "it stays");
	cr_expect_eq(AParcel_setDataPosition(p, 8), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_readInt32(p, &value), STATUS_NOT_ENOUGH_DATA);
	AParcel_delete(p);
	cr_assert_eq(AParcel_writeInt32(mine, 7), STATUS_OK);
	for (n = 0; n < 100; n++) {
		cr_assert_eq(AParcel_setDataPosition(mine, 0), STATUS_OK);
		cr_assert_eq(AParcel_readInt32(mine, &value), STATUS_OK);
	}
	AParcel_delete(mine);
}
