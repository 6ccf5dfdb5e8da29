#include <criterion/criterion.h>

#include <unistd.h>

#include "base/checked.h"
#include "support/echo_object.h"
#include "support/fake_session.h"
#include "support/parcel_bytes.h"

static int dump_fd, dump_args, shell_args;

static binder_status_t on_dump(AIBinder *binder, int fd, const char **args,
			       uint32_t num_args)
{
	(void)binder;
	(void)args;
	dump_fd = fd;
	dump_args = (int)num_args;
	return STATUS_OK;
}

static binder_status_t on_shell(AIBinder *binder, int in, int out, int err,
				const char **argv, uint32_t argc)
{
	(void)binder;
	(void)argv;
	shell_args = (int)argc;
	return in >= 0 && out >= 0 && err >= 0 ? STATUS_OK : STATUS_BAD_VALUE;
}

Test(execute, codes_that_every_object_knows)
{
	static const struct {
		const char *what;
		uint32_t code;
		binder_status_t status;
		const char *in, *out;
	} rows[] = {
		{"ping", CODE_PING, STATUS_OK, "", ""},
		{"interface", CODE_INTERFACE, STATUS_OK, "",
		 "04000000 65006300 68006f00 00000000"},
		{"no extension", CODE_EXTENSION, STATUS_OK, "",
		 "00000000 00000000"},
		{"system properties", CODE_SYSPROPS, STATUS_INVALID_OPERATION,
		 "", ""},
		{"an RPC client", CODE_SET_CLIENT, STATUS_INVALID_OPERATION, "",
		 ""},
		{"recording", CODE_RECORD_START, STATUS_INVALID_OPERATION, "",
		 ""},
		{"recording's end", CODE_RECORD_STOP, STATUS_INVALID_OPERATION,
		 "", ""},
		{"tweet", 0x5f545754, STATUS_UNKNOWN_TRANSACTION, "", ""},
		{"0", 0, STATUS_UNKNOWN_TRANSACTION, "", ""},
		{"1337", 1337, STATUS_UNKNOWN_TRANSACTION,
		 "04000000 65006300 68006f00 00000000", ""},
		{"a method without a token", ECHO_ADD, STATUS_BAD_TYPE, "", ""},
		{"a method with a null token", ECHO_ADD, STATUS_BAD_TYPE,
		 "ffffffff", ""},
		{"a method with half a token", ECHO_ADD, STATUS_BAD_TYPE,
		 "03000000 65006300 68000000", ""},
		{"a method", ECHO_ADD, STATUS_OK,
		 "04000000 65006300 68006f00 00000000 02000000 03000000",
		 "05000000"},
		{"a shell command without a shell", CODE_SHELL_COMMAND,
		 STATUS_INVALID_OPERATION, "", ""},
		{"dump without anything", CODE_DUMP, STATUS_OK, "", ""},
		{"dump with too many arguments", CODE_DUMP, STATUS_NO_MEMORY,
		 "02000000 00000000 ffffff7f 00000000", ""},
		{"dump with a null argument", CODE_DUMP, STATUS_UNEXPECTED_NULL,
		 "02000000 00000000 01000000 ffffffff", ""},
	};
	struct echo_object state = {0};
	AIBinder *local = AIBinder_new(echo_class_new("echo"), &state);
	AParcel *in, *out;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		in = parcel_from_hex(NULL, rows[i].in);
		out = parcel_new(NULL);
		cr_expect_eq(object_execute(local, rows[i].code, in, out),
			     rows[i].status, "%s", rows[i].what);
		cr_expect(parcel_is(out, rows[i].out), "%s", rows[i].what);
		AParcel_delete(in);
		AParcel_delete(out);
	}
	AIBinder_decStrong(local);
}

Test(execute, debug_pid)
{
	struct echo_object state = {0};
	AIBinder *local = AIBinder_new(echo_class_new("echo"), &state);
	AParcel *in = parcel_new(NULL), *out = parcel_new(NULL);
	int32_t pid;

	cr_expect_eq(object_execute(local, CODE_DEBUG_PID, in, out), STATUS_OK);
	out->pos = 0;
	cr_expect_eq(AParcel_readInt32(out, &pid), STATUS_OK);
	cr_expect_eq(pid, getpid());
	AParcel_delete(in);
	AParcel_delete(out);
	AIBinder_decStrong(local);
}

Test(execute, dump_and_shell_of_a_peer)
{
	struct echo_object state = {0};
	AIBinder_Class *clazz = echo_class_new("echo");
	AIBinder *local = AIBinder_new(clazz, &state);
	AParcel *in = parcel_new(NULL), *out = parcel_new(NULL);

	AIBinder_Class_setOnDump(clazz, on_dump);
	AIBinder_Class_setHandleShellCommand(clazz, on_shell);
	cr_expect_eq(object_execute(local, CODE_DUMP, in, out), STATUS_OK);
	cr_expect_lt(dump_fd, 0, "without a descriptor, as in Android");
	cr_expect_eq(object_execute(local, CODE_SHELL_COMMAND, in, out),
		     STATUS_NOT_ENOUGH_DATA);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(parcel_write_fd(in, 1), STATUS_OK);
	cr_assert_eq(AParcel_writeInt32(in, 1), STATUS_OK);
	cr_assert_eq(parcel_write_utf8(in, "x", 1), STATUS_OK);
	in->pos = 0;
	cr_expect_eq(object_execute(local, CODE_SHELL_COMMAND, in, out),
		     STATUS_OK);
	cr_expect_eq(shell_args, 1);
	in->pos = 16;
	cr_expect_eq(object_execute(local, CODE_DUMP, in, out), STATUS_OK);
	cr_expect_geq(dump_fd, 0);
	cr_expect_eq(dump_args, 1);
	AParcel_delete(in);
	AParcel_delete(out);
	AIBinder_decStrong(local);
}
