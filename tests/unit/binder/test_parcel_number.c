#include <criterion/criterion.h>

#include "base/checked.h"
#include "support/parcel_bytes.h"

Test(numbers, bytes)
{
	AParcel *p = AParcel_create();

	cr_expect_eq(AParcel_writeInt32(p, -2), STATUS_OK);
	cr_expect_eq(AParcel_writeUint32(p, 0xfffffffe), STATUS_OK);
	cr_expect_eq(AParcel_writeInt64(p, -2), STATUS_OK);
	cr_expect_eq(AParcel_writeUint64(p, 1), STATUS_OK);
	cr_expect_eq(AParcel_writeFloat(p, 1.5F), STATUS_OK);
	cr_expect_eq(AParcel_writeDouble(p, -2.0), STATUS_OK);
	cr_expect_eq(AParcel_writeBool(p, true), STATUS_OK);
	cr_expect_eq(AParcel_writeChar(p, 0xffff), STATUS_OK);
	cr_expect_eq(AParcel_writeByte(p, -128), STATUS_OK);
	cr_expect(parcel_is(p, "feffffff feffffff feffffff ffffffff"
			       "01000000 00000000 0000c03f"
			       "00000000 000000c0 01000000 ffff0000 80ffffff"));
	AParcel_delete(p);
}

Test(numbers, values)
{
	AParcel *p = parcel_from_hex(
		NULL, "feffffff feffffff feffffff ffffffff 01000000 00000000"
		      "0000c03f 00000000 000000c0 02000000 ffff0000 80ffffff");
	int32_t i32;
	uint32_t u32;
	int64_t i64;
	uint64_t u64;
	float f;
	double d;
	bool b;
	char16_t c;
	int8_t i8;

	cr_expect(AParcel_readInt32(p, &i32) == STATUS_OK && i32 == -2);
	cr_expect(AParcel_readUint32(p, &u32) == STATUS_OK &&
		  u32 == 0xfffffffe);
	cr_expect(AParcel_readInt64(p, &i64) == STATUS_OK && i64 == -2);
	cr_expect(AParcel_readUint64(p, &u64) == STATUS_OK && u64 == 1);
	cr_expect(AParcel_readFloat(p, &f) == STATUS_OK && f == 1.5F);
	cr_expect(AParcel_readDouble(p, &d) == STATUS_OK && d == -2.0);
	cr_expect(AParcel_readBool(p, &b) == STATUS_OK && b, "any but 0");
	cr_expect(AParcel_readChar(p, &c) == STATUS_OK && c == 0xffff);
	cr_expect(AParcel_readByte(p, &i8) == STATUS_OK && i8 == -128);
	cr_expect_eq(AParcel_readByte(p, &i8), STATUS_NOT_ENOUGH_DATA);
	cr_expect_eq(AParcel_readDouble(p, &d), STATUS_NOT_ENOUGH_DATA);
	AParcel_delete(p);
}

static bool get_bool(const void *array, size_t i)
{
	return ((const bool *)array)[i];
}

Test(numbers, bytes_of_arrays)
{
	static const int32_t i32[] = {1, -1};
	static const int64_t i64[] = {2};
	static const uint32_t u32[] = {3};
	static const uint64_t u64[] = {4};
	static const float f[] = {1.5F};
	static const double d[] = {-2.0};
	static const char16_t c[] = {'a', 0xffff};
	static const int8_t b[] = {1, 2, 3, 4, -5};
	static const bool t[] = {true, false};
	AParcel *p = AParcel_create();

	cr_expect_eq(AParcel_writeInt32Array(p, i32, 2), STATUS_OK);
	cr_expect_eq(AParcel_writeInt64Array(p, i64, 1), STATUS_OK);
	cr_expect_eq(AParcel_writeUint32Array(p, u32, 1), STATUS_OK);
	cr_expect_eq(AParcel_writeUint64Array(p, u64, 1), STATUS_OK);
	cr_expect(parcel_is(p, "02000000 01000000 ffffffff"
			       "01000000 02000000 00000000"
			       "01000000 03000000"
			       "01000000 04000000 00000000"));
	(void)AParcel_reset(p);
	cr_expect_eq(AParcel_writeFloatArray(p, f, 1), STATUS_OK);
	cr_expect_eq(AParcel_writeDoubleArray(p, d, 1), STATUS_OK);
	cr_expect_eq(AParcel_writeCharArray(p, c, 2), STATUS_OK);
	cr_expect_eq(AParcel_writeByteArray(p, b, 5), STATUS_OK);
	cr_expect_eq(AParcel_writeBoolArray(p, t, 2, get_bool), STATUS_OK);
	cr_expect(parcel_is(p, "01000000 0000c03f 01000000 00000000 000000c0"
			       "02000000 61000000 ffff0000"
			       "05000000 01020304 fb000000"
			       "02000000 01000000 00000000"));
	AParcel_delete(p);
}

