/* IGuestHost's client against a host whose orders are wrong, and its server
 * against a guest. */
#include <criterion/criterion.h>

#include <string.h>

#include "base/checked.h"
#include "base/guest_protocol.h"
#include "vmservice/aidl_end.h"
#include "vmservice/guest_host.h"

/* What the guest said that it speaks. */
static int32_t spoken;

static binder_exception_t give(void *userdata, int32_t protocol,
			       struct guest_orders *ret_orders)
{
	spoken = protocol;
	if (protocol != GUEST_PROTOCOL)
		return EX_UNSUPPORTED_OPERATION;
	*ret_orders = *(const struct guest_orders *)userdata;
	return EX_NONE;
}

static binder_exception_t take(void *userdata, int32_t reason, const char *text,
			       size_t size)
{
	(void)userdata;
	(void)reason;
	(void)text;
	(void)size;
	return EX_NONE;
}

static const struct guest_host_ops ops = {give, take};

static const struct {
	const char *what;
	struct guest_orders orders;
	int expected;
} rows[] = {
	{"orders", {"libx.so", true, "name", ""}, 0},
	{"no name", {"libx.so", true, "", ""}, 0},
	{"a name of spaces", {"lib x.so", false, "my vm", ""}, 0},
	{"no payload", {"", true, "name", ""}, AVF_ERR_PROTOCOL},
	{"a way out", {"..", true, "name", ""}, AVF_ERR_PROTOCOL},
	{"a path", {"a/b.so", true, "name", ""}, AVF_ERR_PROTOCOL},
	{"a hidden file", {".so", true, "name", ""}, AVF_ERR_PROTOCOL},
	{"a second line", {"a\nb", true, "name", ""}, AVF_ERR_PROTOCOL},
	{"a terminal's escape in the name",
	 {"a", true, "\x1b[2J", ""},
	 AVF_ERR_PROTOCOL},
	{"a config file", {"", true, "", "assets/a.json"}, 0},
	{"both", {"a", true, "", "assets/a.json"}, AVF_ERR_PROTOCOL},
	{"a way out of the package",
	 {"", true, "", "assets/../../x"},
	 AVF_ERR_PROTOCOL},
	{"an absolute path", {"", true, "", "/etc/x"}, AVF_ERR_PROTOCOL},
	{"a terminal's escape in the path",
	 {"", true, "", "a\x1b[2J"},
	 AVF_ERR_PROTOCOL},
};

Test(guest_host, the_guest_follows_no_orders_that_are_wrong)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct guest_orders orders = rows[i].orders;
		const struct guest_host host = {&ops, &orders};
		AIBinder *server = guest_host_new(&host);
		struct guest_orders got = {.payload_name = "before"};

		cr_expect_eq(guest_host_get_orders(server, &got),
			     rows[i].expected, "%s", rows[i].what);
		cr_expect_str_eq(got.payload_name, rows[i].expected == 0
							   ? orders.payload_name
							   : "before");
		AIBinder_decStrong(server);
	}
}

/* As guests of other builds ask: with another number, or with none. */
static binder_exception_t ask(AIBinder *server, bool says, int32_t protocol)
{
	const struct aidl_call call = {.target = server,
				       .descriptor =
					       "libvirtualization.IGuestHost",
				       .code = FIRST_CALL_TRANSACTION};
	binder_exception_t exception;
	AParcel *in = NULL, *out = NULL;
	AStatus *status = NULL;

	cr_assert_eq(aidl_begin(&call, &in), 0);
	if (says)
		cr_assert_eq(AParcel_writeInt32(in, protocol), STATUS_OK);
	cr_assert_eq(AIBinder_transact(server, call.code, &in, &out, 0),
		     STATUS_OK);
	cr_assert_eq(AParcel_readStatusHeader(out, &status), STATUS_OK);
	exception = AStatus_getExceptionCode(status);
	AStatus_delete(status);
	AParcel_delete(out);
	return exception;
}

Test(guest_host, the_host_hears_which_protocol_the_guest_speaks)
{
	struct guest_orders orders = {.payload_name = "x"};
	const struct guest_host host = {&ops, &orders};
	AIBinder *server = guest_host_new(&host);

	cr_expect_eq(guest_host_get_orders(server, &orders), 0);
	cr_expect_eq(spoken, GUEST_PROTOCOL);
	cr_expect_eq(ask(server, true, GUEST_PROTOCOL), EX_NONE);
	cr_expect_eq(ask(server, true, GUEST_PROTOCOL + 1),
		     EX_UNSUPPORTED_OPERATION);
	cr_expect_eq(spoken, GUEST_PROTOCOL + 1);
	cr_expect_eq(ask(server, true, INT32_MIN), EX_UNSUPPORTED_OPERATION);
	cr_expect_eq(spoken, INT32_MIN);
	cr_expect_eq(ask(server, false, 0), EX_UNSUPPORTED_OPERATION);
	cr_expect_eq(spoken, 0, "says nothing, as before it was counted");
	AIBinder_decStrong(server);
}

/* ---- parcels that are no orders ---------------------------------------------
 */

struct words {
	const char *what;
	unsigned int n;
	int32_t words[8];
};

static const struct words parcels[] = {
	{"nothing", 0, {0}},
	{"null", 1, {0}},
	{"no fields", 2, {1, 4}},
	{"a name that ends early", 3, {1, 16, 5}},
	{"a null name", 5, {1, 20, -1, 1, -1}},
	{"no flag", 4, {1, 20, 1, 0x41}},
	{"no host name", 5, {1, 20, 1, 0x41, 1}},
};

static binder_status_t answer(AIBinder *binder, transaction_code_t code,
			      const AParcel *in, AParcel *out)
{
	const struct words *words = AIBinder_getUserData(binder);
	binder_status_t rc = aidl_reply(out, EX_NONE);

	(void)code;
	(void)in;
	for (unsigned int i = 0; rc == STATUS_OK && i < words->n; i++)
		rc = AParcel_writeInt32(out, words->words[i]);
	return rc;
}

static const AIBinder_Class liar =
	AIDL_CLASS("libvirtualization.IGuestHost", answer);

Test(guest_host, the_guest_reads_no_parcel_that_is_wrong)
{
	for (size_t i = 0; i < ARRAY_SIZE(parcels); i++) {
		AIBinder *server = aidl_new(&liar, &parcels[i]);
		struct guest_orders got = {.payload_name = "before"};

		cr_expect_eq(guest_host_get_orders(server, &got),
			     AVF_ERR_PROTOCOL, "%s", parcels[i].what);
		cr_expect_str_eq(got.payload_name, "before");
		AIBinder_decStrong(server);
	}
}
