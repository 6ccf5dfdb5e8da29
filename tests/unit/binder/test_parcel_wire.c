/*
 * RpcWireProtocol: every kind of value as bytes, after the specification of
 * the format and not after this code; the same in all wire versions. Android's
 * binderRpcWireProtocolTest has the idea. Frames are in
 * unit/rpc/test_rpc_frame, the golden session in unit/rpc/test_rpc_call.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include <android/binder_parcel.h>
#include <android/binder_status.h>

#include "base/checked.h"
#include "support/echo_object.h"
#include "support/fake_session.h"
#include "support/parcel_bytes.h"

static struct fake_session fake;
static struct echo_object state;
static AIBinder *local;

static void put_status(AParcel *p, AStatus *status)
{
	(void)AParcel_writeStatusHeader(p, status);
	AStatus_delete(status);
}

/* Arrays and strings of the rows. */
static const int32_t ints[] = {1, -2};
static const uint32_t uints[] = {0xffffffff};
static const int64_t longs[] = {1, -1};
static const uint64_t ulongs[] = {0x0102030405060708};
static const float floats[] = {1.5F};
static const double doubles[] = {-1.0};
static const bool bools[] = {true, false, true};
static const char16_t chars[] = {0x41, 0xffff};
static const int8_t bytes[] = {1, -1, 3, 4, 5};

static const char *get_word(const void *data, size_t index, int32_t *ret_length)
{
	static const char *const words[] = {"a", NULL, ""};

	(void)data;
	*ret_length = words[index] ? (int32_t)strlen(words[index]) : -1;
	return words[index];
}

static binder_status_t put_element(AParcel *p, const void *data, size_t index)
{
	(void)data;
	return AParcel_writeInt32(p, (int32_t)index + 7);
}

/* X(name, bytes, how it is written) */
#define VALUES(X)                                                              \
	X(nothing, "", (void)p)                                                \
	X(int32, "01000000", AParcel_writeInt32(p, 1))                         \
	X(int32_least, "00000080", AParcel_writeInt32(p, INT32_MIN))           \
	X(uint32, "ffffffff", AParcel_writeUint32(p, UINT32_MAX))              \
	X(int64, "08070605 04030201",                                          \
	  AParcel_writeInt64(p, 0x0102030405060708))                           \
	X(int64_least, "00000000 00000080", AParcel_writeInt64(p, INT64_MIN))  \
	X(uint64, "ffffffff ffffffff", AParcel_writeUint64(p, UINT64_MAX))     \
	X(float_, "0000c03f", AParcel_writeFloat(p, 1.5F))                     \
	X(double_, "00000000 0000f0bf", AParcel_writeDouble(p, -1.0))          \
	X(true_, "01000000", AParcel_writeBool(p, true))                       \
	X(false_, "00000000", AParcel_writeBool(p, false))                     \
	X(byte, "80ffffff", AParcel_writeByte(p, INT8_MIN))                    \
	X(byte_positive, "7f000000", AParcel_writeByte(p, INT8_MAX))           \
	X(char_, "ffff0000", AParcel_writeChar(p, 0xffff))                     \
	X(string_null, "ffffffff", AParcel_writeString(p, NULL, -1))           \
	X(string_empty, "00000000 00000000", AParcel_writeString(p, "", 0))    \
	X(string_odd, "01000000 61000000", AParcel_writeString(p, "a", 1))     \
	X(string_even, "02000000 61006200 00000000",                           \
	  AParcel_writeString(p, "ab", 2))                                     \
	X(string_two_bytes, "01000000 e4000000",                               \
	  AParcel_writeString(p, "\xc3\xa4", 2))                               \
	X(string_three_bytes, "01000000 ac200000",                             \
	  AParcel_writeString(p, "\xe2\x82\xac", 3))                           \
	X(string_surrogates, "02000000 3dd800de 00000000",                     \
	  AParcel_writeString(p, "\xf0\x9f\x98\x80", 4))                       \
	X(string_nul, "03000000 61000000 62000000",                            \
	  AParcel_writeString(p, "a\0b", 3))                                   \
	X(int32s, "02000000 01000000 feffffff",                                \
	  AParcel_writeInt32Array(p, ints, 2))                                 \
	X(int32s_empty, "00000000", AParcel_writeInt32Array(p, ints, 0))       \
	X(int32s_null, "ffffffff", AParcel_writeInt32Array(p, NULL, -1))       \
	X(uint32s, "01000000 ffffffff", AParcel_writeUint32Array(p, uints, 1)) \
	X(int64s, "02000000 01000000 00000000 ffffffff ffffffff",              \
	  AParcel_writeInt64Array(p, longs, 2))                                \
	X(int64s_null, "ffffffff", AParcel_writeInt64Array(p, NULL, -1))       \
	X(uint64s, "01000000 08070605 04030201",                               \
	  AParcel_writeUint64Array(p, ulongs, 1))                              \
	X(floats_, "01000000 0000c03f", AParcel_writeFloatArray(p, floats, 1)) \
	X(floats_null, "ffffffff", AParcel_writeFloatArray(p, NULL, -1))       \
	X(doubles_, "01000000 00000000 0000f0bf",                              \
	  AParcel_writeDoubleArray(p, doubles, 1))                             \
	X(doubles_null, "ffffffff", AParcel_writeDoubleArray(p, NULL, -1))     \
	X(bools_, "03000000 01000000 00000000 01000000",                       \
	  AParcel_writeBoolArray(p, bools, 3, get_bool))                       \
	X(bools_null, "ffffffff",                                              \
	  AParcel_writeBoolArray(p, NULL, -1, get_bool))                       \
	X(chars_, "02000000 41000000 ffff0000",                                \
	  AParcel_writeCharArray(p, chars, 2))                                 \
	X(chars_null, "ffffffff", AParcel_writeCharArray(p, NULL, -1))         \
	X(bytes_padded, "05000000 01ff0304 05000000",                          \
	  AParcel_writeByteArray(p, bytes, 5))                                 \
	X(bytes_whole, "04000000 01ff0304",                                    \
	  AParcel_writeByteArray(p, bytes, 4))                                 \
	X(bytes_empty, "00000000", AParcel_writeByteArray(p, bytes, 0))        \
	X(bytes_null, "ffffffff", AParcel_writeByteArray(p, NULL, -1))         \
	X(strings, "03000000 01000000 61000000 ffffffff 00000000 00000000",    \
	  AParcel_writeStringArray(p, NULL, 3, get_word))                      \
	X(strings_null, "ffffffff",                                            \
	  AParcel_writeStringArray(p, NULL, -1, get_word))                     \
	X(parcelables, "02000000 07000000 08000000",                           \
	  AParcel_writeParcelableArray(p, NULL, 2, put_element))               \
	X(parcelables_null, "ffffffff",                                        \
	  AParcel_writeParcelableArray(p, NULL, -1, put_element))              \
	X(object, "01000000 03000000 00000000 0c000000",                       \
	  AParcel_writeStrongBinder(p, local))                                 \
	X(object_null, "00000000 00000000",                                    \
	  AParcel_writeStrongBinder(p, NULL))                                  \
	X(file, "01000000 00000000 02000000 00000000",                         \
	  AParcel_writeParcelFileDescriptor(p, 2))                             \
	X(file_null, "00000000", AParcel_writeParcelFileDescriptor(p, -1))     \
	X(status_ok, "00000000", put_status(p, AStatus_newOk()))               \
	X(status_exception, "fbffffff ffffffff 00000000",                      \
	  put_null_message(p, EX_ILLEGAL_STATE))                               \
	X(status_message, "fdffffff 01000000 78000000 00000000",               \
	  put_status(p, AStatus_fromExceptionCodeWithMessage(                  \
				EX_ILLEGAL_ARGUMENT, "x")))                    \
	X(status_service, "f8ffffff 01000000 73000000 00000000 4d000000",      \
	  put_status(p, AStatus_fromServiceSpecificErrorWithMessage(77, "s")))

