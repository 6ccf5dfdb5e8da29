/*
 * The ends of AIDL interfaces, written by hand for programs without C++: what
 * aidl would generate of guest/aidl. A client's function makes one call; a
 * server's object calls a table of functions. tests/aidl compares both with
 * aidl's own output.
 */
#pragma once

#include <stddef.h>

#include <android/binder_ibinder.h>

#include "base/error.h"
#include "binder/object.h"
#include "binder/parcel.h"

/* A client's call. */
struct aidl_call {
	AIBinder *target;       /* borrowed */
	const char *descriptor; /* of the interface */
	const char *name;       /* of the method, for errors */
	transaction_code_t code;
	binder_flags_t flags;
};

/** Begin a call: its arguments are written to *@ret_in.
 * Errors: AVF_ERR_NO_MEMORY. */
int aidl_begin(const struct aidl_call *call, AParcel **ret_in) MUST_CHECK;

/**
 * Make the call. Takes @in; @rc is how writing the arguments ended. *@ret_out,
 * which the caller deletes, has the results; NULL: there are none.
 * Errors: AVF_ERR_STATE, AVF_ERR_UNSUPPORTED (exceptions), AVF_ERR_CLOSED,
 * AVF_ERR_TIMEOUT, AVF_ERR_NO_MEMORY, AVF_ERR_PROTOCOL.
 */
int aidl_finish(const struct aidl_call *call, AParcel *in, binder_status_t rc,
		AParcel **ret_out) MUST_CHECK;

/** A call without arguments and results. */
int aidl_simple(const struct aidl_call *call) MUST_CHECK;

/** Read a string into @buf, which has room for @size bytes, NUL included.
 * Errors: STATUS_BAD_VALUE (it has a NUL, or does not fit), those of reading.
 * A null is "", where @nullable. */
binder_status_t aidl_read_text(const AParcel *parcel, bool nullable, char *buf,
			       size_t size);

/** Write the header of a server's reply: the exception, EX_NONE in most
 * cases. The method's results follow. */
binder_status_t aidl_reply(AParcel *out, binder_exception_t exception);

/* Methods of a number and a text are several: one for a server, which calls
 * @method with the text and its size without the NUL, */
typedef binder_exception_t aidl_number_text_fn(void *userdata, int32_t number,
					       const char *text, size_t size);
binder_status_t aidl_serve_number_text(const AParcel *in, AParcel *out,
				       aidl_number_text_fn *method,
				       void *userdata);
/* and one for a client, whose text is UTF-8. */
int aidl_call_number_text(const struct aidl_call *call, int32_t number,
			  const char *text) MUST_CHECK;

/* The class of a server's objects, for a static const AIBinder_Class. */
#define AIDL_CLASS(name, transact)                                    \
	{                                                             \
		.descriptor = (name), .on_create = aidl_keep,         \
		.on_destroy = aidl_forget, .on_transact = (transact), \
	}

/** A server's object, whose user data somebody else owns. NULL: no memory. */
AIBinder *aidl_new(const AIBinder_Class *clazz, const void *user_data);
/* For its class. */
void *aidl_keep(void *args);
void aidl_forget(void *user_data);

/** delete for CLEANUP. */
void aidl_delete_parcel(AParcel **parcel);
