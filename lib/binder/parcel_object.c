/*
 * What is in a parcel and is not bytes: objects and file descriptors. In the
 * bytes an object is {type, address, stability}; of a parcel without a session
 * the address is 0, and the list of references says which object it is.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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

struct flat_fd {
	le32 type;
	le32 index;
};
_Static_assert(sizeof(struct flat_fd) == PARCEL_FD_SIZE, "no padding");

void parcel_drop_objects(AParcel *parcel)
{
	struct binder_session *session = parcel->session;
	struct parcel_ref *ref;

	for (size_t i = 0; i < parcel->n_refs; i++) {
		ref = &parcel->refs[i];
		if (ref->counted && !parcel->sent)
			session->ops->undo_leave(session, ref->address);
		AIBinder_decStrong(ref->binder);
	}
	for (size_t i = 0; i < parcel->n_fds; i++)
		fd_close(parcel->fds[i]);
	free(parcel->refs);
	free(parcel->fds);
	free(parcel->fd_positions);
	parcel->refs = NULL;
	parcel->fds = NULL;
	parcel->fd_positions = NULL;
	parcel->n_refs = 0;
	parcel->n_fds = 0;
	parcel->n_fd_positions = 0;
}

/* Have room for one element more in an array that grows by doubling. */
static bool grow_array(void **array, size_t count, size_t element_size)
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

/* ---- objects ----------------------------------------------------------------
 */

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

	if (!grow_array(&refs, parcel->n_refs, sizeof(*ref)))
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

/* Have the session find the object at @pos, and keep it: the peer has counted
 * it once, however often it is read. */
static binder_status_t enter_object(AParcel *parcel, size_t pos,
				    const struct flat_binder *flat,
				    AIBinder **ret_binder)
{
	struct binder_session *session = parcel->session;
	struct parcel_ref ref = {.pos = pos};
	int32_t stability = (int32_t)le32_get(flat->stability);
	binder_status_t rc;

	if (!is_stability(stability))
		return STATUS_BAD_TYPE;
	rc = session->ops->enter(session, le64_get(flat->address), stability,
				 &ref.binder);
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
				 const struct flat_binder *flat,
				 AIBinder **ret_binder)
{
	const struct parcel_ref *ref = ref_at(parcel, pos);

	if (ref) {
		*ret_binder = ref->binder;
		return STATUS_OK;
	}
	if (!parcel->foreign || !parcel->session)
		return STATUS_BAD_TYPE;
	return enter_object(parcel, pos, flat, ret_binder);
}

binder_status_t AParcel_readStrongBinder(const AParcel *parcel,
					 AIBinder **ret_binder)
{
	AParcel *p = parcel_cursor(parcel);
	const struct flat_binder *flat;
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
	flat = parcel_read_bytes(p, sizeof(*flat));
	if (!flat)
		return STATUS_NOT_ENOUGH_DATA;
	rc = object_at(p, pos, flat, &binder);
	if (rc != STATUS_OK)
		return rc;
	AIBinder_incStrong(binder);
	*ret_binder = binder;
	return STATUS_OK;
}

/* ---- file descriptors -------------------------------------------------------
 */

/* Add a descriptor and its position. Takes @fd on success. */
static binder_status_t list_fd(AParcel *parcel, int fd)
{
	void *fds = parcel->fds;
	void *positions = parcel->fd_positions;

	if (parcel->n_fd_positions > 0 &&
	    parcel->fd_positions[parcel->n_fd_positions - 1] >= parcel->pos)
		return STATUS_INVALID_OPERATION; /* written over another */
	if (!grow_array(&fds, parcel->n_fds, sizeof(int)))
		return STATUS_NO_MEMORY;
	parcel->fds = fds;
	if (!grow_array(&positions, parcel->n_fd_positions, sizeof(uint32_t)))
		return STATUS_NO_MEMORY;
	parcel->fd_positions = positions;
	parcel->fds[parcel->n_fds++] = fd;
	parcel->fd_positions[parcel->n_fd_positions++] = (uint32_t)parcel->pos;
	return STATUS_OK;
}