Test(numbers, lengths_of_arrays)
{
	static const int32_t one[] = {1};
	AParcel *p = AParcel_create();

	cr_expect_eq(AParcel_writeInt32Array(p, NULL, -1), STATUS_OK);
	cr_expect_eq(AParcel_writeInt32Array(p, NULL, 0), STATUS_OK);
	cr_expect_eq(AParcel_writeInt32Array(p, one, 0), STATUS_OK);
	cr_expect_eq(AParcel_writeBoolArray(p, NULL, -1, get_bool), STATUS_OK);
	cr_expect(parcel_is(p, "ffffffff 00000000 00000000 ffffffff"));
	cr_expect_eq(AParcel_writeInt32Array(p, NULL, 1), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_writeInt32Array(p, one, -1), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_writeInt32Array(p, one, -2), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_writeCharArray(p, NULL, 1), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_writeBoolArray(p, NULL, -2, get_bool),
		     STATUS_BAD_VALUE);
	AParcel_delete(p);
}

/* Where arrays are read to. */
struct room {
	int32_t length; /* what the allocator was asked for */
	int calls;
	bool refuse;
	bool no_buffer;
	union {
		int32_t i32[4];
		int8_t i8[8];
		char16_t c[4];
		bool b[4];
	} u;
};

static bool take(struct room *room, int32_t length)
{
	room->calls++;
	room->length = length;
	return !room->refuse;
}

static bool room_i32(void *data, int32_t length, int32_t **ret)
{
	struct room *room = data;

	*ret = room->no_buffer ? NULL : room->u.i32;
	return take(room, length);
}

static bool room_i8(void *data, int32_t length, int8_t **ret)
{
	struct room *room = data;

	*ret = room->u.i8;
	return take(room, length);
}

static bool room_c(void *data, int32_t length, char16_t **ret)
{
	struct room *room = data;

	*ret = room->no_buffer ? NULL : room->u.c;
	return take(room, length);
}

static bool room_b(void *data, int32_t length)
{
	return take(data, length);
}

static void set_b(void *data, size_t i, bool value)
{
	((struct room *)data)->u.b[i] = value;
}

Test(numbers, arrays_are_read)
{
	AParcel *p = parcel_from_hex(
		NULL, "02000000 01000000 ffffffff  05000000 01020304 fb000000"
		      "02000000 61000000 ffff0000  02000000 02000000 00000000");
	struct room room = {0};

	cr_assert_eq(AParcel_readInt32Array(p, &room, room_i32), STATUS_OK);
	cr_expect(room.length == 2 && room.u.i32[0] == 1 &&
		  room.u.i32[1] == -1);
	cr_assert_eq(AParcel_readByteArray(p, &room, room_i8), STATUS_OK);
	cr_expect(room.length == 5 && room.u.i8[4] == -5);
	cr_assert_eq(AParcel_readCharArray(p, &room, room_c), STATUS_OK);
	cr_expect(room.length == 2 && room.u.c[0] == 'a' &&
		  room.u.c[1] == 0xffff);
	cr_assert_eq(AParcel_readBoolArray(p, &room, room_b, set_b), STATUS_OK);
	cr_expect(room.length == 2 && room.u.b[0] && !room.u.b[1]);
	cr_expect_eq(parcel_available(p), 0);
	AParcel_delete(p);
}

Test(numbers, arrays_that_are_refused)
{
	static const struct {
		const char *what, *bytes;
		bool refuse, no_buffer;
		binder_status_t status;
		int calls;
	} rows[] = {
		{"no length", "", false, false, STATUS_NOT_ENOUGH_DATA, 0},
		{"a length below -1", "feffffff", false, false,
		 STATUS_BAD_VALUE, 0},
		{"more than there is", "02000000 01000000", false, false,
		 STATUS_NO_MEMORY, 0},
		{"very many", "ffffff7f 01000000", false, false,
		 STATUS_NO_MEMORY, 0},
		{"so many that the size overflows", "00000040 01000000", false,
		 false, STATUS_NO_MEMORY, 0},
		{"null, refused", "ffffffff", true, false,
		 STATUS_UNEXPECTED_NULL, 1},
		{"null, accepted", "ffffffff", false, true, STATUS_OK, 1},
		{"one, refused", "01000000 01000000", true, false,
		 STATUS_NO_MEMORY, 1},
		{"one without a buffer", "01000000 01000000", false, true,
		 STATUS_NO_MEMORY, 1},
		{"none without a buffer", "00000000", false, true, STATUS_OK,
		 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct room room = {.refuse = rows[i].refuse,
				    .no_buffer = rows[i].no_buffer};
		AParcel *p = parcel_from_hex(NULL, rows[i].bytes);

		cr_expect_eq(AParcel_readInt32Array(p, &room, room_i32),
			     rows[i].status, "%s", rows[i].what);
		cr_expect_eq(room.calls, rows[i].calls, "%s", rows[i].what);
		(void)AParcel_setDataPosition(p, 0);
		cr_expect_eq(AParcel_readCharArray(p, &room, room_c),
			     rows[i].status, "%s, characters", rows[i].what);
		AParcel_delete(p);
	}
}

Test(numbers, bytes_whose_padding_is_not_there)
{
	AParcel *p = parcel_from_hex(NULL, "02000000 0102");
	struct room room = {0};

	cr_expect_eq(AParcel_readByteArray(p, &room, room_i8),
		     STATUS_NOT_ENOUGH_DATA);
	AParcel_delete(p);
}
