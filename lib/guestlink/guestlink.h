/*
 * The link between the guest's manager (PID 1) and the VMM.
 *
 * The manager connects over vsock to port GUESTLINK_PORT of the host and
 * says HELLO. The host answers START; what happens to the payload follows as
 * PAYLOAD_STARTED, _READY and _FINISHED, or ERROR. The host may say SHUTDOWN
 * at any time. After FINISHED or ERROR the guest ends its half of the link,
 * waits a moment for the host to close the other, and powers off. A payload
 * that cannot be loaded gives an ERROR with AVF_STOP_REASON_SHUTDOWN and then
 * FINISHED with exit code 1, which is all that AVF says.
 *
 * A frame is {le32 size of the body, le16 type, le16 zero} and the body.
 * Integers are little-endian; a text is the rest of its body, no NUL:
 *
 *	HELLO			le32 magic, le32 version, le32 arch, text
 *	PAYLOAD_STARTED		-
 *	PAYLOAD_READY		-
 *	PAYLOAD_FINISHED	le32 exit code
 *	ERROR			le32 error code, le32 stop reason, text
 *	START			le32 flags, text: name of the library
 *	SHUTDOWN		-
 *	NAME			text: the VM's name, before START; the guest's
 *				host name. Only of a VM that has one
 *
 * Each side takes the other for hostile: a reader is strict, of fixed size,
 * and stays broken after the first violation. Nothing here allocates.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** Where the host listens: CID 2 (VMADDR_CID_HOST), this port. The guest
 * connects from CID 3. */
#define GUESTLINK_PORT      3U
#define GUESTLINK_GUEST_CID 3U
#define GUESTLINK_VERSION   2U
#define GUESTLINK_MAGIC     0x4c475641U /* "AVGL" */

#define GUESTLINK_HEADER_SIZE 8U
#define GUESTLINK_MAX_BODY    4096U
#define GUESTLINK_MAX_FRAME   (GUESTLINK_HEADER_SIZE + GUESTLINK_MAX_BODY)
/** Room for the text of a message, NUL included. */
#define GUESTLINK_TEXT_SIZE 256U
/** Longest NAME, in bytes: what Linux takes as a host name. */
#define GUESTLINK_MAX_NAME 64U

/** START's flags. Unknown ones are a violation. */
#define GUESTLINK_START_DEBUG 1U
#define GUESTLINK_START_FLAGS GUESTLINK_START_DEBUG

enum guestlink_type {
	GUESTLINK_HELLO = 1,
	GUESTLINK_PAYLOAD_STARTED = 2,
	GUESTLINK_PAYLOAD_READY = 3,
	GUESTLINK_PAYLOAD_FINISHED = 4,
	GUESTLINK_ERROR = 5,
	GUESTLINK_START = 16,
	GUESTLINK_SHUTDOWN = 17,
	GUESTLINK_NAME = 18,
};

/** Who sends. */
enum guestlink_side {
	GUESTLINK_GUEST = 0,
	GUESTLINK_HOST = 1,
};

/* One message. Fields that its type does not have are zero. */
struct guestlink_msg {
	enum guestlink_type type;
	uint32_t version;    /* HELLO: GUESTLINK_VERSION */
	uint32_t arch;       /* HELLO: ELF e_machine (62, 183) */
	uint32_t flags;      /* START: GUESTLINK_START_* */
	int32_t exit_code;   /* PAYLOAD_FINISHED */
	int32_t error_code;  /* ERROR: enum avf_error_code */
	int32_t stop_reason; /* ERROR: enum avf_stop_reason */
	/* HELLO: the guest's description of itself; ERROR: what went wrong;
	 * both escaped by the reader (text_sanitise()), cut to fit.
	 * START: the payload's library, a plain file name; NAME: text without
	 * control characters; both never escaped. */
	char text[GUESTLINK_TEXT_SIZE];
};

/**
 * Write @msg as one frame to @buf. The type says who sends it; the text is
 * sent as it is.
 * Errors: AVF_ERR_INVALID (no such type, not a file name in START, not a
 * host name in NAME),
 * AVF_ERR_LIMIT (@capacity is too small; GUESTLINK_MAX_FRAME always does).
 */
int guestlink_encode(const struct guestlink_msg *msg, void *buf,
		     size_t capacity, size_t *ret_size) MUST_CHECK;

/* Puts frames together from whatever pieces the socket gives. One thread. */
struct guestlink_reader {
	enum guestlink_side from; /* who sends what is read here */
	bool greeted;             /* HELLO was seen */
	bool broken;              /* a violation was seen */
	size_t used;              /* bytes in @buf */
	unsigned char buf[GUESTLINK_MAX_FRAME];
};

/** An empty reader of what @from sends. */
void guestlink_reader_init(struct guestlink_reader *reader,
			   enum guestlink_side from);

/**
 * Give @size bytes to the reader. Returns how many it took: less than @size
 * when it is full, then call guestlink_reader_next() until it returns 0 and
 * give the rest. Takes everything once it is broken.
 */
size_t guestlink_reader_feed(struct guestlink_reader *reader, const void *data,
			     size_t size) MUST_CHECK;

/**
 * Take the next whole message. Returns 1 with *@ret_msg filled, 0 when more
 * bytes are needed. A guest's first message, and no other, must be HELLO.
 * Errors: AVF_ERR_PROTOCOL, now and at each later call.
 */
int guestlink_reader_next(struct guestlink_reader *reader,
			  struct guestlink_msg *ret_msg) MUST_CHECK;

/** The name of a message type, "?" for a number that is none. */
const char *guestlink_type_name(int type);
