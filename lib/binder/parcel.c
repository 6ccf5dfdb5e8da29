#include "binder/parcel.h"

#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "binder/object.h"

#define FIRST_CAPACITY 256U
#define MAX_REREADS    16 /* of what a peer has sent */

/* Every value starts on a multiple of this. */
#define ALIGN 4U

static size_t padded(size_t size)
{
	return (size + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
}

AParcel *parcel_cursor(const AParcel *parcel)
{
	union {
		const AParcel *constant;
		AParcel *mutable;
	} u = {.constant = parcel};

	return u.mutable;
}

AParcel *parcel_new(struct binder_session *session)
{
	AParcel *parcel = calloc(1, sizeof(*parcel));

	if (!parcel)
		return NULL;
	parcel->session = session;
	if (session)
		session->ops->ref(session);
	return parcel;
}

void parcel_frame_fini(struct parcel_frame *frame)
{
	for (size_t i = 0; i < frame->n_fds; i++)
		fd_close(frame->fds[i]);
	free(frame->fds);
	free(frame->positions);
	free(frame->block);
	*frame = (struct parcel_frame){0};
}

AParcel *parcel_new_received(struct binder_session *session,
			     struct parcel_frame *frame)
{
	AParcel *parcel = parcel_new(session);

	if (!parcel) {
		parcel_frame_fini(frame);
		return NULL;
	}
	parcel->block = TAKE_PTR(frame->block);
	parcel->data = parcel->block + frame->offset;
	parcel->size = frame->size;
	parcel->capacity = frame->size;
	parcel->positions = TAKE_PTR(frame->positions);
	parcel->n_positions = frame->n_positions;
	parcel->fds = TAKE_PTR(frame->fds);
	parcel->n_fds = frame->n_fds;
	parcel->lists_objects = frame->lists_objects;
	parcel->foreign = true;
	parcel->read_only = true;
	*frame = (struct parcel_frame){0};
	return parcel;
}

AParcel *AParcel_create(void)
{
	return parcel_new(NULL);
}

/* Free the block; what is secret is overwritten first. */
static void drop_block(AParcel *parcel)
{
	if (parcel->sensitive && parcel->block)
		explicit_bzero(parcel->data, parcel->capacity);
	free(parcel->block);
	parcel->block = NULL;
	parcel->data = NULL;
	parcel->size = 0;
	parcel->capacity = 0;
	parcel->pos = 0;
	parcel->again = 0;
}

/* Make @parcel empty and of no session. */
static void drop_content(AParcel *parcel)
{
	parcel_drop_objects(parcel);
	drop_block(parcel);
	parcel->lists_objects = false;
	parcel->foreign = false;
	parcel->read_only = false;
	parcel->sent = false;
}

void AParcel_delete(AParcel *parcel)
{
	if (!parcel)
		return;
	drop_content(parcel);
	AIBinder_decStrong(parcel->target);
	if (parcel->session)
		parcel->session->ops->unref(parcel->session);
	free(parcel);
}

binder_status_t AParcel_reset(AParcel *parcel)
{
	struct binder_session *session;

	/* while it still has its session, which gets the references back */
	drop_content(parcel);
	session = TAKE_PTR(parcel->session);
	if (session)
		session->ops->unref(session);
	return STATUS_OK;
}

void AParcel_markSensitive(const AParcel *parcel)
{
	parcel_cursor(parcel)->sensitive = true;
}

int32_t AParcel_getDataSize(const AParcel *parcel)
{
	return (int32_t)parcel->size;
}

int32_t AParcel_getDataPosition(const AParcel *parcel)
{
	return (int32_t)parcel->pos;
}

/*
 * Code of aidl goes on where a parcelable's body says that it ends, though it
 * may have read more, and then the next body reads the same bytes: the work
 * doubles with each one, and aidl's code has no look at it. So a peer's bytes
 * are read a few times at the most; beyond that the position stays where it is,
 * and as that code ignores our answer, it comes to the end of the parcel.
 */
static bool goes_back_too_often(AParcel *parcel, size_t position)
{
	if (!parcel->foreign || position >= parcel->pos)
		return false;
	parcel->again += parcel->pos - position;
	return parcel->again > MAX_REREADS * parcel->size;
}

binder_status_t AParcel_setDataPosition(const AParcel *parcel, int32_t position)
{
	AParcel *cursor = parcel_cursor(parcel);

	if (position < 0 || goes_back_too_often(cursor, (size_t)position))
		return STATUS_BAD_VALUE;
	cursor->pos = (size_t)position;
	return STATUS_OK;
}

bool AParcel_getAllowFds(const AParcel *parcel)
{
	return !parcel->session || parcel->session->allow_fds;
}

/* Have @capacity bytes at least. */
static binder_status_t grow(AParcel *parcel, size_t capacity)
{
	size_t wanted = MAX(capacity, FIRST_CAPACITY);
	uint8_t *block;

	if (capacity <= parcel->capacity)
		return STATUS_OK;
	wanted = MAX(wanted, parcel->capacity * 2);
	if (!parcel->sensitive) {
		block = realloc(parcel->block, wanted);
		if (!block)
			return STATUS_NO_MEMORY;
	} else {
		/* realloc() would leave a copy behind */
		block = malloc(wanted);
		if (!block)
			return STATUS_NO_MEMORY;
		if (parcel->size > 0)
			memcpy(block, parcel->data, parcel->size);
		if (parcel->block)
			explicit_bzero(parcel->block, parcel->capacity);
		free(parcel->block);
	}
	parcel->block = block;
	parcel->data = block;
	parcel->capacity = wanted;
	return STATUS_OK;
}

binder_status_t parcel_reserve(AParcel *parcel, size_t size, void **ret_room)
{
	size_t end;
	binder_status_t rc;

	if (parcel->read_only)
		return STATUS_INVALID_OPERATION;
	if (size > INT32_MAX - ALIGN || parcel->pos > INT32_MAX - ALIGN - size)
		return STATUS_BAD_VALUE;
	end = parcel->pos + padded(size);
	rc = grow(parcel, end);
	if (rc != STATUS_OK)
		return rc;
	/* a position behind the end leaves a gap, which travels */
	if (parcel->pos > parcel->size)
		memset(parcel->data + parcel->size, 0,
		       parcel->pos - parcel->size);
	memset(parcel->data + parcel->pos + size, 0, padded(size) - size);
	*ret_room = parcel->data + parcel->pos;
	parcel->pos = end;
	parcel->size = MAX(parcel->size, end);
	return STATUS_OK;
}

binder_status_t parcel_write_bytes(AParcel *parcel, const void *bytes,
				   size_t size)
{
	void *room;
	binder_status_t rc;

	rc = parcel_reserve(parcel, size, &room);
	if (rc == STATUS_OK && size > 0)
		memcpy(room, bytes, size);
	return rc;
}

size_t parcel_available(const AParcel *parcel)
{
	return parcel->pos < parcel->size ? parcel->size - parcel->pos : 0;
}

const void *parcel_read_bytes(AParcel *parcel, size_t size)
{
	const void *bytes;

	if (size > parcel_available(parcel) ||
	    padded(size) > parcel_available(parcel))
		return NULL;
	bytes = parcel->data + parcel->pos;
	parcel->pos += padded(size);
	return bytes;
}

binder_status_t AParcel_marshal(const AParcel *parcel, uint8_t *buffer,
				size_t start, size_t size)
{
	if (parcel->n_refs > 0 || parcel->n_fds > 0)
		return STATUS_INVALID_OPERATION;
	if (start > parcel->size || size > parcel->size - start)
		return STATUS_BAD_VALUE;
	if (size > 0)
		memcpy(buffer, parcel->data + start, size);
	return STATUS_OK;
}

binder_status_t AParcel_unmarshal(AParcel *parcel, const uint8_t *buffer,
				  size_t size)
{
	binder_status_t rc;

	if (parcel->read_only)
		return STATUS_INVALID_OPERATION;
	if (size > INT32_MAX)
		return STATUS_BAD_VALUE;
	drop_content(parcel);
	rc = grow(parcel, size);
	if (rc != STATUS_OK)
		return rc;
	if (size > 0)
		memcpy(parcel->data, buffer, size);
	parcel->size = size;
	return STATUS_OK;
}
