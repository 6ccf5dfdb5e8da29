/* A call from here, on a local or a remote object. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "binder/object.h"
#include "binder/parcel.h"
#include "binder/status.h"

#define KNOWN_FLAGS \
	((uint32_t)FLAG_ONEWAY | FLAG_CLEAR_BUF | FLAG_PRIVATE_VENDOR)

static void delete_parcel(AParcel **parcel)
{
	AParcel_delete(*parcel);
}

/* A call within the process: the same parcel that was written is read. */
static binder_status_t call_local(AIBinder *binder, uint32_t code, AParcel *in,
				  uint32_t flags, AParcel **ret_out)
{
	CLEANUP(delete_parcel) AParcel *out = parcel_new(NULL);
	binder_status_t rc;

	if (!out)
		return STATUS_NO_MEMORY;
	in->pos = 0;
	rc = object_execute(binder, code, in, out);
	out->pos = 0;
	if (rc == STATUS_OK && (flags & FLAG_ONEWAY) == 0)
		*ret_out = TAKE_PTR(out);
	return rc;
}

binder_status_t object_call(AIBinder *binder, uint32_t code, AParcel *taken,
			    uint32_t flags, AParcel **ret_out)
{
	CLEANUP(delete_parcel) AParcel *in = taken;
	struct binder_session *session = binder->session;
	binder_status_t rc;

	*ret_out = NULL;
	/* a parcel knows from its first byte on where it goes */
	if (in->session != session)
		return STATUS_BAD_TYPE;
	if (flags & FLAG_CLEAR_BUF)
		in->sensitive = true;
	if (session)
		rc = session->ops->transact(session, binder, code, in, flags,
					    ret_out);
	else
		rc = call_local(binder, code, in, flags, ret_out);
	if (*ret_out && (flags & FLAG_CLEAR_BUF))
		(*ret_out)->sensitive = true;
	return rc == STATUS_OK ? rc : status_prune(rc);
}

binder_status_t AvfBinder_prepareTransaction(AIBinder *binder, AParcel **ret_in)
{
	AParcel *in;

	if (!binder || !ret_in)
		return STATUS_UNEXPECTED_NULL;
	in = parcel_new(binder->session);
	if (!in)
		return STATUS_NO_MEMORY;
	AIBinder_incStrong(binder);
	in->target = binder;
	*ret_in = in;
	return STATUS_OK;
}

binder_status_t AIBinder_prepareTransaction(AIBinder *binder, AParcel **ret_in)
{
	CLEANUP(delete_parcel) AParcel *in = NULL;
	const AIBinder_Class *clazz;
	binder_status_t rc;

	if (!binder || !ret_in)
		return STATUS_UNEXPECTED_NULL;
	*ret_in = NULL;
	clazz = AIBinder_getClass(binder);
	if (!clazz)
		return STATUS_INVALID_OPERATION;
	rc = AvfBinder_prepareTransaction(binder, &in);
	if (rc == STATUS_OK && !clazz->no_token)
		rc = parcel_write_utf8(in, clazz->descriptor,
				       strlen(clazz->descriptor));
	if (rc == STATUS_OK)
		*ret_in = TAKE_PTR(in);
	return rc;
}