static bool get_bool(const void *data, size_t index)
{
	const bool *array = data;

	return array[index];
}

/* An exception without a message: Java writes null, the NDK nothing. */
static void put_null_message(AParcel *p, binder_exception_t exception)
{
	(void)AParcel_writeInt32(p, exception);
	(void)AParcel_writeString(p, NULL, -1);
	(void)AParcel_writeInt32(p, 0);
}

#define FUNCTION(name, hex, how)             \
	static void write_##name(AParcel *p) \
	{                                    \
		(void)(how);                 \
	}
#define ROW(name, hex, how) {#name, hex, write_##name},

/* Some of them return nothing. */
#pragma GCC diagnostic ignored "-Wunused-value"
VALUES(FUNCTION)

static const struct {
	const char *name, *hex;
	void (*write)(AParcel *p);
} rows[] = {VALUES(ROW)};

static void set_up(void)
{
	fake_session_init(&fake);
	local = AIBinder_new(echo_class_new("echo"), &state);
}

static void tear_down(void)
{
	fake_session_fini(&fake);
	cr_expect_eq(AIBinder_debugGetRefCount(local), 1);
	AIBinder_decStrong(local);
}

TestSuite(RpcWire, .init = set_up, .fini = tear_down);

/* Each value alone, then behind something that is not padded. */
static void check_rows(void)
{
	char hex[256];
	AParcel *p;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		p = parcel_new(&fake.session);
		rows[i].write(p);
		cr_expect(parcel_is(p, rows[i].hex), "%s", rows[i].name);
		AParcel_delete(p);
		p = parcel_new(&fake.session);
		(void)AParcel_writeByteArray(p, bytes, 1);
		rows[i].write(p);
		(void)snprintf(hex, sizeof(hex), "01000000 01000000 %s",
			       rows[i].hex);
		cr_expect(parcel_is(p, hex), "%s, later", rows[i].name);
		AParcel_delete(p);
	}
}

Test(RpcWire, V0)
{
	/* descriptors are what a session of version 0 has none of */
	check_rows();
}

Test(RpcWire, V1)
{
	check_rows();
}

Test(RpcWire, V2)
{
	fake.session.lists_objects = true;
	check_rows();
}

/* All in a row, and a gap, which is zeros. */
Test(RpcWire, one_after_the_other)
{
	AParcel *p = parcel_new(&fake.session);

	for (size_t i = 0; i < 12; i++)
		rows[i].write(p);
	cr_expect(parcel_is(p, "01000000 00000080 ffffffff 08070605 04030201 "
			       "00000000 00000080 ffffffff ffffffff 0000c03f "
			       "00000000 0000f0bf 01000000 00000000 80ffffff"));
	(void)AParcel_setDataPosition(p, 68);
	(void)AParcel_writeInt32(p, 1);
	(void)AParcel_setDataPosition(p, 4);
	(void)AParcel_writeInt32(p, 2);
	cr_expect(parcel_is(p, "01000000 02000000 ffffffff 08070605 04030201 "
			       "00000000 00000080 ffffffff ffffffff 0000c03f "
			       "00000000 0000f0bf 01000000 00000000 80ffffff "
			       "00000000 00000000 01000000"));
	AParcel_delete(p);
}
