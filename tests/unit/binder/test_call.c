#include <criterion/criterion.h>

#include <stdio.h>
#include <unistd.h>

#include "base/checked.h"
#include "support/echo_object.h"
#include "support/fake_session.h"
#include "support/parcel_bytes.h"

static struct echo_object state;
static AIBinder_Class *clazz;
static AIBinder *local;
static struct fake_session fake;
static AIBinder *proxy;

static void set_up(void)
{
	clazz = echo_class_new("echo");
	local = AIBinder_new(clazz, &state);
	fake_session_init(&fake);
	proxy = object_new_remote(&fake.session, 3, STABILITY_SYSTEM);
}

static void tear_down(void)
{
	AIBinder_decStrong(proxy);
	AIBinder_decStrong(local);
	cr_expect_eq(state.destroyed, 1);
	cr_expect_eq(fake.refs, 0);
}

TestSuite(call, .init = set_up, .fini = tear_down);

Test(call, within_the_process)
{
	AParcel *in, *out;
	int32_t sum;

	cr_assert_eq(AIBinder_prepareTransaction(local, &in), STATUS_OK);
	cr_expect(parcel_is(in, "04000000 65006300 68006f00 00000000"));
	cr_assert_eq(AParcel_writeInt32(in, 2), STATUS_OK);
	cr_assert_eq(AParcel_writeInt32(in, 3), STATUS_OK);
	cr_assert_eq(AIBinder_transact(local, ECHO_ADD, &in, &out, 0),
		     STATUS_OK);
	cr_expect_null(in);
	cr_assert_eq(AParcel_readInt32(out, &sum), STATUS_OK);
	cr_expect_eq(sum, 5);
	AParcel_delete(out);
	cr_expect_eq(AIBinder_ping(local), STATUS_OK);
}

Test(call, objects_stay_the_same_within_the_process)
{
	AParcel *in, *out;
	AIBinder *back;

	cr_assert_eq(AIBinder_prepareTransaction(local, &in), STATUS_OK);
	cr_assert_eq(AParcel_writeStrongBinder(in, local), STATUS_OK);
	cr_assert_eq(AIBinder_transact(local, ECHO_BINDER, &in, &out, 0),
		     STATUS_OK);
	cr_assert_eq(AParcel_readStrongBinder(out, &back), STATUS_OK);
	cr_expect_eq(back, local);
	AIBinder_decStrong(back);
	AParcel_delete(out);
	cr_expect_eq(AIBinder_debugGetRefCount(local), 1);
}

Test(call, that_is_refused_before_anybody_is_asked)
{
	static const struct {
		const char *what;
		uint32_t code, flags;
		bool other, unmarked;
		binder_status_t status;
	} rows[] = {
		{"a code of 0", 0, 0, false, false, STATUS_UNKNOWN_TRANSACTION},
		{"a code behind the range", LAST_CALL_TRANSACTION + 1, 0, false,
		 false, STATUS_UNKNOWN_TRANSACTION},
		{"ping is not a method", CODE_PING, 0, false, false,
		 STATUS_UNKNOWN_TRANSACTION},
		{"a flag that does not exist", 1, 2, false, false,
		 STATUS_BAD_VALUE},
		{"a parcel of another object", 1, 0, true, false,
		 STATUS_BAD_VALUE},
		{"a parcel that lost its session", 1, 0, false, true,
		 STATUS_BAD_TYPE},
	};
	AParcel *in, *out = NULL;

	(void)__atomic_exchange_n(&proxy->clazz, clazz, __ATOMIC_RELAXED);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(AIBinder_prepareTransaction(
				     rows[i].other ? local : proxy, &in),
			     STATUS_OK);
		if (rows[i].unmarked)
			(void)AParcel_reset(in);
		cr_expect_eq(AIBinder_transact(proxy, rows[i].code, &in, &out,
					       rows[i].flags),
			     rows[i].status, "%s", rows[i].what);
		cr_expect(!in && !out, "%s", rows[i].what);
	}
	cr_expect_eq(fake.code, 0);
}

Test(call, results_of_the_object)
{
	static const struct {
		binder_status_t result, status;
	} rows[] = {
		{STATUS_BAD_VALUE, STATUS_BAD_VALUE},
		{STATUS_UNKNOWN_TRANSACTION, STATUS_UNKNOWN_TRANSACTION},
		{12345, STATUS_UNKNOWN_ERROR},
		{-5, STATUS_UNKNOWN_ERROR},
	};
	AParcel *in, *out;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		state.result = rows[i].result;
		cr_assert_eq(AIBinder_prepareTransaction(local, &in),
			     STATUS_OK);
		cr_expect_eq(AIBinder_transact(local, ECHO_ADD, &in, &out, 0),
			     rows[i].status);
		cr_expect_null(out);
	}
}

Test(call, of_another_interface)
{
	struct echo_object other_state = {0};
	AIBinder *other = AIBinder_new(echo_class_new("another"), &other_state);
	AParcel *in = parcel_new(NULL), *out;

	cr_assert_eq(parcel_write_utf8(in, "echo", 4), STATUS_OK);
	AIBinder_incStrong(other);
	in->target = other;
	cr_expect_eq(AIBinder_transact(other, ECHO_ADD, &in, &out, 0),
		     STATUS_BAD_TYPE);
	cr_expect_eq(other_state.calls, 0);
	AIBinder_decStrong(other);
}

