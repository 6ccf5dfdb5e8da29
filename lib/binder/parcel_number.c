/* Numbers and arrays of numbers. */
#include <string.h>

#include "binder/parcel.h"

/* Numbers are copied as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "the wire is little-endian");

/* A number that is written as it is. */
#define PLAIN(name, type)                                                 \
	binder_status_t AParcel_write##name(AParcel *parcel, type value)  \
	{                                                                 \
		return parcel_write_bytes(parcel, &value, sizeof(value)); \
	}                                                                 \
	binder_status_t AParcel_read##name(const AParcel *parcel,         \
					   type *ret_value)               \
	{                                                                 \
		const void *p = parcel_read_bytes(parcel_cursor(parcel),  \
						  sizeof(*ret_value));    \
                                                                          \
		if (!p)                                                   \
			return STATUS_NOT_ENOUGH_DATA;                    \
		memcpy(ret_value, p, sizeof(*ret_value));                 \
		return STATUS_OK;                                         \
	}

PLAIN(Int32, int32_t)
PLAIN(Uint32, uint32_t)
PLAIN(Int64, int64_t)
PLAIN(Uint64, uint64_t)
PLAIN(Float, float)
PLAIN(Double, double)

/* A number that takes an int32 although it is smaller. */
#define WIDENED(name, type)                                              \
	binder_status_t AParcel_write##name(AParcel *parcel, type value) \
	{                                                                \
		return AParcel_writeInt32(parcel, (int32_t)value);       \
	}                                                                \
	binder_status_t AParcel_read##name(const AParcel *parcel,        \
					   type *ret_value)              \
	{                                                                \
		int32_t value;                                           \
		binder_status_t rc;                                      \
                                                                         \
		rc = AParcel_readInt32(parcel, &value);                  \
		if (rc == STATUS_OK)                                     \
			*ret_value = (type)value;                        \
		return rc;                                               \
	}

WIDENED(Bool, bool)
WIDENED(Char, char16_t)
WIDENED(Byte, int8_t)

binder_status_t parcel_write_length(AParcel *parcel, bool null, int32_t length)
{
	if (length < -1 || (null && length > 0) || (!null && length < 0))
		return STATUS_BAD_VALUE;
	return AParcel_writeInt32(parcel, length);
}

binder_status_t parcel_read_length(AParcel *parcel, size_t element_size,
				   int32_t *ret_length)
{
	int32_t length;
	binder_status_t rc;

	rc = AParcel_readInt32(parcel, &length);
	if (rc != STATUS_OK)
		return rc;
	if (length < -1)
		return STATUS_BAD_VALUE;
	/* before anybody allocates for it */
	if (length > 0 &&
	    (size_t)length > parcel_available(parcel) / element_size)
		return STATUS_NO_MEMORY;
	*ret_length = length;
	return STATUS_OK;
}

/* What to say when an allocator refuses an array of @length. */
static binder_status_t refused(int32_t length)
{
	return length < 0 ? STATUS_UNEXPECTED_NULL : STATUS_NO_MEMORY;
}

/* Elements that lie in the parcel as in memory, packed. */
#define PACKED_ARRAY(name, type, allocator_type)                             \
	binder_status_t AParcel_write##name##Array(                          \
		AParcel *parcel, const type *array, int32_t length)          \
	{                                                                    \
		binder_status_t rc;                                          \
                                                                             \
		rc = parcel_write_length(parcel, array == NULL, length);     \
		if (rc != STATUS_OK || length <= 0)                          \
			return rc;                                           \
		return parcel_write_bytes(parcel, array,                     \
					  (size_t)length * sizeof(*array));  \
	}                                                                    \
	binder_status_t AParcel_read##name##Array(const AParcel *parcel,     \
						  void *array_data,          \
						  allocator_type allocator)  \
	{                                                                    \
		AParcel *p = parcel_cursor(parcel);                          \
		type *array = NULL;                                          \
		const void *bytes;                                           \
		int32_t length;                                              \
		binder_status_t rc;                                          \
                                                                             \
		rc = parcel_read_length(p, sizeof(type), &length);           \
		if (rc != STATUS_OK)                                         \
			return rc;                                           \
		if (!allocator(array_data, length, &array))                  \
			return refused(length);                              \
		if (length <= 0)                                             \
			return STATUS_OK;                                    \
		if (!array)                                                  \
			return STATUS_NO_MEMORY;                             \
		bytes = parcel_read_bytes(p, (size_t)length * sizeof(type)); \
		if (!bytes)                                                  \
			return STATUS_NOT_ENOUGH_DATA;                       \
		memcpy(array, bytes, (size_t)length * sizeof(type));         \
		return STATUS_OK;                                            \
	}

PACKED_ARRAY(Int32, int32_t, AParcel_int32ArrayAllocator)
PACKED_ARRAY(Uint32, uint32_t, AParcel_uint32ArrayAllocator)
PACKED_ARRAY(Int64, int64_t, AParcel_int64ArrayAllocator)
PACKED_ARRAY(Uint64, uint64_t, AParcel_uint64ArrayAllocator)
PACKED_ARRAY(Float, float, AParcel_floatArrayAllocator)
PACKED_ARRAY(Double, double, AParcel_doubleArrayAllocator)
PACKED_ARRAY(Byte, int8_t, AParcel_byteArrayAllocator)

binder_status_t AParcel_writeCharArray(AParcel *parcel, const char16_t *array,
				       int32_t length)
{
	binder_status_t rc;

	rc = parcel_write_length(parcel, array == NULL, length);
	for (int32_t i = 0; rc == STATUS_OK && i < length; i++)
		rc = AParcel_writeChar(parcel, array[i]);
	return rc;
}

binder_status_t AParcel_readCharArray(const AParcel *parcel, void *array_data,
				      AParcel_charArrayAllocator allocator)
{
	char16_t *array = NULL;
	int32_t length;
	binder_status_t rc;

	rc = parcel_read_length(parcel_cursor(parcel), sizeof(int32_t),
				&length);
	if (rc != STATUS_OK)
		return rc;
	if (!allocator(array_data, length, &array))
		return refused(length);
	if (length > 0 && !array)
		return STATUS_NO_MEMORY;
	for (int32_t i = 0; rc == STATUS_OK && i < length; i++)
		rc = AParcel_readChar(parcel, &array[i]);
	return rc;
}

binder_status_t AParcel_writeBoolArray(AParcel *parcel, const void *array_data,
				       int32_t length,
				       AParcel_boolArrayGetter getter)
{
	binder_status_t rc;

	/* NULL may be the data of an array that is not null */
	rc = parcel_write_length(parcel, length < 0, length);
	for (int32_t i = 0; rc == STATUS_OK && i < length; i++)
		rc = AParcel_writeBool(parcel, getter(array_data, (size_t)i));
	return rc;
}

binder_status_t AParcel_readBoolArray(const AParcel *parcel, void *array_data,
				      AParcel_boolArrayAllocator allocator,
				      AParcel_boolArraySetter setter)
{
	int32_t length;
	bool value;
	binder_status_t rc;

	rc = parcel_read_length(parcel_cursor(parcel), sizeof(int32_t),
				&length);
	if (rc != STATUS_OK)
		return rc;
	if (!allocator(array_data, length))
		return refused(length);
	for (int32_t i = 0; i < length; i++) {
		rc = AParcel_readBool(parcel, &value);
		if (rc != STATUS_OK)
			return rc;
		setter(array_data, (size_t)i, value);
	}
	return STATUS_OK;
}
