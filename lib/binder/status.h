/* The result of a method, as binder_status.h shows it. */
#pragma once

#include <stddef.h>

#include <android/binder_status.h>

struct AStatus {
	binder_exception_t exception;
	int32_t service_specific; /* 0 unless EX_SERVICE_SPECIFIC */
	binder_status_t status;   /* OK unless EX_TRANSACTION_FAILED */
	char *message;            /* owned; NULL: none */
	bool shared;              /* a constant: never freed, never changed */
};

/**
 * An AStatus of these parts, of which only those count that belong to
 * @exception. @message is UTF-8 of @length bytes, or NULL; copied. Never NULL.
 */
AStatus *status_new(binder_exception_t exception, int32_t service_specific,
		    const char *message, size_t length);

/** @status, or STATUS_UNKNOWN_ERROR for a value that is not in the list. */
binder_status_t status_prune(binder_status_t status);
