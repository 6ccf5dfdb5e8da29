/* IVirtualMachineService's server against a guest whose arguments are wrong. */
#include <criterion/criterion.h>

#include "base/checked.h"
#include "vmservice/aidl_end.h"
#include "vmservice/vm_service.h"

#define DESCRIPTOR "android.system.virtualmachineservice.IVirtualMachineService"

static unsigned int n_calls;

static binder_exception_t on_agent(void *userdata, AIBinder *agent)
{
	(void)userdata;
	(void)agent;
	n_calls++;
	return EX_NONE;
}

static binder_exception_t on_event(void *userdata)
{
	(void)userdata;
	n_calls++;
	return EX_NONE;
}

static binder_exception_t on_finished(void *userdata, int32_t exit_code)
{
	(void)userdata;
	(void)exit_code;
	n_calls++;
	return EX_NONE;
}

static binder_exception_t on_error(void *userdata, int32_t error_code,
				   const char *text, size_t size)
{
	(void)userdata;
	(void)error_code;
	(void)text;
	(void)size;
	n_calls++;
	return EX_NONE;
}

static const struct vm_service_ops ops = {
	.register_guest_agent = on_agent,
	.payload_started = on_event,
	.payload_ready = on_event,
	.payload_finished = on_finished,
	.error = on_error,
};

static const struct row {
	const char *what;
	transaction_code_t code;
	unsigned int n_words;
	int32_t words[4];
	int expected;
	unsigned int n_calls;
} rows[] = {
	{"started", 3, 0, {0}, 0, 1},
	{"ready, with more behind it", 4, 2, {1, 2}, 0, 1},
	{"finished", 5, 1, {7}, 0, 1},
	{"finished without a code", 5, 0, {0}, AVF_ERR_PROTOCOL, 0},
	{"an error of an empty text", 6, 3, {1, 0, 0}, 0, 1},
	{"an error without a text", 6, 1, {1}, AVF_ERR_PROTOCOL, 0},
	{"an error with a null text", 6, 2, {1, -1}, AVF_ERR_PROTOCOL, 0},
	{"a text longer than the parcel",
	 6,
	 3,
	 {1, 100, 0},
	 AVF_ERR_PROTOCOL,
	 0},
	{"a text of all memory", 6, 3, {1, INT32_MAX, 0}, AVF_ERR_PROTOCOL, 0},
	{"a text that does not end",
	 6,
	 3,
	 {1, 1, 0x00410041},
	 AVF_ERR_PROTOCOL,
	 0},
	{"no agent at all", 2, 0, {0}, AVF_ERR_PROTOCOL, 0},
	{"a null agent", 2, 1, {0}, AVF_ERR_PROTOCOL, 0},
	{"AVF's requestAttestation", 7, 0, {0}, AVF_ERR_UNSUPPORTED, 0},
	{"the last of AVF", 12, 0, {0}, AVF_ERR_UNSUPPORTED, 0},
	{"nobody's", 13, 0, {0}, AVF_ERR_PROTOCOL, 0},
};

Test(vm_service, takes_no_wrong_arguments)
{
	const struct vm_service service = {&ops, NULL};
	AIBinder *server = vm_service_new(&service);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		const struct aidl_call call = {.target = server,
					       .descriptor = DESCRIPTOR,
					       .name = "method",
					       .code = row->code};
		AParcel *in;

		n_calls = 0;
		cr_assert_eq(aidl_begin(&call, &in), 0);
		for (unsigned int w = 0; w < row->n_words; w++)
			cr_assert_eq(AParcel_writeInt32(in, row->words[w]),
				     STATUS_OK);
		cr_expect_eq(aidl_finish(&call, in, STATUS_OK, NULL),
			     row->expected, "%s: %s", row->what,
			     error_record()->text);
		cr_expect_eq(n_calls, row->n_calls, "%s", row->what);
	}
	AIBinder_decStrong(server);
}
