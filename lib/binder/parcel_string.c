/* Strings, arrays of strings, arrays of parcelables. */
#include <string.h>

#include "base/cleanup.h"
#include "binder/parcel.h"
#include "binder/utf.h"

#define UNIT 2U /* bytes of a unit of UTF-16 */

binder_status_t parcel_write_utf8(AParcel *parcel, const char *string,
				  size_t size)
{
	void *room;
	size_t units;
	binder_status_t rc;

	if (!utf16_measure(string, size, &units) || units >= INT32_MAX / UNIT)
		return STATUS_BAD_VALUE;
	rc = AParcel_writeInt32(parcel, (int32_t)units);
	if (rc != STATUS_OK)
		return rc;
	rc = parcel_reserve(parcel, (units + 1) * UNIT, &room);
	if (rc != STATUS_OK)
		return rc;
	utf16_write(string, size, room);
	memset((char *)room + units * UNIT, 0, UNIT);
	return STATUS_OK;
}

/* Find a string. *@ret_units is NULL for null. */
static binder_status_t read_units(AParcel *parcel, const le16 **ret_units,
				  size_t *ret_count)
{
	const le16 *units;
	int32_t length;
	binder_status_t rc;

	rc = AParcel_readInt32(parcel, &length);
	if (rc != STATUS_OK)
		return rc;
	*ret_units = NULL;
	*ret_count = 0;
	if (length == -1)
		return STATUS_OK;
	if (length < 0 || length == INT32_MAX)
		return STATUS_BAD_VALUE;
	units = parcel_read_bytes(parcel, ((size_t)length + 1) * UNIT);
	if (!units)
		return STATUS_NOT_ENOUGH_DATA;
	if (le16_get(units[length]) != 0)
		return STATUS_BAD_VALUE;
	*ret_units = units;
	*ret_count = (size_t)length;
	return STATUS_OK;
}

binder_status_t parcel_read_utf8(AParcel *parcel, char **ret_string,
				 size_t *ret_size)
{
	const le16 *units;
	size_t count, size;
	char *string;
	binder_status_t rc;

	rc = read_units(parcel, &units, &count);
	if (rc != STATUS_OK)
		return rc;
	size = utf8_measure(units, count);
	string = NULL;
	if (units) {
		string = malloc(size + 1);
		if (!string)
			return STATUS_NO_MEMORY;
		utf8_write(units, count, string);
		string[size] = '\0';
	}
	*ret_string = string;
	if (ret_size)
		*ret_size = size;
	return STATUS_OK;
}

binder_status_t AParcel_writeString(AParcel *parcel, const char *string,
				    int32_t length)
{
	if (!string)
		return length == -1 ? AParcel_writeInt32(parcel, -1)
				    : STATUS_BAD_VALUE;
	if (length < 0)
		return STATUS_BAD_VALUE;
	return parcel_write_utf8(parcel, string, (size_t)length);
}

/* The two kinds of allocators, as one. */
struct destination {
	AParcel_stringAllocator string;
	AParcel_stringArrayElementAllocator
		element; /* of an array: @in_array */
	bool in_array;
	void *data;
	size_t index;
};

/* Ask for @length bytes; -1 tells that the string is null. */
static bool allocate(const struct destination *to, int32_t length,
		     char **ret_buffer)
{
	if (to->in_array)
		return to->element(to->data, to->index, length, ret_buffer);
	return to->string(to->data, length, ret_buffer);
}

static binder_status_t read_string(AParcel *parcel,
				   const struct destination *to)
{
	const le16 *units;
	char *buffer = NULL;
	size_t count, size;
	binder_status_t rc;

	rc = read_units(parcel, &units, &count);
	if (rc != STATUS_OK)
		return rc;
	if (!units)
		return allocate(to, -1, &buffer) ? STATUS_OK
						 : STATUS_UNEXPECTED_NULL;
	size = utf8_measure(units, count);
	if (size >= INT32_MAX)
		return STATUS_NO_MEMORY;
	if (!allocate(to, (int32_t)size + 1, &buffer) || !buffer)
		return STATUS_NO_MEMORY;
	utf8_write(units, count, buffer);
	buffer[size] = '\0';
	return STATUS_OK;
}

