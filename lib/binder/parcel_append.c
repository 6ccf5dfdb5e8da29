/* Copying from one parcel to another, with the objects in between. */
#include <string.h>

#include "binder/parcel.h"

/* Whether bytes of @from may stand in @to. A parcel of no session takes the
 * session of what is appended first; plain bytes go anywhere. */
static binder_status_t check_sessions(const AParcel *from, AParcel *to)
{
	if (from->session == to->session || !from->session)
		return STATUS_OK;
	if (to->session || to->size > 0)
		return STATUS_BAD_TYPE;
	to->session = from->session;
	to->session->ops->ref(to->session);
	/* objects that are listed become the parcel's own; the others are found
	 * when they are read */
	to->foreign = from->foreign && !from->lists_objects;
	return STATUS_OK;
}

/* Whether [@start, @start + @size) has all of what is @length bytes at @pos. */
static bool covers(size_t start, size_t size, size_t pos, size_t length)
{
	return pos >= start && size >= length && pos - start <= size - length;
}

/* Keep the objects that are copied and have not been read: the copy counts
 * them anew, and the table says where they are. */
static binder_status_t keep_listed(AParcel *from, size_t start, size_t size)
{
	size_t pos;
	binder_status_t rc = STATUS_OK;

	for (size_t i = 0;
	     rc == STATUS_OK && from->lists_objects && i < from->n_positions;
	     i++) {
		pos = from->positions[i];
		if (parcel_is_object(from, pos) &&
		    covers(start, size, pos, PARCEL_BINDER_SIZE))
			rc = parcel_keep_object(from, pos);
	}
	return rc;
}

/* Write the objects of [@start, @start + @size) over their copies at @to_start,
 * which are addresses and numbers of @from. */
static binder_status_t append_objects(const AParcel *from, AParcel *to,
				      size_t start, size_t size,
				      size_t to_start)
{
	const struct parcel_ref *ref;
	binder_status_t rc = STATUS_OK;

	for (size_t i = 0; rc == STATUS_OK && i < from->n_refs; i++) {
		ref = &from->refs[i];
		if (!covers(start, size, ref->pos, PARCEL_BINDER_SIZE))
			continue;
		to->pos = to_start + (ref->pos - start);
		rc = AParcel_writeStrongBinder(to, ref->binder);
	}
	return rc;
}

static binder_status_t append_fds(const AParcel *from, AParcel *to,
				  size_t start, size_t size, size_t to_start)
{
	uint32_t index;
	size_t pos;
	binder_status_t rc = STATUS_OK;

	for (size_t i = 0; rc == STATUS_OK && i < from->n_positions; i++) {
		pos = from->positions[i];
		if (!covers(start, size, pos, PARCEL_FD_SIZE) ||
		    parcel_is_object(from, pos))
			continue;
		memcpy(&index, from->data + pos + sizeof(int32_t),
		       sizeof(index));
		if (index >= from->n_fds)
			return STATUS_BAD_VALUE;
		to->pos = to_start + (pos - start);
		rc = parcel_write_fd(to, from->fds[index]);
	}
	return rc;
}

binder_status_t AParcel_appendFrom(const AParcel *from, AParcel *to,
				   int32_t start, int32_t size)
{
	size_t first = (size_t)start, count = (size_t)size;
	size_t to_start, end;
	binder_status_t rc;

	if (start < 0 || size < 0 || first > from->size ||
	    count > from->size - first || from == to)
		return STATUS_BAD_VALUE;
	if (to->read_only)
		return STATUS_INVALID_OPERATION;
	rc = check_sessions(from, to);
	if (rc != STATUS_OK || count == 0)
		return rc;
	rc = keep_listed(parcel_cursor(from), first, count);
	if (rc != STATUS_OK)
		return rc;
	to_start = to->size;
	to->pos = to_start;
	rc = parcel_write_bytes(to, from->data + first, count);
	end = to->pos;
	if (rc == STATUS_OK)
		rc = append_objects(from, to, first, count, to_start);
	if (rc == STATUS_OK)
		rc = append_fds(from, to, first, count, to_start);
	to->pos = end;
	return rc;
}
