/* The order of oneway calls, call by call. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <android/binder_parcel.h>

#include "rpc/rpc_oneway.h"

#define ADDRESS 3ULL /* the server's first object */

static const struct rpc_settings settings = {.version = 1, .max_threads = 1};
static struct rpc_session *session;
static AIBinder *local;
static int32_t heard[64];
static size_t n_heard;

static void *on_create(void *args)
{
	return args;
}

static void on_destroy(void *user_data)
{
	(void)user_data;
}

static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	(void)binder;
	(void)out;
	(void)code;
	cr_assert_lt(n_heard, 64);
	return AParcel_readInt32(in, &heard[n_heard++]);
}

/* The peer has the object, and a reference for each call that comes. */
static void set_up(void)
{
	static AIBinder_Class *clazz; /* for ever, as all are */
	uint64_t address;

	clazz = AIBinder_Class_define("one", on_create, on_destroy,
				      on_transact);
	AIBinder_Class_disableInterfaceTokenHeader(clazz);
	session = rpc_session_new(true, &settings);
	local = AIBinder_new(clazz, NULL);
	cr_assert_eq(rpc_table_leave(&session->table, &session->base, local,
				     &address),
		     STATUS_OK);
	cr_assert_eq(address, ADDRESS);
}

static void tear_down(void)
{
	rpc_session_end(session);
	rpc_session_unref(session);
	cr_expect_eq(AIBinder_debugGetRefCount(local), 1);
	AIBinder_decStrong(local);
}

TestSuite(oneway, .init = set_up, .fini = tear_down, .timeout = 60);

/* Call number @number, with @size bytes. */
static struct rpc_oneway *make_call(uint64_t number, size_t size)
{
	struct rpc_oneway *call = calloc(1, sizeof(*call));
	int32_t value = (int32_t)number;

	call->number = number;
	call->code = FIRST_CALL_TRANSACTION;
	call->frame.block = calloc(1, size);
	call->frame.size = size;
	memcpy(call->frame.block, &value, sizeof(value));
	cr_assert_eq(
		rpc_table_enter_target(&session->table, ADDRESS, &call->target),
		STATUS_OK);
	return call;
}

/* Call number @number arrives, with @size bytes and @n_fds descriptors. */
static binder_status_t arrive_large(uint64_t number, size_t size, size_t n_fds)
{
	struct rpc_oneway *call = make_call(number, size);

	call->frame.fds = calloc(n_fds + 1, sizeof(int));
	call->frame.n_fds = n_fds;
	for (size_t i = 0; i < n_fds; i++)
		call->frame.fds[i] = dup(2);
	return rpc_oneway_receive(session, ADDRESS, call);
}

static binder_status_t arrive(uint64_t number)
{
	return arrive_large(number, sizeof(int32_t), 0);
}

Test(oneway, run_in_the_order_of_their_numbers)
{
	static const uint64_t arrivals[] = {0, 2, 5, 4, 1, 7, 6, 3};

	for (size_t i = 0; i < 8; i++)
		cr_assert_eq(arrive(arrivals[i]), STATUS_OK);
	cr_assert_eq(n_heard, 8);
	for (int32_t i = 0; i < 8; i++)
		cr_expect_eq(heard[i], i);
	cr_expect_eq(session->table.queued_bytes, 0);
}

Test(oneway, wait_for_the_one_that_is_missing)
{
	cr_assert_eq(arrive(1), STATUS_OK);
	cr_assert_eq(arrive(2), STATUS_OK);
	cr_expect_eq(n_heard, 0);
	cr_expect_eq(session->table.queued_bytes,
		     2 * (sizeof(struct rpc_oneway) + sizeof(int32_t)));
	/* and are dropped with the session: AddressSanitizer looks */
}

Test(oneway, numbers_that_were_there_before)
{
	cr_assert_eq(arrive(0), STATUS_OK);
	cr_assert_eq(arrive(1), STATUS_OK);
	cr_expect_eq(arrive(1), STATUS_BAD_VALUE, "has run");
	cr_assert_eq(arrive(4), STATUS_OK);
	cr_expect_eq(arrive(4), STATUS_BAD_VALUE, "waits");
	cr_expect_eq(arrive(0), STATUS_BAD_VALUE, "while another waits");
	cr_expect_eq(n_heard, 2);
}

