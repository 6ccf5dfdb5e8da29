#include <criterion/criterion.h>

#include <stdio.h>

#include "base/checked.h"
#include "binder/status.h"

/* What a row's object must show. */
struct expected {
	const char *what;
	binder_exception_t exception;
	int32_t service_specific;
	binder_status_t status;
	const char *message;
	const char *description;
};

static void check(AStatus *status, const struct expected *row)
{
	const char *text = AStatus_getDescription(status);

	cr_expect_eq(AStatus_isOk(status), row->exception == EX_NONE, "%s",
		     row->what);
	cr_expect_eq(AStatus_getExceptionCode(status), row->exception, "%s",
		     row->what);
	cr_expect_eq(AStatus_getServiceSpecificError(status),
		     row->service_specific, "%s", row->what);
	cr_expect_eq(AStatus_getStatus(status), row->status, "%s", row->what);
	cr_expect_str_eq(AStatus_getMessage(status), row->message, "%s",
			 row->what);
	cr_expect_str_eq(text, row->description, "%s", row->what);
	AStatus_deleteDescription(text);
	AStatus_delete(status);
}

Test(status, exceptions)
{
	static const struct {
		binder_exception_t from;
		const char *message;
		struct expected expected;
	} rows[] = {
		{EX_NONE, NULL, {"none", 0, 0, 0, "", "No error"}},
		{EX_NONE,
		 "text",
		 {"none with a text", 0, 0, 0, "", "No error"}},
		{EX_SECURITY,
		 "no",
		 {"security", EX_SECURITY, 0, 0, "no",
		  "Status(-1, EX_SECURITY): 'no'"}},
		{EX_PARCELABLE,
		 NULL,
		 {"no text", EX_PARCELABLE, 0, 0, "",
		  "Status(-9, EX_PARCELABLE): ''"}},
		{EX_SERVICE_SPECIFIC,
		 NULL,
		 {"service specific without an error", EX_SERVICE_SPECIFIC, 0,
		  0, "", "Status(-8, EX_SERVICE_SPECIFIC): '0: '"}},
		{EX_TRANSACTION_FAILED,
		 NULL,
		 {"a failed call", EX_TRANSACTION_FAILED, 0,
		  STATUS_FAILED_TRANSACTION, "",
		  "Status(-129, EX_TRANSACTION_FAILED): "
		  "'FAILED_TRANSACTION: '"}},
		{-128,
		 NULL,
		 {"the code of a reply header", EX_TRANSACTION_FAILED, 0,
		  STATUS_FAILED_TRANSACTION, "",
		  "Status(-129, EX_TRANSACTION_FAILED): "
		  "'FAILED_TRANSACTION: '"}},
		{7,
		 NULL,
		 {"a code that does not exist", EX_TRANSACTION_FAILED, 0,
		  STATUS_FAILED_TRANSACTION, "",
		  "Status(-129, EX_TRANSACTION_FAILED): "
		  "'FAILED_TRANSACTION: '"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check(rows[i].message ? AStatus_fromExceptionCodeWithMessage(
						rows[i].from, rows[i].message)
				      : AStatus_fromExceptionCode(rows[i].from),
		      &rows[i].expected);
}

Test(status, service_specific_errors)
{
	static const struct expected plain = {
		"plain", EX_SERVICE_SPECIFIC,
		77,      0,
		"",      "Status(-8, EX_SERVICE_SPECIFIC): '77: '"};
	static const struct expected text = {
		"with a text",
		EX_SERVICE_SPECIFIC,
		77,
		0,
		"specific",
		"Status(-8, EX_SERVICE_SPECIFIC): '77: specific'"};

	check(AStatus_fromServiceSpecificError(77), &plain);
	check(AStatus_fromServiceSpecificErrorWithMessage(77, "specific"),
	      &text);
	check(AStatus_fromServiceSpecificErrorWithMessage(77, NULL), &plain);
}

Test(status, statuses)
{
	static const struct {
		binder_status_t from, to;
		const char *name;
	} rows[] = {
		{STATUS_UNKNOWN_ERROR, STATUS_UNKNOWN_ERROR, "UNKNOWN_ERROR"},
		{-12, STATUS_NO_MEMORY, "NO_MEMORY"},
		{-38, STATUS_INVALID_OPERATION, "INVALID_OPERATION"},
		{-22, STATUS_BAD_VALUE, "BAD_VALUE"},
		{INT32_MIN + 1, STATUS_BAD_TYPE, "BAD_TYPE"},
		{-2, STATUS_NAME_NOT_FOUND, "NAME_NOT_FOUND"},
		{-1, STATUS_PERMISSION_DENIED, "PERMISSION_DENIED"},
		{-19, STATUS_NO_INIT, "NO_INIT"},
		{-17, STATUS_ALREADY_EXISTS, "ALREADY_EXISTS"},
		{-32, STATUS_DEAD_OBJECT, "DEAD_OBJECT"},
		{INT32_MIN + 2, STATUS_FAILED_TRANSACTION,
		 "FAILED_TRANSACTION"},
		{-75, STATUS_BAD_INDEX, "BAD_INDEX"},
		{-61, STATUS_NOT_ENOUGH_DATA, "NOT_ENOUGH_DATA"},
		{-11, STATUS_WOULD_BLOCK, "WOULD_BLOCK"},
		{-110, STATUS_TIMED_OUT, "TIMED_OUT"},
		{-74, STATUS_UNKNOWN_TRANSACTION, "UNKNOWN_TRANSACTION"},
		{INT32_MIN + 7, STATUS_FDS_NOT_ALLOWED, "FDS_NOT_ALLOWED"},
		{INT32_MIN + 8, STATUS_UNEXPECTED_NULL, "UNEXPECTED_NULL"},
		{-3, STATUS_UNKNOWN_ERROR, "UNKNOWN_ERROR"},
		{1, STATUS_UNKNOWN_ERROR, "UNKNOWN_ERROR"},
		{INT32_MAX, STATUS_UNKNOWN_ERROR, "UNKNOWN_ERROR"},
	};
	char text[80];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct expected row = {
			rows[i].name, EX_TRANSACTION_FAILED, 0, rows[i].to, "",
			text};

		(void)snprintf(text, sizeof(text),
			       "Status(-129, EX_TRANSACTION_FAILED): '%s: '",
			       rows[i].name);
		check(AStatus_fromStatus(rows[i].from), &row);
	}
}

Test(status, ok_is_shared_and_outlives_its_deletion)
{
	AStatus *ok = AStatus_newOk();

	AStatus_delete(ok);
	AStatus_delete(AStatus_fromStatus(STATUS_OK));
	AStatus_delete(NULL);
	cr_expect_eq(AStatus_newOk(), ok);
	cr_expect_eq(AStatus_fromStatus(STATUS_OK), ok);
	cr_expect(AStatus_isOk(ok));
}
