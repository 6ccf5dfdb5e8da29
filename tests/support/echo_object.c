#include "support/echo_object.h"

#include <stdlib.h>

/* A class is never freed: here a leak checker finds them. */
#define MAX_CLASSES 64
static AIBinder_Class *classes[MAX_CLASSES];
static size_t n_classes;

static void *echo_create(void *args)
{
	struct echo_object *echo = args;

	echo->created++;
	return echo;
}

static void echo_destroy(void *user_data)
{
	((struct echo_object *)user_data)->destroyed++;
}

static binder_status_t echo_add(const AParcel *in, AParcel *out)
{
	int32_t a, b;

	if (AParcel_readInt32(in, &a) != STATUS_OK ||
	    AParcel_readInt32(in, &b) != STATUS_OK)
		return STATUS_NOT_ENOUGH_DATA;
	return AParcel_writeInt32(out, a + b);
}

static binder_status_t echo_binder(const AParcel *in, AParcel *out)
{
	AIBinder *binder;
	binder_status_t rc;

	rc = AParcel_readStrongBinder(in, &binder);
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_writeStrongBinder(out, binder);
	AIBinder_decStrong(binder);
	return rc;
}

static binder_status_t echo_transact(AIBinder *binder, transaction_code_t code,
				     const AParcel *in, AParcel *out)
{
	struct echo_object *echo = AIBinder_getUserData(binder);

	echo->calls++;
	if (echo->result != STATUS_OK)
		return echo->result;
	if (code == ECHO_ADD)
		return echo_add(in, out);
	if (code == ECHO_BINDER)
		return echo_binder(in, out);
	return STATUS_UNKNOWN_TRANSACTION;
}

AIBinder_Class *echo_class_new(const char *descriptor)
{
	AIBinder_Class *clazz = AIBinder_Class_define(
		descriptor, echo_create, echo_destroy, echo_transact);

	if (!clazz || n_classes == MAX_CLASSES)
		abort();
	classes[n_classes++] = clazz;
	return clazz;
}