/* A peer that gave the object up, and has it again, counts from 0. */
Test(oneway, a_second_life)
{
	cr_assert_eq(arrive(0), STATUS_OK);
	cr_assert_eq(arrive(1), STATUS_OK);
	cr_assert_eq(arrive(0), STATUS_OK);
	cr_assert_eq(arrive(1), STATUS_OK);
	cr_expect_eq(n_heard, 4);
}

Test(oneway, far_ahead)
{
	cr_assert_eq(arrive(UINT64_MAX), STATUS_OK);
	cr_assert_eq(arrive(0), STATUS_OK);
	cr_expect_eq(n_heard, 1);
}

Test(oneway, too_many_wait)
{
	session->table.max_queued = 3;
	for (uint64_t i = 1; i < 4; i++)
		cr_assert_eq(arrive(i), STATUS_OK);
	cr_expect_eq(arrive(4), STATUS_FAILED_TRANSACTION);
	/* those that are run now need no room */
	cr_expect_eq(arrive(0), STATUS_OK);
	cr_expect_eq(n_heard, 4);
}

Test(oneway, too_many_bytes_wait)
{
	const size_t half =
		RPC_MAX_QUEUED_BYTES / 2 - sizeof(struct rpc_oneway);

	cr_assert_eq(arrive_large(1, half, 0), STATUS_OK);
	cr_assert_eq(arrive_large(2, half, 0), STATUS_OK);
	cr_expect_eq(arrive_large(3, 4, 0), STATUS_FAILED_TRANSACTION);
}

/* Those that carry nothing take memory, too, and each object has its queue. */
Test(oneway, too_many_empty_calls_wait)
{
	const size_t most = RPC_MAX_QUEUED_BYTES / sizeof(struct rpc_oneway);
	binder_status_t rc = STATUS_OK;
	size_t n = 0;

	session->table.max_queued = SIZE_MAX;
	while (rc == STATUS_OK && n <= most) {
		n++;
		rc = arrive_large(n, sizeof(int32_t), 0);
	}
	cr_expect_eq(rc, STATUS_FAILED_TRANSACTION);
	cr_expect_leq(n, most);
}

/* A table can be as large as the parcel. */
Test(oneway, too_large_tables_wait)
{
	const size_t entries =
		(RPC_MAX_QUEUED_BYTES - 4 - sizeof(struct rpc_oneway)) / 8;
	struct rpc_oneway *call = make_call(1, 4);

	call->frame.positions = calloc(entries, sizeof(uint32_t));
	call->frame.n_positions = entries;
	cr_assert_eq(rpc_oneway_receive(session, ADDRESS, call), STATUS_OK);
	cr_expect_eq(arrive_large(2, 8, 0), STATUS_FAILED_TRANSACTION);
	/* what has run has given all of it back */
	cr_assert_eq(arrive(0), STATUS_OK);
	cr_expect_eq(n_heard, 2);
	cr_expect_eq(session->table.queued_bytes, 0);
}

Test(oneway, too_many_descriptors_wait)
{
	for (uint64_t i = 1; i <= 4; i++)
		cr_assert_eq(arrive_large(i, 4, 253), STATUS_OK);
	cr_expect_eq(arrive_large(5, 4, 13), STATUS_FAILED_TRANSACTION);
	cr_expect_eq(arrive_large(6, 4, 12), STATUS_OK);
}

/* The reference of a call that waits is not paid with another's. */
Test(oneway, references_are_kept_until_it_has_run)
{
	bool empty;

	cr_assert_eq(arrive(1), STATUS_OK);
	cr_expect_eq(rpc_table_pay(&session->table, ADDRESS, NULL, &empty), 0);
	cr_assert_eq(arrive(0), STATUS_OK);
	cr_expect_eq(rpc_table_pay(&session->table, ADDRESS, NULL, &empty), 2);
	cr_expect_not(empty, "the peer still has its own");
}
