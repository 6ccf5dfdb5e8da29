/* Wire version 2, byte for byte: parcels list their objects. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <unistd.h>

#include <android/binder_parcel.h>
#include <android/binder_rpc_unstable.h>

#include "base/checked.h"
#include "rpc/rpc_server.h"
#include "support/raw_peer.h"

enum {
	READ_IT = FIRST_CALL_TRANSACTION, /* an object, which is dropped */
	READ_NOTHING,
	FAIL,
	MAKE_TWO, /* returns two objects, and a number in between */
};

static AIBinder_Class *the_class;

static void *on_create(void *args)
{
	return args;
}

static void on_destroy(void *user_data)
{
	(void)user_data;
}

static binder_status_t make_two(AParcel *out)
{
	AIBinder *made;
	binder_status_t rc = STATUS_OK;

	for (int i = 0; i < 2 && rc == STATUS_OK; i++) {
		made = AIBinder_new(the_class, NULL);
		rc = AParcel_writeStrongBinder(out, made);
		AIBinder_decStrong(made);
		if (rc == STATUS_OK)
			rc = AParcel_writeInt32(out, 7);
	}
	return rc;
}

static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	AIBinder *read = NULL;
	binder_status_t rc;

	(void)binder;
	switch (code) {
	case READ_IT:
		rc = AParcel_readStrongBinder(in, &read);
		AIBinder_decStrong(read);
		return rc;
	case READ_NOTHING:
		return STATUS_OK;
	case MAKE_TWO:
		return make_two(out);
	default:
		return STATUS_PERMISSION_DENIED;
	}
}

static char path[128];
static ARpcServer *server;
static AIBinder *root;
static int client;

#define WELCOME_2 "02000000 00000000"

/* A session of version 2, which has the root. */
static void set_up(void)
{
	raw_socket_path(path, sizeof(path));
	the_class = AIBinder_Class_define("two", on_create, on_destroy,
					  on_transact);
	AIBinder_Class_disableInterfaceTokenHeader(the_class);
	root = AIBinder_new(the_class, NULL);
	server = AvfRpcServer_newUnixDomain(root, path);
	cr_assert(AvfRpcServer_setProtocolVersion(server, 2));
	ARpcServer_start(server);
	client = raw_connect(path);
	raw_send(client, RAW_HELLO("02000000") RAW_INIT);
	cr_assert(raw_expect(client, WELCOME_2));
	raw_send(client, RAW_CALL(RAW_NONE, "00000000", "00000000", RAW_NONE));
	/* the object at 0 is in the table behind the parcel */
	cr_assert(raw_expect(client,
			     RAW_REPLY("28000000", "00000000",
				       "10000000") "01000000 " RAW_SERVER
						   " 0c000000 00000000"));
}

static size_t count_objects(void)
{
	return rpc_table_count(&server->sessions->table);
}

static void tear_down(void)
{
	cr_expect_eq(count_objects(), 1, "only the root");
	close(client);
	ARpcServer_free(server);
	cr_expect_eq(AIBinder_debugGetRefCount(root), 1);
	AIBinder_decStrong(root);
	(void)unlink(path);
}

TestSuite(version_2, .init = set_up, .fini = tear_down, .timeout = 60);

/* A call with one object of the client's, and its table. */
#define CALL_WITH(code, body_size, object, table)                          \
	RAW_HEADER("00000000", body_size)                                  \
	RAW_SERVER " " code " 00000000 " RAW_NONE                          \
		   " 10000000 00000000 00000000 00000000 01000000 " object \
		   " 0c000000 " table

#define PAID(status)                    \
	RAW_DEC(RAW_SERVER, "01000000") \
	RAW_REPLY("14000000", status, "00000000")

Test(version_2, objects_are_given_back_whoever_reads_them)
{
	static const struct {
		const char *code, *status;
	} rows[] = {
		{"01000000", "00000000"},
		{"02000000", "00000000"},
		{"03000000", "ffffffff"},
		{"00000000", "b6ffffff"}, /* no such code */
	};
	char call[512];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)snprintf(
			call, sizeof(call),
			CALL_WITH("%s", "3c000000", RAW_CLIENT, "00000000"),
			rows[i].code);
		raw_send(client, call);
		(void)snprintf(call, sizeof(call),
			       RAW_DEC(RAW_CLIENT, "01000000") PAID("%s"),
			       rows[i].status);
		cr_expect(raw_expect(client, call), "code %s", rows[i].code);
	}
}

/* Refused before anybody could read it. */
Test(version_2, a_call_on_nothing_gives_its_objects_back)
{
	raw_send(client, RAW_HEADER("00000000",
				    "3c000000") "07000000 00000000 01000000 "
						"00000000 " RAW_NONE
						" 10000000 00000000 00000000 "
						"00000000 01000000 " RAW_CLIENT
						" 0c000000 00000000");
	cr_expect(raw_expect(client,
			     RAW_REPLY("14000000", "eaffffff", "00000000")
				     RAW_DEC(RAW_CLIENT, "01000000")));
}

Test(version_2, an_object_that_is_not_listed)
{
	raw_send(client, CALL_WITH("01000000", "38000000", RAW_CLIENT, ""));
	cr_expect(raw_expect(client, PAID("eaffffff")));
	/* at a position that is no object's */
	raw_send(client,
		 CALL_WITH("01000000", "3c000000", RAW_CLIENT, "04000000"));
	cr_expect(raw_expect(client, PAID("eaffffff")));
	raw_send(client,
		 CALL_WITH("01000000", "3c000000", RAW_CLIENT, "08000000"));
	cr_expect(raw_expect(client, PAID("01000080")));
	raw_send(client,
		 CALL_WITH("01000000", "3c000000", RAW_CLIENT, "10000000"));
	cr_expect(raw_expect(client, PAID("eaffffff")));
}

/* It was sent once, and would be given back twice. */
Test(version_2, the_same_position_twice)
{
	raw_send(client, CALL_WITH("02000000", "40000000", RAW_CLIENT,
				   "00000000 00000000"));
	cr_expect(raw_expect(client, PAID("eaffffff")));
}

Test(version_2, objects_in_a_reply_are_listed)
{
	raw_send(client,
		 RAW_CALL(RAW_SERVER, "04000000", "00000000", RAW_NONE));
	cr_assert(raw_expect(client,
			     RAW_DEC(RAW_SERVER, "01000000") RAW_REPLY(
				     "44000000", "00000000",
				     "28000000") "01000000 03000000 01000000 "
						 "0c000000 07000000 "
						 "01000000 03000000 02000000 "
						 "0c000000 07000000 "
						 "00000000 14000000"));
	cr_expect_eq(count_objects(), 3);
	raw_send(client,
		 RAW_DEC("03000000 01000000",
			 "01000000") RAW_DEC("03000000 02000000", "01000000")
			 RAW_CALL(RAW_NONE, "01000000", "00000000", RAW_NONE));
	cr_expect(raw_expect(client, RAW_REPLY("18000000", "00000000",
					       "04000000") "01000000"));
}
