/* The shared part of the hand-written ends; tests/aidl has aidl's own output
 * on the other side. */
#include <criterion/criterion.h>

#include <string.h>

#include "base/checked.h"
#include "vmservice/aidl_end.h"

static const struct {
	const char *what;
	const char *text; /* NULL: a null string */
	size_t size;
	bool nullable;
	binder_status_t expected;
} texts[] = {
	{"fits", "abcdefg", 7, false, STATUS_OK},
	{"is empty", "", 0, false, STATUS_OK},
	{"has no room for its NUL", "abcdefgh", 8, false, STATUS_BAD_VALUE},
	{"hides something behind a NUL", "ab\0c", 4, false, STATUS_BAD_VALUE},
	{"is null and must not be", NULL, 0, false, STATUS_UNEXPECTED_NULL},
	{"is null and may be", NULL, 0, true, STATUS_OK},
};

Test(aidl_end, reads_texts_that_fit)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AParcel *parcel = AParcel_create();
		char buf[8] = "before";

		cr_assert_eq(
			AParcel_writeString(
				parcel, texts[i].text,
				texts[i].text ? (int32_t)texts[i].size : -1),
			STATUS_OK);
		cr_assert_eq(AParcel_setDataPosition(parcel, 0), STATUS_OK);
		cr_expect_eq(aidl_read_text(parcel, texts[i].nullable, buf,
					    sizeof(buf)),
			     texts[i].expected, "%s", texts[i].what);
		if (texts[i].expected == STATUS_OK)
			cr_expect_str_eq(buf,
					 texts[i].text ? texts[i].text : "");
		AParcel_delete(parcel);
	}
}

/* ---- what a server answers, in the house's words ----------------------------
 */

struct answer {
	binder_status_t status;
	binder_exception_t exception;
};

static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	const struct answer *answer = AIBinder_getUserData(binder);

	(void)code;
	(void)in;
	if (answer->status != STATUS_OK)
		return answer->status;
	return aidl_reply(out, answer->exception);
}

static const AIBinder_Class answering = AIDL_CLASS("x", on_transact);

static const struct {
	struct answer answer;
	int expected;
} answers[] = {
	{{STATUS_OK, EX_NONE}, 0},
	{{STATUS_OK, EX_ILLEGAL_STATE}, AVF_ERR_STATE},
	{{STATUS_OK, EX_UNSUPPORTED_OPERATION}, AVF_ERR_UNSUPPORTED},
	{{STATUS_OK, EX_NULL_POINTER}, AVF_ERR_PROTOCOL},
	{{STATUS_DEAD_OBJECT, EX_NONE}, AVF_ERR_CLOSED},
	{{STATUS_TIMED_OUT, EX_NONE}, AVF_ERR_TIMEOUT},
	{{STATUS_NO_MEMORY, EX_NONE}, AVF_ERR_NO_MEMORY},
	{{STATUS_UNKNOWN_TRANSACTION, EX_NONE}, AVF_ERR_PROTOCOL},
};

Test(aidl_end, says_how_a_call_failed)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		AIBinder *server = aidl_new(&answering, &answers[i].answer);
		const struct aidl_call call = {.target = server,
					       .descriptor = "x",
					       .name = "method",
					       .code = 1};

		cr_expect_eq(aidl_simple(&call), answers[i].expected, "%zu", i);
		if (answers[i].expected < 0)
			cr_expect(strncmp(error_record()->text,
					  "method: ", 8) == 0,
				  "%s", error_record()->text);
		AIBinder_decStrong(server);
	}
}

Test(aidl_end, a_call_names_the_interface_it_means)
{
	const struct answer fine = {STATUS_OK, EX_NONE};
	AIBinder *server = aidl_new(&answering, &fine);
	const struct aidl_call call = {
		.target = server, .descriptor = "y", .name = "m", .code = 1};

	cr_expect_eq(aidl_simple(&call), AVF_ERR_PROTOCOL);
	AIBinder_decStrong(server);
}
