/* Every message as bytes, in each wire version, and what is read of them. */
#include <criterion/criterion.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <android/binder_parcel.h>

#include "base/checked.h"
#include "rpc/rpc_frame.h"
#include "support/echo_object.h"
#include "support/raw_peer.h"

static struct rpc_session *session;
static struct rpc_conn *conn;
static int peer;
static struct echo_object state;
static AIBinder *local;

/* A session of @version, as its client has it. */
static void open_session(uint32_t version)
{
	const struct rpc_settings settings = {
		.version = version, .max_frame = 1000, .max_threads = 1};
	int pair[2];

	session = rpc_session_new(false, &settings);
	cr_assert(session);
	session->base.allow_fds = true;
	session->base.lists_objects = version == 2;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
		     0);
	conn = rpc_conn_new(pair[0], true);
	peer = pair[1];
}

static void close_session(void)
{
	rpc_session_end(session);
	rpc_session_unref(session);
	rpc_conn_free(conn);
	close(peer);
}

static void set_up(void)
{
	local = AIBinder_new(echo_class_new("echo"), &state);
}

static void tear_down(void)
{
	cr_expect_eq(AIBinder_debugGetRefCount(local), 1);
	AIBinder_decStrong(local);
}

TestSuite(frame, .init = set_up, .fini = tear_down, .timeout = 60);

/* ---- written
 * -------------------------------------------------------------------------- */

/* A number, an object, a number. */
static AParcel *new_parcel(void)
{
	AParcel *p = parcel_new(&session->base);

	cr_assert_eq(AParcel_writeInt32(p, 7), STATUS_OK);
	cr_assert_eq(AParcel_writeStrongBinder(p, local), STATUS_OK);
	cr_assert_eq(AParcel_writeInt32(p, 8), STATUS_OK);
	cr_assert_eq(rpc_frame_check(session, p), STATUS_OK);
	return p;
}

#define PARCEL "07000000 01000000 " RAW_CLIENT " 0c000000 08000000 "

/* The object is at 4. */
static const struct {
	const char *call, *reply, *bad_reply;
} golden[3] = {
	{RAW_HEADER("00000000", "40000000") RAW_SERVER
	 " 05000000 00000000 00000000 00000000 18000000 "
	 "00000000 00000000 00000000 " PARCEL,
	 RAW_HEADER("01000000", "1c000000") "00000000 " PARCEL,
	 RAW_HEADER("01000000", "04000000") "ffffffff "},
	{RAW_HEADER("00000000", "40000000") RAW_SERVER
	 " 05000000 00000000 00000000 00000000 18000000 "
	 "00000000 00000000 00000000 " PARCEL,
	 RAW_REPLY("2c000000", "00000000", "18000000") PARCEL,
	 RAW_REPLY("14000000", "ffffffff", "00000000")},
	{RAW_HEADER("00000000", "44000000") RAW_SERVER
	 " 05000000 00000000 00000000 00000000 18000000 "
	 "00000000 00000000 00000000 " PARCEL "04000000",
	 RAW_REPLY("30000000", "00000000", "18000000") PARCEL "04000000",
	 RAW_REPLY("14000000", "ffffffff", "00000000")},
};

Test(frame, written_in_each_version)
{
	const struct rpc_wire_transaction call = {
		.address = le64_make(3),
		.code = le32_make(5),
		.parcel_size = le32_make(24),
	};
	const struct rpc_payment payment = {.address = 3, .amount = 2};
	AParcel *p;

	for (uint32_t version = 0; version < 3; version++) {
		open_session(version);
		p = new_parcel();
		cr_assert_eq(rpc_frame_write_call(session, conn, &call, p),
			     STATUS_OK);
		cr_expect(raw_expect(peer, golden[version].call), "version %u",
			  version);
		cr_expect(p->sent);
		p->sent = false;
		cr_assert_eq(rpc_frame_write_reply(session, conn, STATUS_OK, p,
						   &payment),
			     STATUS_OK);
		cr_expect(raw_expect(peer, RAW_DEC(RAW_SERVER, "02000000")));
		cr_expect(raw_expect(peer, golden[version].reply));
		/* with a status nothing else goes */
		cr_assert_eq(rpc_frame_write_reply(session, conn,
						   STATUS_PERMISSION_DENIED, p,
						   NULL),
			     STATUS_OK);
		cr_expect(raw_expect(peer, golden[version].bad_reply));
		cr_assert_eq(rpc_frame_write_dec_strong(conn, 1ULL << 32 | 1,
							UINT32_MAX),
			     STATUS_OK);
		cr_expect(raw_expect(peer,
				     RAW_DEC("01000000 01000000", "ffffffff")));
		AParcel_delete(p);
		close_session();
	}
}

Test(frame, what_cannot_be_sent)
{
	static const struct {
		uint32_t version;
		size_t size;
		int n_fds;
		binder_status_t status;
	} rows[] = {
		{1, 99960, 0, STATUS_OK},
		{1, 99964, 0, STATUS_FAILED_TRANSACTION},
		{2, 614340, 0, STATUS_OK},
		{2, 614344, 0, STATUS_FAILED_TRANSACTION},
		{0, 8, 1, STATUS_BAD_VALUE},
		{1, 8, 1, STATUS_OK},
		{1, 8, 253, STATUS_OK},
		{1, 8, 254, STATUS_BAD_VALUE},
		{1, 99956, 1, STATUS_OK},
		{1, 99960, 1, STATUS_FAILED_TRANSACTION}, /* its table */
	};
	AParcel *p;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_session(rows[i].version);
		p = parcel_new(&session->base);
		for (int k = 0; k < rows[i].n_fds; k++)
			cr_assert_eq(parcel_write_fd(p, 2), STATUS_OK);
		if (p->size < rows[i].size) {
			(void)AParcel_setDataPosition(p, (int32_t)rows[i].size -
								 4);
			cr_assert_eq(AParcel_writeInt32(p, 1), STATUS_OK);
		}
		cr_expect_eq(rpc_frame_check(session, p), rows[i].status,
			     "row %zu", i);
		AParcel_delete(p);
		close_session();
	}
}

