/*
 * RPC binder between the host and a payload, over the VM's vsock. On real KVM
 * (label lab), and with AVF_TEST_EMULATED under emulation.
 */
#include <stdlib.h>
#include <unistd.h>

#include <avf/rpc.h>

#include <android/binder_parcel.h>

#include "vm/linux_vm.h"

#define RPC_PORT 5679U
#define NO_PORT  5680U
#define WAIT_MS  30000
#define N_CALLS  200

static void *on_create(void *args)
{
	return args;
}

static void on_destroy(void *user_data)
{
	++*(int *)user_data;
}

static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	(void)binder;
	(void)code;
	(void)in;
	(void)out;
	return STATUS_UNKNOWN_TRANSACTION;
}

/* Make a call of which an int comes back. */
static int32_t call_int(AIBinder *root, uint32_t code, AParcel *in)
{
	AParcel *out = NULL;
	int32_t value = -1;

	CHECK(AIBinder_transact(root, code, &in, &out, 0) == STATUS_OK);
	CHECK(out && AParcel_readInt32(out, &value) == STATUS_OK);
	AParcel_delete(out);
	return value;
}

static void add_numbers(AIBinder *root)
{
	AParcel *in = NULL;

	for (int32_t i = 0; i < N_CALLS; i++) {
		CHECK(AIBinder_prepareTransaction(root, &in) == STATUS_OK);
		CHECK(AParcel_writeInt32(in, i) == STATUS_OK);
		CHECK(AParcel_writeInt32(in, 1000) == STATUS_OK);
		CHECK(call_int(root, 1, in) == i + 1000);
	}
}

static void call_back(AIBinder *root, AIBinder_Class *clazz)
{
	int destroyed = 0;
	AIBinder *mine = AIBinder_new(clazz, &destroyed);
	AParcel *in = NULL;

	CHECK(AIBinder_prepareTransaction(root, &in) == STATUS_OK);
	CHECK(AParcel_writeStrongBinder(in, mine) == STATUS_OK);
	CHECK(call_int(root, 2, in) == STATUS_OK);
	AIBinder_decStrong(mine);
	CHECK(destroyed == 1);
}

static void rpc_payload(void)
{
	static AIBinder_Class *clazz;
	AIBinder *root = NULL, *none = NULL;
	struct vmt_vm v;

	clazz = AIBinder_Class_define("org.avf.test.IPayload", on_create,
				      on_destroy, on_transact);
	if (!linux_start(&v, "rpc"))
		return;
	CHECK(avf_vm_connect_rpc(v.vm, NO_PORT, WAIT_MS, &none) ==
	      AVF_ERR_REFUSED);
	CHECK(!none);
	CHECK_OK(avf_vm_connect_rpc(v.vm, RPC_PORT, WAIT_MS, &root));
	CHECK(AIBinder_ping(root) == STATUS_OK);
	CHECK(AIBinder_associateClass(root, clazz));
	add_numbers(root);
	call_back(root, clazz);
	linux_stop(&v);
	/* the VM is gone, and the object with it */
	CHECK(AIBinder_ping(root) == STATUS_DEAD_OBJECT);
	AIBinder_decStrong(root);
	vmt_free(&v);
}

static const struct vmt_test tests[] = {
	{"rpc_payload", rpc_payload},
};

int main(int argc, char **argv)
{
	if (!getenv("AVF_GUEST_IMAGE"))
		vmt_skip_all("AVF_GUEST_IMAGE names no guest image");
	if (access(vmt_path("tests/packages/good.avfpkg"), R_OK) < 0)
		vmt_skip_all("no payload packages: mkfs.erofs was missing");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
