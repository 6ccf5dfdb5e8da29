/* Serves an object: adds numbers, and calls an object of the host's back. */
#include <avf/rpc.h>
#include <avf/vm_payload.h>

#include <android/binder_parcel.h>

#define PORT 5679U

static void *on_create(void *args)
{
	return args;
}

static void on_destroy(void *user_data)
{
	(void)user_data;
}

static AIBinder_Class *clazz;

/* 1: the sum of two numbers. 2: ping an object, and say what came of it. */
static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	AIBinder *callback;
	int32_t a = 0, b = 0;
	binder_status_t rc;

	(void)binder;
	if (code == 1) {
		(void)AParcel_readInt32(in, &a);
		(void)AParcel_readInt32(in, &b);
		return AParcel_writeInt32(out, a + b);
	}
	if (code != 2)
		return STATUS_UNKNOWN_TRANSACTION;
	rc = AParcel_readStrongBinder(in, &callback);
	if (rc != STATUS_OK)
		return rc;
	rc = AIBinder_ping(callback);
	AIBinder_decStrong(callback);
	return AParcel_writeInt32(out, rc);
}

static void on_ready(void *param)
{
	(void)param;
	AVmPayload_notifyPayloadReady();
}

int AVmPayload_main(void)
{
	clazz = AIBinder_Class_define("org.avf.test.IPayload", on_create,
				      on_destroy, on_transact);
	AVmPayload_runVsockRpcServer(AIBinder_new(clazz, 0), PORT, on_ready, 0);
}
