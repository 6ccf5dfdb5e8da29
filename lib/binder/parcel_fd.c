/* File descriptors in a parcel: {type, number among those of the parcel}, and
 * an entry of the table of positions. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/cleanup.h"
#include "binder/parcel.h"

struct flat_fd {
	le32 type;
	le32 index;
};
_Static_assert(sizeof(struct flat_fd) == PARCEL_FD_SIZE, "no padding");

/* Add a descriptor and its position. Takes @fd on success. */
static binder_status_t list_fd(AParcel *parcel, int fd)
{
	void *fds = parcel->fds;
	void *positions = parcel->positions;

	if (parcel->n_positions > 0 &&
	    parcel->positions[parcel->n_positions - 1] >= parcel->pos)
		return STATUS_INVALID_OPERATION; /* written over another */
	if (!parcel_grow_array(&fds, parcel->n_fds, sizeof(int)))
		return STATUS_NO_MEMORY;
	parcel->fds = fds;
	if (!parcel_grow_array(&positions, parcel->n_positions,
			       sizeof(uint32_t)))
		return STATUS_NO_MEMORY;
	parcel->positions = positions;
	parcel->fds[parcel->n_fds++] = fd;
	parcel->positions[parcel->n_positions++] = (uint32_t)parcel->pos;
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

binder_status_t parcel_read_fd(AParcel *parcel, int *ret_fd)
{
	size_t pos = parcel->pos;
	const struct flat_fd *flat;
	uint32_t index;
	int fd;

	flat = parcel_read_bytes(parcel, sizeof(*flat));
	if (!flat)
		return STATUS_NOT_ENOUGH_DATA;
	if (!parcel_lists(parcel, pos))
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