/* A reply that cannot be sent becomes a status. */
Test(frame, a_reply_that_is_too_large)
{
	AParcel *p;

	open_session(1);
	p = parcel_new(&session->base);
	(void)AParcel_setDataPosition(p, 99996);
	cr_assert_eq(AParcel_writeInt32(p, 1), STATUS_OK);
	cr_assert_eq(rpc_frame_write_reply(session, conn, STATUS_OK, p, NULL),
		     STATUS_OK);
	cr_expect(raw_expect(peer,
			     RAW_REPLY("14000000", "02000080", "00000000")));
	AParcel_delete(p);
	close_session();
}

/* ---- read
 * ------------------------------------------------------------------------------
 */

Test(frame, headers_that_are_refused)
{
	static const struct {
		const char *what, *bytes;
		binder_status_t status;
	} rows[] = {
		{"a call that is too short", RAW_HEADER("00000000", "27000000"),
		 STATUS_BAD_VALUE},
		{"a reply that is too short",
		 RAW_HEADER("01000000", "13000000"), STATUS_BAD_VALUE},
		{"a payment that is too short",
		 RAW_HEADER("02000000", "0f000000"), STATUS_BAD_VALUE},
		{"a payment that is too long",
		 RAW_HEADER("02000000", "11000000"), STATUS_BAD_VALUE},
		{"a call beyond the limit", RAW_HEADER("00000000", "e9030000"),
		 STATUS_NO_MEMORY},
		{"a reply beyond the limit", RAW_HEADER("01000000", "fd030000"),
		 STATUS_NO_MEMORY},
		{"four gigabytes", RAW_HEADER("00000000", "ffffffff"),
		 STATUS_NO_MEMORY},
		{"no such command", RAW_HEADER("03000000", "28000000"),
		 STATUS_BAD_TYPE},
		{"no such command at all", RAW_HEADER("ffffffff", "10000000"),
		 STATUS_BAD_TYPE},
		{"half a header", "00000000", STATUS_DEAD_OBJECT},
		{"half a body", RAW_HEADER("02000000", "10000000") "03000000",
		 STATUS_DEAD_OBJECT},
	};
	struct rpc_frame frame;
	bool eof;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_session(1);
		raw_send(peer, rows[i].bytes);
		cr_assert_eq(shutdown(peer, SHUT_WR), 0);
		cr_expect_eq(rpc_frame_read(session, conn, &frame, &eof),
			     rows[i].status, "%s", rows[i].what);
		cr_expect_not(eof, "%s", rows[i].what);
		close_session();
	}
}

Test(frame, parcels_that_are_refused)
{
	static const struct {
		uint32_t version, parcel_size;
		size_t body; /* bytes behind the fixed part */
		binder_status_t status;
		size_t size, n_positions;
	} rows[] = {
		{1, 8, 8, STATUS_OK, 8, 0},
		{1, 8, 12, STATUS_OK, 8, 1},
		{1, 9, 8, STATUS_BAD_VALUE, 0, 0},
		{1, UINT32_MAX, 8, STATUS_BAD_VALUE, 0, 0},
		{1, 8, 9, STATUS_BAD_VALUE, 0, 0}, /* a quarter of an entry */
		{1, 0, 0, STATUS_OK, 0, 0},
		{0, 8, 16, STATUS_OK, 16, 0}, /* there is no table */
		{0, UINT32_MAX, 5, STATUS_OK, 5, 0},
		{2, 8, 16, STATUS_OK, 8, 2},
	};
	struct rpc_frame frame;
	struct parcel_frame parcel;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_session(rows[i].version);
		frame = (struct rpc_frame){.size = 40 + rows[i].body};
		frame.body = calloc(1, frame.size);
		parcel = (struct parcel_frame){0};
		cr_expect_eq(rpc_frame_split(session, &frame, 40,
					     rows[i].parcel_size, &parcel),
			     rows[i].status, "row %zu", i);
		cr_expect_eq(parcel.size, rows[i].size, "row %zu", i);
		cr_expect_eq(parcel.n_positions, rows[i].n_positions, "row %zu",
			     i);
		cr_expect_eq(parcel.lists_objects, rows[i].version == 2);
		parcel_frame_fini(&parcel);
		rpc_frame_fini(&frame);
		close_session();
	}
}

/* While a call cannot be written nothing but payments may come. */
Test(frame, drained)
{
	open_session(1);
	raw_send(peer, RAW_DEC(RAW_CLIENT, "01000000")
			       RAW_DEC(RAW_CLIENT, "01000000"));
	cr_expect_eq(rpc_frame_drain(session, conn), STATUS_OK);
	cr_expect_not(rpc_conn_readable(conn));
	raw_send(peer, RAW_REPLY("14000000", "00000000", "00000000"));
	cr_expect_eq(rpc_frame_drain(session, conn), STATUS_BAD_TYPE);
	close_session();
}

/* A peer that always has one more has no more time for that. */
Test(frame, drained_while_there_is_time)
{
	open_session(1);
	raw_send(peer, RAW_DEC(RAW_CLIENT, "01000000")
			       RAW_DEC(RAW_CLIENT, "01000000"));
	conn->deadline_ns = 1;
	cr_expect_eq(rpc_frame_drain(session, conn), STATUS_OK);
	cr_expect(rpc_conn_readable(conn), "the second is there");
	close_session();
}
