#include <criterion/criterion.h>

#include "base/checked.h"
#include "binder/status.h"
#include "support/parcel_bytes.h"

Test(status_header, bytes)
{
	const struct {
		const char *what;
		struct AStatus status;
		binder_status_t result;
		const char *bytes;
	} rows[] = {
		{"success", {.exception = EX_NONE}, STATUS_OK, "00000000"},
		{"an exception without a text",
		 {.exception = EX_SECURITY},
		 STATUS_OK,
		 "ffffffff 00000000 00000000 00000000"},
		{"the reference's service specific error",
		 {.exception = EX_SERVICE_SPECIFIC,
		  .service_specific = 77,
		  .message = (char[]){"specific"}},
		 STATUS_OK,
		 "f8ffffff 08000000 73007000 65006300 69006600 69006300"
		 "00000000 00000000 4d000000"},
		{"a parcelable that is not there",
		 {.exception = EX_PARCELABLE},
		 STATUS_OK,
		 "f7ffffff 00000000 00000000 00000000 00000000"},
		{"a failed call is not written",
		 {.exception = EX_TRANSACTION_FAILED,
		  .status = STATUS_FDS_NOT_ALLOWED},
		 STATUS_FDS_NOT_ALLOWED,
		 ""},
	};
	AParcel *p;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		p = AParcel_create();
		cr_expect_eq(AParcel_writeStatusHeader(p, &rows[i].status),
			     rows[i].result, "%s", rows[i].what);
		cr_expect(parcel_is(p, rows[i].bytes), "%s", rows[i].what);
		AParcel_delete(p);
	}
}

Test(status_header, is_read)
{
	static const struct {
		const char *what, *bytes;
		binder_exception_t exception;
		int32_t service_specific;
		const char *message;
		int32_t position;
	} rows[] = {
		{"success", "00000000 07000000", EX_NONE, 0, "", 4},
		{"a service specific error",
		 "f8ffffff 01000000 78000000 00000000 4d000000",
		 EX_SERVICE_SPECIFIC, 77, "x", 20},
		{"a null text", "ffffffff ffffffff 00000000", EX_SECURITY, 0,
		 "", 12},
		{"a stack trace", "ffffffff ffffffff 08000000 11111111",
		 EX_SECURITY, 0, "", 16},
		{"a reply header", "80ffffff 0c000000 11111111 22222222",
		 EX_NONE, 0, "", 16},
		{"a parcelable", "f7ffffff ffffffff 00000000 08000000 11111111",
		 EX_PARCELABLE, 0, "", 20},
		{"a code that does not exist", "9cffffff ffffffff 00000000",
		 EX_TRANSACTION_FAILED, 0, "", 12},
	};
	AStatus *status;
	AParcel *p;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		p = parcel_from_hex(NULL, rows[i].bytes);
		cr_assert_eq(AParcel_readStatusHeader(p, &status), STATUS_OK,
			     "%s", rows[i].what);
		cr_expect_eq(AStatus_getExceptionCode(status),
			     rows[i].exception, "%s", rows[i].what);
		cr_expect_eq(AStatus_getServiceSpecificError(status),
			     rows[i].service_specific, "%s", rows[i].what);
		cr_expect_str_eq(AStatus_getMessage(status), rows[i].message,
				 "%s", rows[i].what);
		cr_expect_eq(AParcel_getDataPosition(p), rows[i].position, "%s",
			     rows[i].what);
		AStatus_delete(status);
		AParcel_delete(p);
	}
}

Test(status_header, that_cannot_be)
{
	static const struct {
		const char *what, *bytes;
		binder_status_t status;
	} rows[] = {
		{"nothing", "", STATUS_NOT_ENOUGH_DATA},
		{"no text", "ffffffff", STATUS_NOT_ENOUGH_DATA},
		{"a text without a NUL", "ffffffff 01000000 78007800 00000000",
		 STATUS_BAD_VALUE},
		{"no stack trace", "ffffffff ffffffff", STATUS_NOT_ENOUGH_DATA},
		{"a negative stack trace", "ffffffff ffffffff ffffffff",
		 STATUS_UNKNOWN_ERROR},
		{"a stack trace behind the end",
		 "ffffffff ffffffff 09000000 11111111", STATUS_UNKNOWN_ERROR},
		{"no error", "f8ffffff ffffffff 00000000",
		 STATUS_NOT_ENOUGH_DATA},
		{"no parcelable", "f7ffffff ffffffff 00000000",
		 STATUS_NOT_ENOUGH_DATA},
		{"a parcelable behind the end",
		 "f7ffffff ffffffff 00000000 05000000", STATUS_UNKNOWN_ERROR},
		{"a reply header behind the end", "80ffffff ffffff7f",
		 STATUS_UNKNOWN_ERROR},
		{"no reply header", "80ffffff", STATUS_NOT_ENOUGH_DATA},
	};
	AStatus *status = NULL;
	AParcel *p;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		p = parcel_from_hex(NULL, rows[i].bytes);
		cr_expect_eq(AParcel_readStatusHeader(p, &status),
			     rows[i].status, "%s", rows[i].what);
		cr_expect_null(status, "%s", rows[i].what);
		AParcel_delete(p);
	}
}
