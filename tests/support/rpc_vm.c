#include "support/rpc_vm.h"

#include "vm/linux_vm.h"

/* One per program: a boot takes seconds, a test much less. */
static struct vmt_vm the_vm;

bool rpc_vm_runs(void)
{
	return the_vm.vm != NULL;
}

bool rpc_vm_start(void)
{
	if (rpc_vm_runs())
		return true;
	linux_skip_without();
	return linux_start(&the_vm, "binder_rpc");
}

int rpc_vm_connect(uint32_t port)
{
	int fd = -1;

	return avf_vm_connect(the_vm.vm, port, VMT_PATIENCE_MS, &fd) < 0 ? -1
									 : fd;
}

bool rpc_vm_ends(void)
{
	bool ended = vmt_wait_stopped(&the_vm);

	vmt_free(&the_vm);
	return ended;
}

bool rpc_vm_stop(void)
{
	if (!rpc_vm_runs())
		return true;
	linux_stop(&the_vm);
	vmt_free(&the_vm);
	return !vmt_has_failed();
}
