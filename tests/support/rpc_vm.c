#include "support/rpc_vm.h"

#include <stdio.h>
#include <stdlib.h>

#include "vm/linux_vm.h"

#define STOP_MS 2000

/* One per program: a boot takes seconds, a test much less. */
static struct vmt_vm the_vm;

void rpc_vm_require(void)
{
	linux_skip_without();
	vmt_keep_a_vm();
}

bool rpc_vm_runs(void)
{
	return the_vm.vm != NULL;
}

bool rpc_vm_start(void)
{
	if (rpc_vm_runs())
		return true;
	return linux_start(&the_vm, "binder_rpc");
}

bool rpc_vm_has_stopped(void)
{
	char *output;

	/* the end of its connections may come before the event */
	while (rpc_vm_runs() && the_vm.n_stopped == 0 &&
	       vmt_event(&the_vm, STOP_MS) >= 0)
		;
	if (!rpc_vm_runs() || the_vm.n_stopped == 0)
		return false;
	output = vmt_output(&the_vm);
	fprintf(stderr,
		"the VM has stopped, reason %d: %s; events: %s; log:\n%s\n",
		the_vm.reason, the_vm.text, the_vm.events,
		output ? output : "");
	free(output);
	vmt_free(&the_vm);
	return true;
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
