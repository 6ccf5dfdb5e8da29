/*
 * The control protocol between the library and its avf-vmm process.
 *
 * One AF_UNIX SOCK_SEQPACKET socket per VM: a message is one packet, a
 * header and a body, with file descriptors beside it. Both ends come from
 * one build, but neither trusts the other's lengths.
 *
 *   library -> VMM   RUN {configuration}     fds as the configuration says
 *                    OWNER {}                fds: readable when the
 *                                            application has ended
 *                    STOP {}
 *                    CONNECT {port}          fds: channel end, reply socket
 *                    LISTEN {port}           fds: listener socket
 *   VMM -> library   EVENT {type, code, time, text}
 *
 * CONNECT is answered on its own reply socket, LISTEN on the listener
 * socket, so that any thread can do either without a demultiplexer: a REPLY
 * first, and on a listener then one ACCEPTED {port} with an fd per
 * connection. The end of the control socket ends the VM; so does the
 * application's, which a child of it may keep the socket open beyond.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/byteorder.h"
#include "base/error.h"

#define WIRE_MAX_BODY 16384 /* bytes */
#define WIRE_MAX_FDS  32
#define WIRE_TEXT     256 /* bytes of a text, NUL included */

enum wire_type {
	WIRE_RUN = 1,
	WIRE_STOP = 2,
	WIRE_CONNECT = 3,
	WIRE_LISTEN = 4,
	WIRE_EVENT = 5,
	WIRE_REPLY = 6,
	WIRE_ACCEPTED = 7,
	WIRE_OWNER = 8,
};

struct wire_header {
	le32 magic;
	le32 type;
	le32 size; /* bytes of the body */
};

struct wire_port { /* CONNECT, LISTEN, ACCEPTED */
	le32 port;
};

struct wire_event {
	le32 type; /* enum avf_event_type */
	le32 code; /* signed */
	le64 time_ns;
	char text[WIRE_TEXT];
};

struct wire_reply {
	le32 code; /* signed: 0 or enum avf_err */
	char text[WIRE_TEXT];
};

/* One message received; its fds belong to the holder: wire_message_fini(). */
struct wire_message {
	enum wire_type type;
	size_t size;
	unsigned int n_fds;
	int fds[WIRE_MAX_FDS];
	unsigned char body[WIRE_MAX_BODY];
};

/** A connected pair of control sockets, close-on-exec. */
int wire_socketpair(int ret_fds[2]) MUST_CHECK;

/**
 * Send one message; @fds are borrowed. Whole or not at all. Does not block.
 * Errors: AVF_ERR_BUSY (the peer's buffer is full), AVF_ERR_CLOSED,
 * AVF_ERR_LIMIT, AVF_ERR_IO.
 */
int wire_send(int sock, enum wire_type type, const void *body, size_t size,
	      const int *fds, unsigned int n_fds) MUST_CHECK;

/**
 * Receive one message without blocking.
 * Returns 1 with *@ret_message filled, 0 when there is none.
 * Errors: AVF_ERR_CLOSED (the peer is gone), AVF_ERR_PROTOCOL (malformed;
 * fds that came with it are closed), AVF_ERR_IO.
 */
int wire_receive(int sock, struct wire_message *ret_message) MUST_CHECK;

/** Close the fds that nobody took. */
void wire_message_fini(struct wire_message *message);

/** Take fd @index out of the message; -1 when it has none there. */
int wire_take_fd(struct wire_message *message, unsigned int index);

/**
 * Copy the body into @ret_body when it is exactly @size bytes.
 * Errors: AVF_ERR_PROTOCOL.
 */
int wire_body(const struct wire_message *message, void *ret_body,
	      size_t size) MUST_CHECK;

/** Copy @text into a wire text, cut where it is too long. */
void wire_text_set(char dest[WIRE_TEXT], const char *text);

/** Make a received wire text a string: NUL-terminated at the latest at the
 * end, bytes outside of printable ASCII and UTF-8 replaced by '?'. */
void wire_text_clean(char text[WIRE_TEXT]);

/** Answer with @code and, when it is an error, the thread's error text. */
int wire_send_reply(int sock, int code) MUST_CHECK;

/** Wait for a REPLY for @timeout_ms at most (-1: for ever). Returns 0 or the
 * error that it carries. Errors: also AVF_ERR_TIMEOUT, AVF_ERR_CLOSED. */
int wire_wait_reply(int sock, int timeout_ms) MUST_CHECK;