binder_status_t parcel_write_fd(AParcel *parcel, int fd)
{
	struct flat_fd flat = {
		.type = le32_make(PARCEL_TYPE_FD),
		.index = le32_make((uint32_t)parcel->n_fds),
	};
	int copy;
	binder_status_t rc;

	if (parcel->read_only)
		return STATUS_INVALID_OPERATION;
	if (!AParcel_getAllowFds(parcel))
		return STATUS_FDS_NOT_ALLOWED;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return errno == EBADF ? STATUS_BAD_VALUE : STATUS_NO_MEMORY;
	rc = list_fd(parcel, copy);
	if (rc != STATUS_OK) {
		fd_close(copy);
		return rc;
	}
	return parcel_write_bytes(parcel, &flat, sizeof(flat));
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

binder_status_t parcel_read_fd(AParcel *parcel, int *ret_fd)
{
	uint32_t pos = (uint32_t)parcel->pos;
	const struct flat_fd *flat;
	uint32_t index;
	int fd;

	flat = parcel_read_bytes(parcel, sizeof(*flat));
	if (!flat)
		return STATUS_NOT_ENOUGH_DATA;
	if (parcel->n_fd_positions == 0 ||
	    !bsearch(&pos, parcel->fd_positions, parcel->n_fd_positions,
		     sizeof(pos), compare_u32))
		return STATUS_BAD_TYPE;
	if (le32_get(flat->type) != PARCEL_TYPE_FD)
		return STATUS_BAD_TYPE;
	index = le32_get(flat->index);
	if (index >= parcel->n_fds)
		return STATUS_BAD_VALUE;
	fd = fcntl(parcel->fds[index], F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return STATUS_NO_MEMORY;
	*ret_fd = fd;
	return STATUS_OK;
}

binder_status_t parcel_check_positions(struct parcel_frame *frame)
{
	const uint8_t *data = frame->block + frame->offset;
	struct flat_fd flat;
	size_t pos;

	/* in version 1 the table has descriptors and nothing else */
	if (frame->n_fd_positions != frame->n_fds)
		return STATUS_BAD_VALUE;
	for (size_t i = 0; i < frame->n_fd_positions; i++) {
		pos = frame->fd_positions[i];
		if (frame->size < sizeof(flat) ||
		    pos > frame->size - sizeof(flat))
			return STATUS_BAD_VALUE;
		memcpy(&flat, data + pos, sizeof(flat));
		if (le32_get(flat.type) != PARCEL_TYPE_FD)
			return STATUS_BAD_TYPE;
		if (le32_get(flat.index) >= frame->n_fds)
			return STATUS_BAD_VALUE;
	}
	if (frame->n_fd_positions > 0)
		qsort(frame->fd_positions, frame->n_fd_positions,
		      sizeof(uint32_t), compare_u32);
	return STATUS_OK;
}

binder_status_t AvfParcel_writeFileDescriptor(AParcel *parcel, int fd)
{
	return parcel_write_fd(parcel, fd);
}

binder_status_t AvfParcel_readFileDescriptor(const AParcel *parcel, int *ret_fd)
{
	return parcel_read_fd(parcel_cursor(parcel), ret_fd);
}

/* A ParcelFileDescriptor is {not null, has a second descriptor, the first}. */
binder_status_t AParcel_writeParcelFileDescriptor(AParcel *parcel, int fd)
{
	binder_status_t rc;

	if (fd < -1)
		return STATUS_UNKNOWN_ERROR;
	if (fd == -1)
		return AParcel_writeInt32(parcel, 0);
	if (!AParcel_getAllowFds(parcel))
		return STATUS_FDS_NOT_ALLOWED;
	rc = AParcel_writeInt32(parcel, 1);
	if (rc == STATUS_OK)
		rc = AParcel_writeInt32(parcel, 0);
	if (rc == STATUS_OK)
		rc = parcel_write_fd(parcel, fd);
	return rc;
}

/* The second descriptor of Java's is a socket whose other end wants to hear
 * that the descriptor was handed on. */
static binder_status_t tell_detached(AParcel *parcel)
{
	const be32 detached = be32_make(2);
	int fd;
	binder_status_t rc;

	rc = parcel_read_fd(parcel, &fd);
	if (rc != STATUS_OK)
		return rc;
	(void)!write(fd, &detached, sizeof(detached)); /* its own business */
	fd_close(fd);
	return STATUS_OK;
}

binder_status_t AParcel_readParcelFileDescriptor(const AParcel *parcel,
						 int *ret_fd)
{
	CLEANUP(close_p) int fd = -1;
	AParcel *p = parcel_cursor(parcel);
	int32_t present, second;
	binder_status_t rc;

	rc = AParcel_readInt32(parcel, &present);
	if (rc != STATUS_OK)
		return rc;
	if (present == 0) {
		*ret_fd = -1;
		return STATUS_OK;
	}
	rc = AParcel_readInt32(parcel, &second);
	if (rc == STATUS_OK)
		rc = parcel_read_fd(p, &fd);
	if (rc == STATUS_OK && second != 0)
		rc = tell_detached(p);
	if (rc == STATUS_OK)
		*ret_fd = take_fd(&fd);
	return rc;
}
