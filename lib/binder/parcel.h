/*
 * How a parcel is made. Bytes are written and read at one position; what is
 * not bytes is listed beside them: references to objects, and descriptors.
 *
 * Three kinds: of no session (calls within the process: an object is an entry
 * of @refs), of a session and written by us, of a session and received.
 * One thread owns a parcel.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <android/binder_parcel.h>

#include "base/error.h"
#include "binder/session.h"

#define PARCEL_TYPE_NULL   0 /* no object */
#define PARCEL_TYPE_BINDER 1
#define PARCEL_TYPE_FD     2

#define PARCEL_BINDER_SIZE 16U /* type, address, stability */
#define PARCEL_FD_SIZE     8U  /* type, index */

/* An object that the parcel keeps alive. */
struct parcel_ref {
	size_t pos;       /* of its type word */
	AIBinder *binder; /* owned */
	uint64_t address; /* where @counted */
	bool counted;     /* leave() was called for it */
};

struct AParcel {
	struct binder_session *session; /* owned; NULL: none */
	AIBinder *target;               /* owned; of a call being prepared */
	uint8_t *block;                 /* owned; @data is within it */
	uint8_t *data;
	size_t size;             /* bytes of @data in use, at most INT32_MAX */
	size_t capacity;         /* bytes at @data */
	size_t pos;              /* may be behind @size */
	size_t again;            /* bytes that @pos went back over, in all */
	struct parcel_ref *refs; /* owned; ascending positions */
	size_t n_refs;
	/* Ascending positions of type words: of descriptors; where the peer
	 * @lists_objects, of what it has sent. */
	uint32_t *positions; /* owned */
	size_t n_positions;
	uint32_t *table; /* owned: @positions and those of @refs, to be sent */
	int *fds;        /* owned; an fd's index word counts here */
	size_t n_fds;
	bool lists_objects; /* received in wire version 2 */
	bool foreign;       /* a peer wrote the bytes */
	bool read_only;     /* it lies in a received frame */
	bool sent;          /* the peer has got the references */
	bool sensitive;     /* clear before free */
};

/** An empty parcel of @session, which may be NULL. NULL: no memory. */
AParcel *parcel_new(struct binder_session *session);

/** What came in a frame. */
struct parcel_frame {
	uint8_t *block;      /* taken */
	size_t offset;       /* of the parcel's bytes in it */
	size_t size;         /* of the parcel's bytes */
	uint32_t *positions; /* taken: the table, parcel_table.c */
	size_t n_positions;
	bool lists_objects; /* the table has objects, too */
	int *fds;           /* taken, with the descriptors in it */
	size_t n_fds;
};

/** A received parcel. Takes what is in @frame, also on failure (NULL). The
 * positions must have been checked with parcel_check_positions(). */
AParcel *parcel_new_received(struct binder_session *session,
			     struct parcel_frame *frame);

/** Free what parcel_new_received() has not taken. */
void parcel_frame_fini(struct parcel_frame *frame);

/**
 * Check the table behind a received parcel and sort it: one entry for each
 * descriptor, each one pointing at a descriptor with an index that exists, or
 * at an object where these are listed.
 * Errors: STATUS_BAD_VALUE, STATUS_BAD_TYPE.
 */
binder_status_t parcel_check_positions(struct parcel_frame *frame);

/** The NDK's readers have a const parcel and move its position. */
AParcel *parcel_cursor(const AParcel *parcel);

/** Room for @size bytes and the zeros behind them at the position, which
 * moves behind. */
binder_status_t parcel_reserve(AParcel *parcel, size_t size, void **ret_room);
binder_status_t parcel_write_bytes(AParcel *parcel, const void *bytes,
				   size_t size);

/** @size bytes at the position, which moves behind them and their padding.
 * NULL: they are not there. */
const void *parcel_read_bytes(AParcel *parcel, size_t size);

/** Bytes from the position to the end. */
size_t parcel_available(const AParcel *parcel);

/** Write the length of an array. @null: it has none. */
binder_status_t parcel_write_length(AParcel *parcel, bool null, int32_t length);

/** Read the length of an array whose elements take @element_size bytes at
 * least. -1: it is null. Errors: STATUS_NO_MEMORY (cannot be so many). */
binder_status_t parcel_read_length(AParcel *parcel, size_t element_size,
				   int32_t *ret_length);

/** Write String16, the interface's name among them, from UTF-8. */
binder_status_t parcel_write_utf8(AParcel *parcel, const char *string,
				  size_t size);

/** Read String16 as UTF-8, which the caller frees. *@ret_string is NULL for
 * null. @ret_size may be NULL. */
binder_status_t parcel_read_utf8(AParcel *parcel, char **ret_string,
				 size_t *ret_size);

/** Whether a String16 of the ASCII characters of @text comes next, which is
 * then skipped. Takes no memory. */
bool parcel_skip_ascii(AParcel *parcel, const char *text);

/** A bare descriptor, as in the arguments of dump. @fd is duplicated. */
binder_status_t parcel_write_fd(AParcel *parcel, int fd);
/** The caller owns *@ret_fd. */
binder_status_t parcel_read_fd(AParcel *parcel, int *ret_fd);

/** Whether the table has @pos. */
bool parcel_lists(const AParcel *parcel, size_t pos);
/** Whether an object's type word is at @pos. */
bool parcel_is_object(const AParcel *parcel, size_t pos);

/** The entries of the table that is sent with @parcel. */
size_t parcel_table_length(const AParcel *parcel);
/** Make that table of what is in @parcel now. Errors: STATUS_NO_MEMORY. */
binder_status_t parcel_make_table(AParcel *parcel);
/** What parcel_make_table() has made; the parcel's. */
const uint32_t *parcel_table(const AParcel *parcel);

/** Have the object at @pos among those that the parcel keeps, as if it had
 * been read. Errors: those of reading. */
binder_status_t parcel_keep_object(AParcel *parcel, size_t pos);

/** Have room for one element more in an array that grows by doubling. */
bool parcel_grow_array(void **array, size_t count, size_t element_size);

/** Give up all that is not bytes: descriptors, references. */
void parcel_drop_objects(AParcel *parcel);
