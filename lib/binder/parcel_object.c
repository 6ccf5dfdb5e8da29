/*
 * Objects in a parcel. In the bytes an object is {type, address, stability}; of
 * a parcel without a session the address is 0, and the list of references says
 * which object it is.
 */
#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "binder/object.h"
#include "binder/parcel.h"

struct flat_binder {
	le32 type;
	le64 address;
	le32 stability;
};
_Static_assert(sizeof(struct flat_binder) == PARCEL_BINDER_SIZE, "no padding");

/* The place of @pos in the list: the first entry that is not before it. */
static size_t find_ref(const AParcel *parcel, size_t pos)
{
	size_t low = 0, high = parcel->n_refs;
	size_t middle;

	/* parcels are written and read from front to back */
	if (high > 0 && parcel->refs[high - 1].pos < pos)
		return high;
	while (low < high) {
		middle = low + (high - low) / 2;
		if (parcel->refs[middle].pos < pos)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The reference at @pos, or NULL. */
static struct parcel_ref *ref_at(const AParcel *parcel, size_t pos)
{
	size_t i = find_ref(parcel, pos);

	if (i == parcel->n_refs || parcel->refs[i].pos != pos)
		return NULL;
	return &parcel->refs[i];
}

/* Note that @binder is at @pos. Takes the reference on success. */
static binder_status_t add_ref(AParcel *parcel, const struct parcel_ref *ref)
{
	void *refs = parcel->refs;
	size_t i = find_ref(parcel, ref->pos);

	if (!parcel_grow_array(&refs, parcel->n_refs, sizeof(*ref)))
		return STATUS_NO_MEMORY;
	parcel->refs = refs;
	memmove(&parcel->refs[i + 1], &parcel->refs[i],
		(parcel->n_refs - i) * sizeof(*ref));
	parcel->refs[i] = *ref;
	parcel->n_refs++;
	return STATUS_OK;
}

/* An object was here and is overwritten: its place belongs to another. */
static void remove_ref(AParcel *parcel, struct parcel_ref *ref)
{
	struct binder_session *session = parcel->session;
	struct parcel_ref old = *ref;
	size_t i = (size_t)(ref - parcel->refs);

	parcel->n_refs--;
	memmove(ref, ref + 1, (parcel->n_refs - i) * sizeof(*ref));
	if (old.counted)
		session->ops->undo_leave(session, old.address);
	AIBinder_decStrong(old.binder);
}

static int32_t stability_of(const AIBinder *binder)
{
	return binder->stability == STABILITY_UNDECLARED ? STABILITY_SYSTEM
							 : binder->stability;
}

/* Count the object that is about to be written, and list it. */
static binder_status_t list_object(AParcel *parcel, AIBinder *binder,
				   uint64_t *ret_address)
{
	struct binder_session *session = parcel->session;
	struct parcel_ref ref = {.pos = parcel->pos, .binder = binder};
	struct parcel_ref *old = ref_at(parcel, parcel->pos);
	binder_status_t rc;

	if (old)
		remove_ref(parcel, old);
	if (session) {
		rc = session->ops->leave(session, binder, &ref.address);
		if (rc != STATUS_OK)
			return rc;
		ref.counted = true;
	}
	rc = add_ref(parcel, &ref);
	if (rc != STATUS_OK) {
		if (ref.counted)
			session->ops->undo_leave(session, ref.address);
		return rc;
	}
	AIBinder_incStrong(binder);
	*ret_address = ref.address;
	return STATUS_OK;
}

binder_status_t AParcel_writeStrongBinder(AParcel *parcel, AIBinder *binder)
{
	static const int32_t null[2] = {PARCEL_TYPE_NULL, STABILITY_UNDECLARED};
	struct flat_binder flat;
	uint64_t address;
	void *room;
	binder_status_t rc;

	if (!binder)
		return parcel_write_bytes(parcel, null, sizeof(null));
	if (parcel->read_only)
		return STATUS_INVALID_OPERATION;
	rc = list_object(parcel, binder, &address);
	if (rc != STATUS_OK)
		return rc;
	flat.type = le32_make(PARCEL_TYPE_BINDER);
	flat.address = le64_make(address);
	flat.stability = le32_make((uint32_t)stability_of(binder));
	rc = parcel_reserve(parcel, sizeof(flat), &room);
	if (rc == STATUS_OK)
		memcpy(room, &flat, sizeof(flat));
	return rc;
}

static bool is_stability(int32_t stability)
{
	return stability == STABILITY_VENDOR || stability == STABILITY_SYSTEM ||
	       stability == STABILITY_VINTF;
}

/* Have the session find the object at @pos. The caller owns a reference. */
static binder_status_t enter_at(const AParcel *parcel, size_t pos,
				AIBinder **ret_binder)
{
	struct binder_session *session = parcel->session;
	struct flat_binder flat;
	int32_t stability;

	if (parcel->size < sizeof(flat) || pos > parcel->size - sizeof(flat))
		return STATUS_NOT_ENOUGH_DATA;
	memcpy(&flat, parcel->data + pos, sizeof(flat));
	stability = (int32_t)le32_get(flat.stability);
	if (!is_stability(stability))
		return STATUS_BAD_TYPE;
	return session->ops->enter(session, le64_get(flat.address), stability,
				   ret_binder);
}

/* Have the session find the object at @pos, and keep it: the peer has counted
 * it once, however often it is read. */
static binder_status_t enter_object(AParcel *parcel, size_t pos,
				    AIBinder **ret_binder)
{
	struct parcel_ref ref = {.pos = pos};
	binder_status_t rc;

	rc = enter_at(parcel, pos, &ref.binder);
	if (rc != STATUS_OK)
		return rc;
	rc = add_ref(parcel, &ref);
	if (rc != STATUS_OK) {
		AIBinder_decStrong(ref.binder);
		return rc;
	}
	*ret_binder = ref.binder;
	return STATUS_OK;
}

/* The object at @pos, whose reference stays the parcel's. */
static binder_status_t object_at(AParcel *parcel, size_t pos,
				 AIBinder **ret_binder)
{
	const struct parcel_ref *ref = ref_at(parcel, pos);

	if (ref) {
		*ret_binder = ref->binder;
		return STATUS_OK;
	}
	if (!parcel->foreign || !parcel->session)
		return STATUS_BAD_TYPE;
	if (parcel->lists_objects && !parcel_lists(parcel, pos))
		return STATUS_BAD_VALUE;
	return enter_object(parcel, pos, ret_binder);
}

binder_status_t parcel_keep_object(AParcel *parcel, size_t pos)
{
	AIBinder *binder;

	return object_at(parcel, pos, &binder);
}

/* The peer has counted objects that nobody has read, and says where they are:
 * give their references back, as if they had been read. */
static void release_unread(AParcel *parcel)
{
	const struct parcel_ref *ref;
	AIBinder *binder;
	size_t pos;

	for (size_t i = 0; i < parcel->n_positions; i++) {
		pos = parcel->positions[i];
		ref = ref_at(parcel, pos);
		if (!ref && parcel_is_object(parcel, pos) &&
		    enter_at(parcel, pos, &binder) == STATUS_OK)
			AIBinder_decStrong(binder);
	}
}

void parcel_drop_objects(AParcel *parcel)
{
	struct binder_session *session = parcel->session;
	struct parcel_ref *ref;

	if (parcel->lists_objects && session)
		release_unread(parcel);
	for (size_t i = 0; i < parcel->n_refs; i++) {
		ref = &parcel->refs[i];
		if (session && ref->counted && !parcel->sent)
			session->ops->undo_leave(session, ref->address);
		AIBinder_decStrong(ref->binder);
	}
	for (size_t i = 0; i < parcel->n_fds; i++)
		fd_close(parcel->fds[i]);
	free(parcel->refs);
	free(parcel->fds);
	free(parcel->positions);
	free(parcel->table);
	parcel->table = NULL;
	parcel->refs = NULL;
	parcel->fds = NULL;
	parcel->positions = NULL;
	parcel->n_refs = 0;
	parcel->n_fds = 0;
	parcel->n_positions = 0;
}

binder_status_t AParcel_readStrongBinder(const AParcel *parcel,
					 AIBinder **ret_binder)
{
	AParcel *p = parcel_cursor(parcel);
	size_t pos = p->pos;
	AIBinder *binder;
	int32_t type, stability;
	binder_status_t rc;

	rc = AParcel_readInt32(parcel, &type);
	if (rc != STATUS_OK)
		return rc;
	if (type == PARCEL_TYPE_NULL) {
		rc = AParcel_readInt32(parcel, &stability);
		if (rc == STATUS_OK && stability != STABILITY_UNDECLARED)
			rc = STATUS_BAD_TYPE;
		if (rc == STATUS_OK)
			*ret_binder = NULL;
		return rc;
	}
	if (type != PARCEL_TYPE_BINDER)
		return STATUS_BAD_TYPE;
	p->pos = pos;
	if (!parcel_read_bytes(p, sizeof(struct flat_binder)))
		return STATUS_NOT_ENOUGH_DATA;
	rc = object_at(p, pos, &binder);
	if (rc != STATUS_OK)
		return rc;
	AIBinder_incStrong(binder);
	*ret_binder = binder;
	return STATUS_OK;
}
