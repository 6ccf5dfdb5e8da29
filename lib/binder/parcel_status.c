/* The status header of a reply, and the writer's word about the size. */
#include <string.h>

#include "base/cleanup.h"
#include "binder/parcel.h"
#include "binder/status.h"

/* A reply has something in front of its results: skip it. Never written. */
#define EX_HAS_REPLY_HEADER (-128)

binder_status_t AParcel_writeStatusHeader(AParcel *parcel,
					  const AStatus *status)
{
	const char *message;
	binder_status_t rc;

	if (status->exception == EX_TRANSACTION_FAILED)
		return status->status;
	rc = AParcel_writeInt32(parcel, status->exception);
	if (rc != STATUS_OK || status->exception == EX_NONE)
		return rc;
	message = AStatus_getMessage(status);
	rc = parcel_write_utf8(parcel, message, strlen(message));
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_writeInt32(parcel, 0); /* no stack trace of the peer */
	if (rc != STATUS_OK)
		return rc;
	if (status->exception == EX_SERVICE_SPECIFIC)
		return AParcel_writeInt32(parcel, status->service_specific);
	if (status->exception == EX_PARCELABLE)
		return AParcel_writeInt32(parcel, 0); /* no parcelable */
	return STATUS_OK;
}

/* Skip a part that begins with its own size, which counts from its start. A
 * size of 0 is the word alone. */
static binder_status_t skip_sized(AParcel *parcel)
{
	size_t start = parcel->pos;
	size_t left = parcel_available(parcel);
	int32_t size;
	binder_status_t rc;

	rc = AParcel_readInt32(parcel, &size);
	if (rc != STATUS_OK)
		return rc;
	if (size < 0 || (size_t)size > left)
		return STATUS_UNKNOWN_ERROR;
	if (size > 0)
		parcel->pos = start + (size_t)size;
	return STATUS_OK;
}

/* What follows the message. */
static binder_status_t read_details(AParcel *parcel,
				    binder_exception_t exception,
				    int32_t *ret_service_specific)
{
	binder_status_t rc;

	rc = skip_sized(parcel); /* stack trace */
	if (rc != STATUS_OK)
		return rc;
	if (exception == EX_SERVICE_SPECIFIC)
		return AParcel_readInt32(parcel, ret_service_specific);
	if (exception == EX_PARCELABLE)
		return skip_sized(parcel);
	return STATUS_OK;
}

binder_status_t AParcel_readStatusHeader(const AParcel *parcel,
					 AStatus **ret_status)
{
	CLEANUP(free_p) char *message = NULL;
	AParcel *p = parcel_cursor(parcel);
	binder_exception_t exception;
	int32_t service_specific = 0;
	size_t size = 0;
	binder_status_t rc;

	rc = AParcel_readInt32(p, &exception);
	if (rc != STATUS_OK)
		return rc;
	if (exception == EX_HAS_REPLY_HEADER) {
		rc = skip_sized(p);
		exception = EX_NONE;
	}
	if (rc == STATUS_OK && exception != EX_NONE)
		rc = parcel_read_utf8(p, &message, &size);
	if (rc == STATUS_OK && exception != EX_NONE)
		rc = read_details(p, exception, &service_specific);
	if (rc != STATUS_OK)
		return rc;
	*ret_status = status_new(exception, service_specific, message, size);
	return STATUS_OK;
}
