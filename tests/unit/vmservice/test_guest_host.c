/* IGuestHost's client against a host whose orders are wrong, and its server
 * against a guest. */
#include <criterion/criterion.h>

#include <string.h>

#include "base/checked.h"
#include "vmservice/aidl_end.h"
#include "vmservice/guest_host.h"

static binder_exception_t give(void *userdata, struct guest_orders *ret_orders)
{
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