binder_status_t AIBinder_transact(AIBinder *binder, transaction_code_t code,
				  AParcel **in, AParcel **out,
				  binder_flags_t flags)
{
	CLEANUP(delete_parcel) AParcel *taken = NULL;
	AParcel *result;
	binder_status_t rc;

	if (!in)
		return STATUS_UNEXPECTED_NULL;
	taken = TAKE_PTR(*in);
	if (!binder || !taken || !out)
		return STATUS_UNEXPECTED_NULL;
	*out = NULL;
	if (code < FIRST_CALL_TRANSACTION || code > LAST_CALL_TRANSACTION)
		return STATUS_UNKNOWN_TRANSACTION;
	if ((flags & ~KNOWN_FLAGS) != 0 || taken->target != binder)
		return STATUS_BAD_VALUE;
	rc = object_call(binder, code, TAKE_PTR(taken), flags, &result);
	if (rc != STATUS_OK)
		return rc;
	/* the caller of a oneway method reads nothing, and frees something */
	*out = result ? result : parcel_new(binder->session);
	return *out ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Call @code, which has no arguments. */
static binder_status_t ask(AIBinder *binder, uint32_t code, AParcel **ret_out)
{
	AParcel *in = parcel_new(binder->session);

	if (!in)
		return STATUS_NO_MEMORY;
	return object_call(binder, code, in, 0, ret_out);
}

binder_status_t AIBinder_ping(AIBinder *binder)
{
	CLEANUP(delete_parcel) AParcel *out = NULL;

	if (!binder)
		return STATUS_UNEXPECTED_NULL;
	return ask(binder, CODE_PING, &out);
}

binder_status_t AvfBinder_readDescriptor(AIBinder *binder, void *string_data,
					 AParcel_stringAllocator allocator)
{
	CLEANUP(delete_parcel) AParcel *out = NULL;
	binder_status_t rc;

	if (!binder || !allocator)
		return STATUS_UNEXPECTED_NULL;
	rc = ask(binder, CODE_INTERFACE, &out);
	if (rc != STATUS_OK)
		return rc;
	return AParcel_readString(out, string_data, allocator);
}

/* Whether a remote object says that it has the interface @descriptor. */
static bool answers_to(AIBinder *binder, const char *descriptor)
{
	CLEANUP(delete_parcel) AParcel *out = NULL;
	CLEANUP(free_p) char *name = NULL;

	return ask(binder, CODE_INTERFACE, &out) == STATUS_OK &&
	       parcel_read_utf8(out, &name, NULL) == STATUS_OK && name &&
	       strcmp(name, descriptor) == 0;
}

bool AIBinder_associateClass(AIBinder *binder, const AIBinder_Class *clazz)
{
	const AIBinder_Class *present;

	if (!binder || !clazz)
		return false;
	present = AIBinder_getClass(binder);
	if (present == clazz)
		return true;
	if (!binder->session)
		return false;
	/* the first class stays; another one of the same name is as good */
	if (present)
		return strcmp(present->descriptor, clazz->descriptor) == 0;
	if (!answers_to(binder, clazz->descriptor))
		return false;
	(void)__atomic_compare_exchange_n(&binder->clazz, &present, clazz,
					  false, __ATOMIC_ACQ_REL,
					  __ATOMIC_ACQUIRE);
	return true;
}

binder_status_t AIBinder_getExtension(AIBinder *binder, AIBinder **ret_ext)
{
	CLEANUP(delete_parcel) AParcel *out = NULL;
	binder_status_t rc;

	if (!binder || !ret_ext)
		return STATUS_UNEXPECTED_NULL;
	*ret_ext = NULL;
	rc = ask(binder, CODE_EXTENSION, &out);
	if (rc != STATUS_OK)
		return rc;
	return AParcel_readStrongBinder(out, ret_ext);
}

/* The arguments of dump: where to, and the words. */
static binder_status_t write_dump(AParcel *in, int fd, const char **args,
				  uint32_t num_args)
{
	binder_status_t rc;

	rc = parcel_write_fd(in, fd);
	if (rc == STATUS_OK)
		rc = AParcel_writeInt32(in, (int32_t)num_args);
	for (uint32_t i = 0; rc == STATUS_OK && i < num_args; i++)
		rc = parcel_write_utf8(in, args[i], strlen(args[i]));
	return rc;
}

binder_status_t AIBinder_dump(AIBinder *binder, int fd, const char **args,
			      uint32_t num_args)
{
	CLEANUP(delete_parcel) AParcel *in = NULL;
	CLEANUP(delete_parcel) AParcel *out = NULL;
	binder_status_t rc;

	if (!binder || (num_args > 0 && !args))
		return STATUS_UNEXPECTED_NULL;
	if (num_args > INT32_MAX)
		return STATUS_BAD_VALUE;
	in = parcel_new(binder->session);
	if (!in)
		return STATUS_NO_MEMORY;
	rc = write_dump(in, fd, args, num_args);
	if (rc != STATUS_OK)
		return rc;
	return object_call(binder, CODE_DUMP, TAKE_PTR(in), 0, &out);
}
