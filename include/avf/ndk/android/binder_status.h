/**
 * @file binder_status.h
 * Results of binder calls: binder_status_t, the outcome of one function, and
 * AStatus, which an AIDL method returns and which may carry an exception.
 *
 * Source compatible with the NDK's header of this name. An AStatus is owned by
 * one thread at a time. Nothing here blocks.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/** Outcomes. The values are those of the wire; any other one is read as
 * STATUS_UNKNOWN_ERROR. */
enum {
	STATUS_OK = 0,
	STATUS_UNKNOWN_ERROR = (-2147483647 - 1),
	STATUS_NO_MEMORY = -ENOMEM,
	STATUS_INVALID_OPERATION = -ENOSYS,
	STATUS_BAD_VALUE = -EINVAL,
	STATUS_BAD_TYPE = STATUS_UNKNOWN_ERROR + 1,
	STATUS_NAME_NOT_FOUND = -ENOENT,
	STATUS_PERMISSION_DENIED = -EPERM,
	STATUS_NO_INIT = -ENODEV,
	STATUS_ALREADY_EXISTS = -EEXIST,
	/** The other side is gone; it never comes back. */
	STATUS_DEAD_OBJECT = -EPIPE,
	STATUS_FAILED_TRANSACTION = STATUS_UNKNOWN_ERROR + 2,
	STATUS_BAD_INDEX = -EOVERFLOW,
	STATUS_NOT_ENOUGH_DATA = -ENODATA,
	/** No connection on which the call could be made. */
	STATUS_WOULD_BLOCK = -EWOULDBLOCK,
	STATUS_TIMED_OUT = -ETIMEDOUT,
	STATUS_UNKNOWN_TRANSACTION = -EBADMSG,
	/** The session does not carry file descriptors. */
	STATUS_FDS_NOT_ALLOWED = STATUS_UNKNOWN_ERROR + 7,
	STATUS_UNEXPECTED_NULL = STATUS_UNKNOWN_ERROR + 8,
};

/** One of the values above. */
typedef int32_t binder_status_t;

/** Exceptions that a method can return to its caller. */
enum {
	EX_NONE = 0,
	EX_SECURITY = -1,
	EX_BAD_PARCELABLE = -2,
	EX_ILLEGAL_ARGUMENT = -3,
	EX_NULL_POINTER = -4,
	EX_ILLEGAL_STATE = -5,
	EX_NETWORK_MAIN_THREAD = -6,
	EX_UNSUPPORTED_OPERATION = -7,
	/** The service defines the meaning: AStatus_getServiceSpecificError().
	 */
	EX_SERVICE_SPECIFIC = -8,
	EX_PARCELABLE = -9,
	/** The call itself failed: AStatus_getStatus() says how. */
	EX_TRANSACTION_FAILED = -129,
};

/** One of the values above. */
typedef int32_t binder_exception_t;

/** The result of an AIDL method. */
typedef struct AStatus AStatus;

/** Success. One object that is shared and never freed; AStatus_delete() on it
 * is allowed and does nothing. Never NULL. */
AStatus *AStatus_newOk(void);

/*
 * The constructors below return an object that the caller frees with
 * AStatus_delete(). When there is no memory they return a shared object that
 * says EX_TRANSACTION_FAILED with STATUS_NO_MEMORY; they never return NULL.
 * @message is copied.
 */

/** An exception. EX_NONE gives success. EX_SERVICE_SPECIFIC has an error of
 * 0; EX_TRANSACTION_FAILED has STATUS_FAILED_TRANSACTION. Codes that are not
 * in the list become EX_TRANSACTION_FAILED. */
AStatus *AStatus_fromExceptionCode(binder_exception_t exception);

/** As AStatus_fromExceptionCode(), with a text for the caller. */
AStatus *AStatus_fromExceptionCodeWithMessage(binder_exception_t exception,
					      const char *message);

/** EX_SERVICE_SPECIFIC with an error that the service defines. */
AStatus *AStatus_fromServiceSpecificError(int32_t service_specific);

/** As AStatus_fromServiceSpecificError(), with a text for the caller. */
AStatus *AStatus_fromServiceSpecificErrorWithMessage(int32_t service_specific,
						     const char *message);

/** EX_TRANSACTION_FAILED because of @code; STATUS_OK gives success. A value
 * that is not in the list becomes STATUS_UNKNOWN_ERROR. */
AStatus *AStatus_fromStatus(binder_status_t code);

/** Whether @status is success. */
bool AStatus_isOk(const AStatus *status);

/** The exception, EX_NONE for success. */
binder_exception_t AStatus_getExceptionCode(const AStatus *status);

/** The service's error; 0 unless the exception is EX_SERVICE_SPECIFIC. */
int32_t AStatus_getServiceSpecificError(const AStatus *status);

/** The outcome of the call; STATUS_OK unless the exception is
 * EX_TRANSACTION_FAILED. */
binder_status_t AStatus_getStatus(const AStatus *status);

/** The text that came along, "" without one. Lives as long as @status. */
const char *AStatus_getMessage(const AStatus *status);

/** A line for a log, for instance "Status(-8, EX_SERVICE_SPECIFIC): '77: too
 * late'". Free it with AStatus_deleteDescription(). */
const char *AStatus_getDescription(const AStatus *status);

/** Free what AStatus_getDescription() returned. NULL is allowed. */
void AStatus_deleteDescription(const char *description);

/** Free @status. NULL is allowed. */
void AStatus_delete(AStatus *status);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