Test(call, without_a_token)
{
	AParcel *in, *out;

	AIBinder_Class_disableInterfaceTokenHeader(clazz);
	cr_assert_eq(AIBinder_prepareTransaction(local, &in), STATUS_OK);
	cr_expect_eq(AParcel_getDataSize(in), 0);
	cr_assert_eq(AParcel_writeInt64(in, 0), STATUS_OK);
	cr_assert_eq(AIBinder_transact(local, ECHO_ADD, &in, &out, 0),
		     STATUS_OK);
	AParcel_delete(out);
}

Test(call, needs_a_class)
{
	AParcel *in = NULL;

	cr_expect_eq(AIBinder_prepareTransaction(proxy, &in),
		     STATUS_INVALID_OPERATION);
	cr_expect_eq(AIBinder_prepareTransaction(NULL, &in),
		     STATUS_UNEXPECTED_NULL);
	cr_expect_null(in);
}

Test(call, on_a_session)
{
	AParcel *in, *out;
	int32_t value;

	fake.reply = "04000000 65006300 68006f00 00000000";
	cr_assert(AIBinder_associateClass(proxy, clazz));
	cr_assert_eq(AIBinder_prepareTransaction(proxy, &in), STATUS_OK);
	fake.reply = "05000000";
	cr_assert_eq(AIBinder_transact(proxy, ECHO_ADD, &in, &out,
				       FLAG_CLEAR_BUF | FLAG_PRIVATE_VENDOR),
		     STATUS_OK);
	cr_expect_eq(fake.code, ECHO_ADD);
	cr_expect(out->sensitive);
	cr_assert_eq(AParcel_readInt32(out, &value), STATUS_OK);
	cr_expect_eq(value, 5);
	AParcel_delete(out);
	/* nothing comes back, and the caller still has something to free */
	cr_assert_eq(AIBinder_prepareTransaction(proxy, &in), STATUS_OK);
	cr_assert_eq(AIBinder_transact(proxy, ECHO_ADD, &in, &out, FLAG_ONEWAY),
		     STATUS_OK);
	cr_assert(out);
	cr_expect_eq(AParcel_getDataSize(out), 0);
	AParcel_delete(out);
	fake.status = STATUS_DEAD_OBJECT;
	cr_expect_eq(AIBinder_ping(proxy), STATUS_DEAD_OBJECT);
}

Test(call, classes_of_remote_objects)
{
	AIBinder_Class *twin = echo_class_new("echo");

	fake.reply = "05000000 6f007400 68006500 72000000";
	cr_expect_not(AIBinder_associateClass(proxy, clazz), "another name");
	fake.reply = "ffffffff";
	cr_expect_not(AIBinder_associateClass(proxy, clazz), "null");
	fake.reply = "04000000 6500";
	cr_expect_not(AIBinder_associateClass(proxy, clazz), "cut off");
	fake.reply = "04000000 65006300 68006f00 00000000";
	cr_expect(AIBinder_associateClass(proxy, clazz));
	fake.status = STATUS_DEAD_OBJECT;
	cr_expect(AIBinder_associateClass(proxy, clazz), "asked once");
	cr_expect(AIBinder_associateClass(proxy, twin), "the same name");
	cr_expect_eq(AIBinder_getClass(proxy), clazz, "the first one stays");
	cr_expect_not(AIBinder_associateClass(proxy, echo_class_new("other")));
	cr_expect_not(AIBinder_associateClass(local, twin), "it has its own");
	cr_expect(AIBinder_associateClass(local, clazz));
	cr_expect_not(AIBinder_associateClass(NULL, clazz));
	cr_expect_not(AIBinder_associateClass(local, NULL));
}

static binder_status_t say(AIBinder *binder, int fd, const char **args,
			   uint32_t num_args)
{
	(void)binder;
	dprintf(fd, "%u", num_args);
	for (uint32_t i = 0; i < num_args; i++)
		dprintf(fd, " %s", args[i]);
	return STATUS_OK;
}

Test(call, dump)
{
	const char *args[] = {"one", "two"};
	char text[32] = "";
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_expect_eq(AIBinder_dump(local, fds[1], args, 2), STATUS_OK,
		     "an object that has nothing to say");
	AIBinder_Class_setOnDump(clazz, say);
	cr_expect_eq(AIBinder_dump(local, fds[1], args, 2), STATUS_OK);
	cr_expect_gt(read(fds[0], text, sizeof(text) - 1), 0);
	cr_expect_str_eq(text, "2 one two");
	cr_expect_eq(AIBinder_dump(local, -1, args, 2), STATUS_BAD_VALUE);
	cr_expect_eq(AIBinder_dump(local, fds[1], NULL, 2),
		     STATUS_UNEXPECTED_NULL);
	cr_expect_eq(AIBinder_dump(proxy, fds[1], args, 1), STATUS_OK);
	cr_expect_eq(fake.code, CODE_DUMP);
	cr_expect_str_eq(fake.request, "0200000000000000"
				       "01000000"
				       "030000006f006e0065000000");
	fake.session.allow_fds = false;
	cr_expect_eq(AIBinder_dump(proxy, fds[1], args, 1),
		     STATUS_FDS_NOT_ALLOWED);
	close(fds[0]);
	close(fds[1]);
}
