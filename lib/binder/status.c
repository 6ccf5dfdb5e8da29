#include "binder/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

static const struct AStatus status_ok = {
	.exception = EX_NONE,
	.shared = true,
};

static const struct AStatus status_no_memory = {
	.exception = EX_TRANSACTION_FAILED,
	.status = STATUS_NO_MEMORY,
	.shared = true,
};

struct name {
	int32_t value;
	const char *name;
};

static const struct name status_names[] = {
	{STATUS_OK, "OK"},
	{STATUS_UNKNOWN_ERROR, "UNKNOWN_ERROR"},
	{STATUS_NO_MEMORY, "NO_MEMORY"},
	{STATUS_INVALID_OPERATION, "INVALID_OPERATION"},
	{STATUS_BAD_VALUE, "BAD_VALUE"},
	{STATUS_BAD_TYPE, "BAD_TYPE"},
	{STATUS_NAME_NOT_FOUND, "NAME_NOT_FOUND"},
	{STATUS_PERMISSION_DENIED, "PERMISSION_DENIED"},
	{STATUS_NO_INIT, "NO_INIT"},
	{STATUS_ALREADY_EXISTS, "ALREADY_EXISTS"},
	{STATUS_DEAD_OBJECT, "DEAD_OBJECT"},
	{STATUS_FAILED_TRANSACTION, "FAILED_TRANSACTION"},
	{STATUS_BAD_INDEX, "BAD_INDEX"},
	{STATUS_NOT_ENOUGH_DATA, "NOT_ENOUGH_DATA"},
	{STATUS_WOULD_BLOCK, "WOULD_BLOCK"},
	{STATUS_TIMED_OUT, "TIMED_OUT"},
	{STATUS_UNKNOWN_TRANSACTION, "UNKNOWN_TRANSACTION"},
	{STATUS_FDS_NOT_ALLOWED, "FDS_NOT_ALLOWED"},
	{STATUS_UNEXPECTED_NULL, "UNEXPECTED_NULL"},
};

static const struct name exception_names[] = {
	{EX_NONE, "EX_NONE"},
	{EX_SECURITY, "EX_SECURITY"},
	{EX_BAD_PARCELABLE, "EX_BAD_PARCELABLE"},
	{EX_ILLEGAL_ARGUMENT, "EX_ILLEGAL_ARGUMENT"},
	{EX_NULL_POINTER, "EX_NULL_POINTER"},
	{EX_ILLEGAL_STATE, "EX_ILLEGAL_STATE"},
	{EX_NETWORK_MAIN_THREAD, "EX_NETWORK_MAIN_THREAD"},
	{EX_UNSUPPORTED_OPERATION, "EX_UNSUPPORTED_OPERATION"},
	{EX_SERVICE_SPECIFIC, "EX_SERVICE_SPECIFIC"},
	{EX_PARCELABLE, "EX_PARCELABLE"},
	{EX_TRANSACTION_FAILED, "EX_TRANSACTION_FAILED"},
};

/* The name of @value in a table, NULL when it is not there. */
static const char *find_name(const struct name *names, size_t count,
			     int32_t value)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].value == value)
			return names[i].name;
	return NULL;
}

static const char *exception_name(binder_exception_t exception)
{
	return find_name(exception_names, ARRAY_SIZE(exception_names),
			 exception);
}

binder_status_t status_prune(binder_status_t status)
{
	if (!find_name(status_names, ARRAY_SIZE(status_names), status))
		return STATUS_UNKNOWN_ERROR;
	return status;
}

/* The interface has no const; nobody writes through it (@shared). */
static AStatus *shared(const AStatus *status)
{
	union {
		const AStatus *constant;
		AStatus *interface;
	} u = {.constant = status};

	return u.interface;
}

AStatus *status_new(binder_exception_t exception, int32_t service_specific,
		    const char *message, size_t length)
{
	AStatus *status;

	if (exception == EX_NONE)
		return AStatus_newOk();
	status = calloc(1, sizeof(*status));
	if (!status)
		return shared(&status_no_memory);
	status->exception = exception;
	if (!exception_name(exception))
		status->exception = EX_TRANSACTION_FAILED;
	if (status->exception == EX_SERVICE_SPECIFIC)
		status->service_specific = service_specific;
	if (status->exception == EX_TRANSACTION_FAILED)
		status->status = STATUS_FAILED_TRANSACTION;
	if (message) {
		status->message = strndup(message, length);
		if (!status->message) {
			free(status);
			return shared(&status_no_memory);
		}
	}
	return status;
}

AStatus *AStatus_newOk(void)
{
	return shared(&status_ok);
}

AStatus *AStatus_fromExceptionCode(binder_exception_t exception)
{
	return status_new(exception, 0, NULL, 0);
}

AStatus *AStatus_fromExceptionCodeWithMessage(binder_exception_t exception,
					      const char *message)
{
	return status_new(exception, 0, message, message ? strlen(message) : 0);
}

AStatus *AStatus_fromServiceSpecificError(int32_t service_specific)
{
	return status_new(EX_SERVICE_SPECIFIC, service_specific, NULL, 0);
}

AStatus *AStatus_fromServiceSpecificErrorWithMessage(int32_t service_specific,
						     const char *message)
{
	return status_new(EX_SERVICE_SPECIFIC, service_specific, message,
			  message ? strlen(message) : 0);
}

AStatus *AStatus_fromStatus(binder_status_t code)
{
	AStatus *status;

	if (code == STATUS_OK)
		return AStatus_newOk();
	status = status_new(EX_TRANSACTION_FAILED, 0, NULL, 0);
	if (!status->shared)
		status->status = status_prune(code);
	return status;
}

bool AStatus_isOk(const AStatus *status)
{
	return status->exception == EX_NONE;
}

binder_exception_t AStatus_getExceptionCode(const AStatus *status)
{
	return status->exception;
}

int32_t AStatus_getServiceSpecificError(const AStatus *status)
{
	return status->service_specific;
}

binder_status_t AStatus_getStatus(const AStatus *status)
{
	return status->status;
}

const char *AStatus_getMessage(const AStatus *status)
{
	return status->message ? status->message : "";
}

const char *AStatus_getDescription(const AStatus *status)
{
	char detail[32] = "";
	char *text;

	if (AStatus_isOk(status))
		return strdup("No error");
	if (status->exception == EX_SERVICE_SPECIFIC)
		(void)snprintf(detail, sizeof(detail),
			       "%d: ", status->service_specific);
	else if (status->exception == EX_TRANSACTION_FAILED)
		(void)snprintf(detail, sizeof(detail), "%s: ",
			       find_name(status_names, ARRAY_SIZE(status_names),
					 status->status));
	if (asprintf(&text, "Status(%d, %s): '%s%s'", status->exception,
		     exception_name(status->exception), detail,
		     AStatus_getMessage(status)) < 0)
		return NULL;
	return text;
}

void AStatus_deleteDescription(const char *description)
{
	union {
		const char *constant;
		char *owned;
	} u = {.constant = description};

	free(u.owned);
}

void AStatus_delete(AStatus *status)
{
	if (!status || status->shared)
		return;
	free(status->message);
	free(status);
}
