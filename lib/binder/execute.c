/* A call on a local object, from this process or from a peer. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "binder/object.h"
#include "binder/parcel.h"

/* Whether the parcel begins with the interface's name, as calls of methods
 * do. */
static binder_status_t check_token(const AIBinder_Class *clazz, AParcel *in)
{
	CLEANUP(free_p) char *name = NULL;
	size_t size;

	if (clazz->no_token || parcel_skip_ascii(in, clazz->descriptor))
		return STATUS_OK;
	if (parcel_read_utf8(in, &name, &size) != STATUS_OK || !name ||
	    size != strlen(clazz->descriptor) ||
	    memcmp(name, clazz->descriptor, size) != 0)
		return STATUS_BAD_TYPE;
	return STATUS_OK;
}

static binder_status_t execute_method(AIBinder *binder, uint32_t code,
				      AParcel *in, AParcel *out)
{
	const AIBinder_Class *clazz = AIBinder_getClass(binder);
	binder_status_t rc;

	rc = check_token(clazz, in);
	if (rc != STATUS_OK)
		return rc;
	return clazz->on_transact(binder, code, in, out);
}

/* The words of a command line; callbacks see them as constant. Freed with
 * free_args(). */
struct args {
	union {
		char **owned;
		const char **shown;
	} words;
	uint32_t count;
};

static void free_args(struct args *args)
{
	for (uint32_t i = 0; i < args->count; i++)
		free(args->words.owned[i]);
	free(args->words.owned);
}

static binder_status_t read_args(AParcel *in, struct args *args)
{
	int32_t count;
	binder_status_t rc;

	rc = parcel_read_length(in, sizeof(int32_t), &count);
	if (rc != STATUS_OK || count <= 0)
		return rc;
	args->words.owned = calloc((size_t)count, sizeof(char *));
	if (!args->words.owned)
		return STATUS_NO_MEMORY;
	for (int32_t i = 0; i < count; i++) {
		rc = parcel_read_utf8(in, &args->words.owned[i], NULL);
		if (rc != STATUS_OK)
			return rc;
		if (!args->words.owned[i])
			return STATUS_UNEXPECTED_NULL;
		args->count++;
	}
	return STATUS_OK;
}

static binder_status_t execute_dump(AIBinder *binder, AParcel *in)
{
	CLEANUP(free_args) struct args args = {0};
	CLEANUP(close_p) int fd = -1;
	AIBinder_onDump on_dump = AIBinder_getClass(binder)->on_dump;
	binder_status_t rc;

	/* as in Android a call without a descriptor reaches the object, which
	 * sees a negative one */
	(void)parcel_read_fd(in, &fd);
	rc = read_args(in, &args);
	if (rc == STATUS_NOT_ENOUGH_DATA)
		rc = STATUS_OK; /* no arguments */
	if (rc != STATUS_OK || !on_dump)
		return rc;
	return on_dump(binder, fd, args.words.shown, args.count);
}

static binder_status_t execute_shell_command(AIBinder *binder, AParcel *in)
{
	CLEANUP(free_args) struct args args = {0};
	CLEANUP(close_p) int input = -1;
	CLEANUP(close_p) int output = -1;
	CLEANUP(close_p) int error = -1;
	AIBinder_handleShellCommand handle =
		AIBinder_getClass(binder)->on_shell_command;
	binder_status_t rc;

	if (!handle)
		return STATUS_INVALID_OPERATION;
	rc = parcel_read_fd(in, &input);
	if (rc == STATUS_OK)
		rc = parcel_read_fd(in, &output);
	if (rc == STATUS_OK)
		rc = parcel_read_fd(in, &error);
	if (rc == STATUS_OK)
		rc = read_args(in, &args);
	if (rc != STATUS_OK)
		return rc;
	return handle(binder, input, output, error, args.words.shown,
		      args.count);
}

static binder_status_t execute_interface(AIBinder *binder, AParcel *out)
{
	const char *name = AIBinder_getClass(binder)->descriptor;

	return parcel_write_utf8(out, name, strlen(name));
}

binder_status_t object_execute(AIBinder *binder, uint32_t code,
			       const AParcel *in, AParcel *out)
{
	AParcel *cursor = parcel_cursor(in);

	if (code >= FIRST_CALL_TRANSACTION && code <= LAST_CALL_TRANSACTION)
		return execute_method(binder, code, cursor, out);
	switch (code) {
	case CODE_PING:
		return STATUS_OK;
	case CODE_INTERFACE:
		return execute_interface(binder, out);
	case CODE_EXTENSION:
		return AParcel_writeStrongBinder(out, binder->extension);
	case CODE_DEBUG_PID:
		return AParcel_writeInt32(out, getpid());
	case CODE_DUMP:
		return execute_dump(binder, cursor);
	case CODE_SHELL_COMMAND:
		return execute_shell_command(binder, cursor);
	case CODE_SYSPROPS:
	case CODE_SET_CLIENT:
	case CODE_RECORD_START:
	case CODE_RECORD_STOP:
		return STATUS_INVALID_OPERATION; /* Android's own */
	default:
		return STATUS_UNKNOWN_TRANSACTION;
	}
}