binder_status_t AParcel_readString(const AParcel *parcel, void *string_data,
				   AParcel_stringAllocator allocator)
{
	const struct destination to = {.string = allocator,
				       .data = string_data};

	return read_string(parcel_cursor(parcel), &to);
}

binder_status_t AParcel_writeStringArray(
	AParcel *parcel, const void *array_data, int32_t length,
	AParcel_stringArrayElementGetter getter)
{
	const char *string;
	int32_t size;
	binder_status_t rc;

	rc = parcel_write_length(parcel, length < 0, length);
	for (int32_t i = 0; rc == STATUS_OK && i < length; i++) {
		size = -1;
		string = getter(array_data, (size_t)i, &size);
		rc = AParcel_writeString(parcel, string, size);
	}
	return rc;
}

binder_status_t AParcel_readStringArray(
	const AParcel *parcel, void *array_data,
	AParcel_stringArrayAllocator allocator,
	AParcel_stringArrayElementAllocator element_allocator)
{
	struct destination to = {.element = element_allocator,
				 .in_array = true,
				 .data = array_data};
	AParcel *p = parcel_cursor(parcel);
	int32_t length;
	binder_status_t rc;

	rc = parcel_read_length(p, sizeof(int32_t), &length);
	if (rc != STATUS_OK)
		return rc;
	if (!allocator(array_data, length))
		return length < 0 ? STATUS_UNEXPECTED_NULL : STATUS_NO_MEMORY;
	for (int32_t i = 0; rc == STATUS_OK && i < length; i++) {
		to.index = (size_t)i;
		rc = read_string(p, &to);
	}
	return rc;
}

binder_status_t AParcel_writeParcelableArray(
	AParcel *parcel, const void *array_data, int32_t length,
	AParcel_writeParcelableElement writer)
{
	binder_status_t rc;

	rc = parcel_write_length(parcel, length < 0, length);
	for (int32_t i = 0; rc == STATUS_OK && i < length; i++)
		rc = writer(parcel, array_data, (size_t)i);
	return rc;
}

binder_status_t AParcel_readParcelableArray(
	const AParcel *parcel, void *array_data,
	AParcel_parcelableArrayAllocator allocator,
	AParcel_readParcelableElement reader)
{
	int32_t length;
	binder_status_t rc;

	/* an element may be as small as its writer likes, but not nothing */
	rc = parcel_read_length(parcel_cursor(parcel), 1, &length);
	if (rc != STATUS_OK)
		return rc;
	if (!allocator(array_data, length))
		return length < 0 ? STATUS_UNEXPECTED_NULL : STATUS_NO_MEMORY;
	for (int32_t i = 0; rc == STATUS_OK && i < length; i++)
		rc = reader(parcel, array_data, (size_t)i);
	return rc;
}

/* Whether @units are the characters of @text, and end where it does. */
static bool is_ascii(const le16 *units, size_t count, const char *text)
{
	unsigned char c;

	for (size_t i = 0; i < count; i++) {
		c = (unsigned char)text[i];
		if (c == '\0' || c >= 0x80 || le16_get(units[i]) != c)
			return false;
	}
	return text[count] == '\0' && le16_get(units[count]) == 0;
}

bool parcel_skip_ascii(AParcel *parcel, const char *text)
{
	const size_t start = parcel->pos;
	const le16 *units;
	int32_t count;

	if (AParcel_readInt32(parcel, &count) == STATUS_OK && count >= 0 &&
	    (size_t)count < parcel_available(parcel)) {
		units = parcel_read_bytes(parcel,
					  ((size_t)count + 1) * sizeof(*units));
		if (units && is_ascii(units, (size_t)count, text))
			return true;
	}
	parcel->pos = start;
	return false;
}
