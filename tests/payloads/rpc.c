/* Serves an object: adds numbers, calls objects of the host's back: within a
 * call, and from a thread that has nothing to do with any, and calls what the
 * host serves. */
#include <pthread.h>
#include <sys/socket.h>

#include <linux/vm_sockets.h>

#include <avf/rpc.h>
#include <avf/vm_payload.h>

#include <android/binder_parcel.h>
#include <android/binder_rpc_unstable.h>

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

static binder_status_t call_with_42(AIBinder *binder)
{
	AParcel *in = NULL, *out = NULL;
	binder_status_t rc = STATUS_BAD_TYPE;

	/* the host's object may have a class of its own: so has this end */
	if (AIBinder_associateClass(binder, clazz))
		rc = AIBinder_prepareTransaction(binder, &in);
	if (rc == STATUS_OK)
		rc = AParcel_writeInt32(in, 42);
	if (rc == STATUS_OK)
		rc = AIBinder_transact(binder, 1, &in, &out, 0);
	AParcel_delete(in);
	AParcel_delete(out);
	return rc;
}

static void *call_later(void *data)
{
	AIBinder *callback = data;

	(void)call_with_42(callback);
	AIBinder_decStrong(callback);
	return 0;
}

/* Be the client of what the host serves at @port. */
static binder_status_t call_host(uint32_t port)
{
	ARpcSession *session = ARpcSession_new();
	AIBinder *root;
	binder_status_t rc;

	if (!session)
		return STATUS_NO_MEMORY;
	ARpcSession_setMaxIncomingThreads(session, 1);
	root = ARpcSession_setupVsockClient(session, VMADDR_CID_HOST, port);
	rc = AvfRpcSession_getError(session);
	ARpcSession_free(session);
	if (rc == STATUS_OK)
		rc = call_with_42(root);
	AIBinder_decStrong(root);
	return rc;
}

/* Have a thread call @callback, of which it takes the reference. */
static binder_status_t start_caller(AIBinder *callback)
{
	pthread_t thread;

	if (pthread_create(&thread, 0, call_later, callback) != 0) {
		AIBinder_decStrong(callback);
		return STATUS_NO_MEMORY;
	}
	pthread_detach(thread);
	return STATUS_OK;
}

/* 1: the sum of two numbers. 2: ping an object, and say what came of it. 3: let
 * the object be called when this call is over, or soon. 4: call what the host
 * serves at a port, and say what came of it. */
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
	if (code == 4) {
		(void)AParcel_readInt32(in, &a);
		return AParcel_writeInt32(out, call_host((uint32_t)a));
	}
	if (code != 2 && code != 3)
		return STATUS_UNKNOWN_TRANSACTION;
	rc = AParcel_readStrongBinder(in, &callback);
	if (rc != STATUS_OK)
		return rc;
	if (code == 3)
		return start_caller(callback);
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
