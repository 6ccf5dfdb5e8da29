#include <criterion/criterion.h>

#include <android/binder_rpc_unstable.h>
#include <avf/rpc.h>

/* As in a payload, which has no libvirtualization; vm/test_rpc has both. */
Test(vm, without_libvirtualization)
{
	ARpcSession *session = ARpcSession_new();
	struct AIBinder *root = NULL;

	cr_expect_eq(avf_vm_connect_rpc(NULL, 5678, 0, &root),
		     AVF_ERR_UNSUPPORTED);
	cr_expect_eq(avf_vm_connect_rpc_session(NULL, 5678, 0, session, &root),
		     AVF_ERR_UNSUPPORTED);
	cr_expect_null(root);
	ARpcSession_free(session);
}
