/*
 * What objects and parcels ask of the session that they belong to. A session
 * embeds struct binder_session as its first member. Any thread may call any
 * of these, with no lock held; they take their own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <android/binder_ibinder.h>

struct binder_session;

struct binder_session_ops {
	void (*ref)(struct binder_session *session);
	void (*unref)(struct binder_session *session);

	/**
	 * Make a call on @target, an object of the peer. Borrows @in. *@ret_out
	 * is the result, which the caller frees, or NULL for a oneway call.
	 */
	binder_status_t (*transact)(struct binder_session *session,
				    AIBinder *target, uint32_t code,
				    AParcel *in, uint32_t flags,
				    AParcel **ret_out);

	/**
	 * @binder is about to be sent: count it, and say under which address.
	 * Errors: STATUS_INVALID_OPERATION (an object of another session),
	 * STATUS_NO_MEMORY.
	 */
	binder_status_t (*leave)(struct binder_session *session,
				 AIBinder *binder, uint64_t *ret_address);
	/** It was not sent after all. */
	void (*undo_leave)(struct binder_session *session, uint64_t address);

	/**
	 * The peer has sent an address: the object behind it, with a reference
	 * for the caller. Errors: STATUS_BAD_VALUE, STATUS_BAD_TYPE (another
	 * stability than before), STATUS_NO_MEMORY, STATUS_DEAD_OBJECT.
	 */
	binder_status_t (*enter)(struct binder_session *session,
				 uint64_t address, int32_t stability,
				 AIBinder **ret_binder);
	/** The last strong reference to @proxy is gone. The proxy's memory is
	 * there until this returns. */
	void (*release)(struct binder_session *session, AIBinder *proxy);

	bool (*is_alive)(struct binder_session *session);
};

/* Immutable once the session is connected. */
struct binder_session {
	const struct binder_session_ops *ops;
	bool allow_fds;     /* descriptors travel */
	bool lists_objects; /* parcels say where their objects are */
	bool notices_death; /* a thread reads while nobody calls */
};
