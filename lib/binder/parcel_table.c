/*
 * The table behind a parcel: where the type words are of what is not bytes.
 * In wire version 1 these are its descriptors, in version 2 its objects as
 * well.
 */
#include <stdlib.h>
#include <string.h>

#include "base/byteorder.h"
#include "binder/object.h"
#include "binder/parcel.h"

/* The two words that a descriptor consists of, and an object begins with. */
struct flat {
	le32 type;
	le32 index; /* of a descriptor */
};
_Static_assert(sizeof(struct flat) == PARCEL_FD_SIZE, "no padding");

bool parcel_grow_array(void **array, size_t count, size_t element_size)
{
	void *grown;

	/* a power of two is full, 0 is not there yet */
	if ((count & (count - 1)) != 0)
		return true;
	grown = reallocarray(*array, count == 0 ? 1 : count * 2, element_size);
	if (!grown)
		return false;
	*array = grown;
	return true;
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* Whether what is at @pos is what it says. */
static binder_status_t check_entry(const struct parcel_frame *frame, size_t pos)
{
	struct flat flat;

	if (frame->size < sizeof(flat) || pos > frame->size - sizeof(flat))
		return STATUS_BAD_VALUE;
	memcpy(&flat, frame->block + frame->offset + pos, sizeof(flat));
	switch (le32_get(flat.type)) {
	case PARCEL_TYPE_FD:
		return le32_get(flat.index) < frame->n_fds ? STATUS_OK
							   : STATUS_BAD_VALUE;
	case PARCEL_TYPE_BINDER:
		if (!frame->lists_objects)
			return STATUS_BAD_TYPE;
		return frame->size - pos >= PARCEL_BINDER_SIZE
			       ? STATUS_OK
			       : STATUS_BAD_VALUE;
	default:
		return STATUS_BAD_TYPE;
	}
}

/* An object that is listed twice would be given back twice. */
static binder_status_t check_once(const struct parcel_frame *frame)
{
	for (size_t i = 1; frame->lists_objects && i < frame->n_positions; i++)
		if (frame->positions[i] == frame->positions[i - 1])
			return STATUS_BAD_VALUE;
	return STATUS_OK;
}

binder_status_t parcel_check_positions(struct parcel_frame *frame)
{
	binder_status_t rc;

	/* one for each descriptor; in version 1 there is nothing else */
	if (frame->n_positions < frame->n_fds ||
	    (frame->n_positions > frame->n_fds && !frame->lists_objects))
		return STATUS_BAD_VALUE;
	for (size_t i = 0; i < frame->n_positions; i++) {
		rc = check_entry(frame, frame->positions[i]);
		if (rc != STATUS_OK)
			return rc;
	}
	if (frame->n_positions > 0)
		qsort(frame->positions, frame->n_positions, sizeof(uint32_t),
		      compare_u32);
	return check_once(frame);
}

bool parcel_lists(const AParcel *parcel, size_t pos)
{
	const uint32_t key = (uint32_t)pos;

	return parcel->n_positions > 0 &&
	       bsearch(&key, parcel->positions, parcel->n_positions,
		       sizeof(key), compare_u32) != NULL;
}

bool parcel_is_object(const AParcel *parcel, size_t pos)
{
	le32 type;

	if (parcel->size < sizeof(type) || pos > parcel->size - sizeof(type))
		return false; /* it was written over since */
	memcpy(&type, parcel->data + pos, sizeof(type));
	return le32_get(type) == PARCEL_TYPE_BINDER;
}

size_t parcel_table_length(const AParcel *parcel)
{
	bool objects = parcel->session && parcel->session->lists_objects;

	return parcel->n_positions + (objects ? parcel->n_refs : 0);
}

const uint32_t *parcel_table(const AParcel *parcel)
{
	return parcel_table_length(parcel) == parcel->n_positions
		       ? parcel->positions
		       : parcel->table;
}

binder_status_t parcel_make_table(AParcel *parcel)
{
	size_t length = parcel_table_length(parcel);
	size_t n = 0, ref = 0;
	uint32_t *table;

	/* most parcels have either no objects or nobody to tell */
	if (length == parcel->n_positions)
		return STATUS_OK;
	table = reallocarray(parcel->table, length, sizeof(*table));
	if (!table)
		return STATUS_NO_MEMORY;
	parcel->table = table;
	/* two lists in ascending order become one */
	for (size_t i = 0; i < parcel->n_positions; i++) {
		while (ref < parcel->n_refs &&
		       parcel->refs[ref].pos < parcel->positions[i])
			table[n++] = (uint32_t)parcel->refs[ref++].pos;
		table[n++] = parcel->positions[i];
	}
	while (ref < parcel->n_refs)
		table[n++] = (uint32_t)parcel->refs[ref++].pos;
	return STATUS_OK;
}
