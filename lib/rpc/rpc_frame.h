/*
 * Messages: read with all that can be checked about them by themselves, and
 * written. Any error but STATUS_OK means that the session has to end, unless
 * said otherwise.
 */
#pragma once

#include "rpc/rpc_session.h"

struct rpc_frame {
	enum rpc_command command;
	uint8_t *body; /* owned; NULL of RPC_DEC_STRONG */
	size_t size;
	/* instead of it: there is one with each call, which needs no memory */
	struct rpc_wire_dec_strong payment;
	struct rpc_fds fds; /* owned */
};

void rpc_frame_fini(struct rpc_frame *frame);

/**
 * Read one message. *@ret_eof: the peer has closed the connection between two.
 * Errors: STATUS_BAD_TYPE, STATUS_BAD_VALUE (the peer breaks the protocol),
 * STATUS_NO_MEMORY (a body beyond the limit), those of rpc_conn_read().
 */
binder_status_t rpc_frame_read(const struct rpc_session *session,
			       struct rpc_conn *conn,
			       struct rpc_frame *ret_frame, bool *ret_eof);

/**
 * Make a parcel's frame out of what is behind the first @offset bytes of a
 * body: @parcel_size bytes (version 0: all), and the table. Takes what is in
 * @frame. Errors: STATUS_BAD_VALUE.
 */
binder_status_t rpc_frame_split(const struct rpc_session *session,
				struct rpc_frame *frame, size_t offset,
				uint32_t parcel_size,
				struct parcel_frame *ret_parcel);

/** Free a parcel that nobody will read. Where its table lists its objects,
 * their references are given back. */
void rpc_frame_discard(struct rpc_session *session,
		       struct parcel_frame *parcel);

/**
 * Whether @parcel can be sent in this session, as a call or a reply; makes its
 * table. Errors, which end nothing: STATUS_BAD_VALUE (descriptors),
 * STATUS_FAILED_TRANSACTION (too large), STATUS_NO_MEMORY.
 */
binder_status_t rpc_frame_check(const struct rpc_session *session,
				AParcel *parcel);

binder_status_t rpc_frame_write_call(struct rpc_session *session,
				     struct rpc_conn *conn,
				     const struct rpc_wire_transaction *call,
				     AParcel *in);

/* References that are paid with a reply. */
struct rpc_payment {
	uint64_t address;
	uint32_t amount;
};

/** @out is NULL without a result. @payment (NULL: none) goes in front, in the
 * same write; not for an @out with descriptors, which belong to the first
 * byte. */
binder_status_t rpc_frame_write_reply(struct rpc_session *session,
				      struct rpc_conn *conn,
				      binder_status_t status, AParcel *out,
				      const struct rpc_payment *payment);

/** Also STATUS_WOULD_BLOCK, which ends nothing: the peer does not read now. */
binder_status_t rpc_frame_write_dec_strong(struct rpc_conn *conn,
					   uint64_t address, uint32_t amount);

/** Read messages while there are some, and time; only payments may come.
 * Errors: STATUS_BAD_TYPE (something else came), those of reading. */
binder_status_t rpc_frame_drain(struct rpc_session *session,
				struct rpc_conn *conn);

/** The peer pays: apply RPC_DEC_STRONG. */
void rpc_apply_dec_strong(struct rpc_session *session,
			  const struct rpc_frame *frame);
