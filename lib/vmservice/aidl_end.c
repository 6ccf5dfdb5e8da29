#include "vmservice/aidl_end.h"

#include <string.h>

#include "base/cleanup.h"

void aidl_delete_parcel(AParcel **parcel)
{
	AParcel_delete(*parcel);
}

static void delete_status(AStatus **status)
{
	AStatus_delete(*status);
}

/* The house's word for what the other side answers. */
static int error_of(const AStatus *status)
{
	switch (AStatus_getExceptionCode(status)) {
	case EX_ILLEGAL_STATE:
		return AVF_ERR_STATE;
	case EX_UNSUPPORTED_OPERATION:
		return AVF_ERR_UNSUPPORTED;
	case EX_TRANSACTION_FAILED:
		break;
	default:
		return AVF_ERR_PROTOCOL;
	}
	switch (AStatus_getStatus(status)) {
	case STATUS_DEAD_OBJECT:
		return AVF_ERR_CLOSED;
	case STATUS_TIMED_OUT:
		return AVF_ERR_TIMEOUT;
	case STATUS_NO_MEMORY:
		return AVF_ERR_NO_MEMORY;
	default:
		return AVF_ERR_PROTOCOL;
	}
}

static int judge(const struct aidl_call *call, const AStatus *status)
{
	const char *text;
	int rc;

	if (AStatus_isOk(status))
		return 0;
	text = AStatus_getDescription(status);
	rc = fail(error_of(status), "%s: %s", call->name, text);
	AStatus_deleteDescription(text);
	return rc;
}

/* The same for a call that did not get as far as an answer. */
static int judge_status(const struct aidl_call *call, binder_status_t status)
{
	CLEANUP(delete_status) AStatus *a = AStatus_fromStatus(status);

	return judge(call, a);
}

int aidl_begin(const struct aidl_call *call, AParcel **ret_in)
{
	CLEANUP(aidl_delete_parcel) AParcel *in = NULL;
	binder_status_t rc;

	/* not AIBinder_prepareTransaction(): it wants a class, and so one more
	 * question to the other side */
	rc = AvfBinder_prepareTransaction(call->target, &in);
	if (rc == STATUS_OK)
		rc = AParcel_writeString(in, call->descriptor,
					 (int32_t)strlen(call->descriptor));
	if (rc != STATUS_OK)
		return judge_status(call, rc);
	*ret_in = TAKE_PTR(in);
	return 0;
}

int aidl_finish(const struct aidl_call *call, AParcel *in, binder_status_t rc,
		AParcel **ret_out)
{
	CLEANUP(aidl_delete_parcel) AParcel *taken = in;
	CLEANUP(aidl_delete_parcel) AParcel *out = NULL;
	CLEANUP(delete_status) AStatus *status = NULL;
	int result;

	if (rc == STATUS_OK)
		rc = AIBinder_transact(call->target, call->code, &taken, &out,
				       call->flags);
	if (rc == STATUS_OK && (call->flags & FLAG_ONEWAY) == 0)
		rc = AParcel_readStatusHeader(out, &status);
	if (rc != STATUS_OK)
		return judge_status(call, rc);
	result = status ? judge(call, status) : 0;
	if (result == 0 && ret_out)
		*ret_out = TAKE_PTR(out);
	return result;
}

int aidl_simple(const struct aidl_call *call)
{
	AParcel *in = NULL;
	int rc = aidl_begin(call, &in);

	return rc < 0 ? rc : aidl_finish(call, in, STATUS_OK, NULL);
}

binder_status_t aidl_read_text(const AParcel *parcel, bool nullable, char *buf,
			       size_t size)
{
	CLEANUP(free_p) char *text = NULL;
	size_t n = 0;
	binder_status_t rc;

	rc = parcel_read_utf8(parcel_cursor(parcel), &text, &n);
	if (rc != STATUS_OK)
		return rc;
	if (!text && !nullable)
		return STATUS_UNEXPECTED_NULL;
	if (n >= size || (text && memchr(text, '\0', n)))
		return STATUS_BAD_VALUE;
	if (text)
		memcpy(buf, text, n);
	buf[n] = '\0';
	return STATUS_OK;
}

binder_status_t aidl_reply(AParcel *out, binder_exception_t exception)
{
	CLEANUP(delete_status)
	AStatus *status = AStatus_fromExceptionCode(exception);

	return AParcel_writeStatusHeader(out, status);
}

binder_status_t aidl_serve_number_text(const AParcel *in, AParcel *out,
				       aidl_number_text_fn *method,
				       void *userdata)
{
	CLEANUP(free_p) char *text = NULL;
	int32_t number;
	size_t size;
	binder_status_t rc = AParcel_readInt32(in, &number);

	if (rc == STATUS_OK)
		rc = parcel_read_utf8(parcel_cursor(in), &text, &size);
	if (rc != STATUS_OK)
		return rc;
	if (!text)
		return aidl_reply(out, EX_NULL_POINTER);
	return aidl_reply(out, method(userdata, number, text, size));
}

int aidl_call_number_text(const struct aidl_call *call, int32_t number,
			  const char *text)
{
	binder_status_t status;
	AParcel *in = NULL;
	int rc = aidl_begin(call, &in);

	if (rc < 0)
		return rc;
	status = AParcel_writeInt32(in, number);
	if (status == STATUS_OK)
		status = AParcel_writeString(in, text, (int32_t)strlen(text));
	return aidl_finish(call, in, status, NULL);
}

AIBinder *aidl_new(const AIBinder_Class *clazz, const void *user_data)
{
	/* nothing changes it, but the type is the NDK's */
	union {
		const void *constant;
		void *args;
	} u = {.constant = user_data};

	return AIBinder_new(clazz, u.args);
}

void *aidl_keep(void *args)
{
	return args;
}

void aidl_forget(void *user_data)
{
	(void)user_data; /* borrowed */
}
