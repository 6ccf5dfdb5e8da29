/*
 * Our own machine on KVM. The order of backend_kvm_new() is that of losing
 * rights: /dev/kvm is opened, then the jail is entered, then threads are
 * started, each under its own filter. Callbacks come from the machine, with its
 * lock held or before a vCPU runs.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "gmem/guest_access.h"
#include "hv/kvm.h"
#include "machine/machine.h"
#include "vmm/jail.h"
#include "vmm/vmm_internal.h"

struct kvm_backend {
	struct backend backend;
	struct machine *machine; /* owned */
};

static struct kvm_backend *to_kvm_backend(struct backend *backend)
{
	return container_of(backend, struct kvm_backend, backend);
}

/* Returns when the vCPUs are let go; the guest runs on their threads. */
static int start(struct backend *backend)
{
	return machine_start(to_kvm_backend(backend)->machine);
}

/* vCPUs exist and wait: nobody else touches the VMM yet. */
static int started(void *userdata)
{
	int rc = jail_main_thread(userdata, false);

	if (rc < 0)
		return rc;
	vmm_started(userdata, false);
	return 0;
}

/* The machine has no power button: hardware-reduced ACPI without a GED. */
static bool ask_shutdown(struct backend *backend)
{
	(void)backend;
	return false;
}

static enum virtq_reach reach(struct backend *backend)
{
	return machine_reach(to_kvm_backend(backend)->machine);
}

static void kvm_backend_free(struct backend *backend)
{
	struct kvm_backend *b = to_kvm_backend(backend);

	machine_free(b->machine);
	free(b);
}

static const struct backend_ops kvm_backend_ops = {
	.start = start,
	.ask_shutdown = ask_shutdown,
	.reach = reach,
	.free = kvm_backend_free,
};

/* On the loop: the machine tells of its end from there. */
static void stopped(void *userdata, int reason, const char *text)
{
	vmm_guest_ended(userdata, reason, text);
}

static void failure(void *userdata, const void *data, size_t size)
{
	vmm_failure_bytes(userdata, data, size);
}

/* The VM's descriptor is all that stays of /dev/kvm. */
static int open_hv(const struct vm_config *config, struct hv **ret_hv)
{
	const struct kvm_params params = {
		.memory_size = machine_memory_size(config),
		.memory_end = machine_memory_end(config),
		.is_protected = config->is_protected,
	};
	CLEANUP(close_p) int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return fail_errno("open /dev/kvm (see `avf info`)");
	return kvm_new(fd, &params, ret_hv);
}

/*
 * What takes rights, and then the jail: the machine that comes next starts
 * threads, so this is the last moment for it.
 */
static int open_hv_and_enter_jail(struct vmm *vmm, struct hv **ret_hv)
{
	struct hv *hv;
	int rc = kvm_install_kick_handler();

	if (rc < 0)
		return rc;
	if (vmm->config.is_protected)
		rc = guest_access_init();
	if (rc < 0)
		return rc;
	rc = open_hv(&vmm->config, &hv);
	if (rc < 0)
		return rc;
	rc = jail_enter(vmm, false);
	if (rc < 0) {
		hv->ops->free(hv);
		return rc;
	}
	vmm_mark(vmm, "the process is in its jail");
	*ret_hv = hv;
	return 0;
}

int backend_kvm_new(struct vmm *vmm, const char *cmdline,
		    struct backend **ret_backend)
{
	struct machine_params params = {
		.config = &vmm->config,
		.cmdline = cmdline,
		.guest_cid = VM_SERVICE_GUEST_CID,
		.loop = &vmm->loop,
		.log = &vmm->log,
		.started = started,
		.stopped = stopped,
		.failure = failure,
		.userdata = vmm,
	};
	CLEANUP(free_p) struct kvm_backend *b = calloc(1, sizeof(*b));
	int rc;

	if (!b)
		return fail(AVF_ERR_NO_MEMORY, "KVM backend");
	rc = open_hv_and_enter_jail(vmm, &params.hv);
	if (rc < 0)
		return rc;
	params.vcpu_thread = jail_vcpu_thread(vmm);
	params.disk_thread = jail_disk_thread(vmm);
	rc = machine_new(&params, &b->machine);
	if (rc < 0)
		return rc;
	/* loaded: nobody needs them any more */
	close_p(&vmm->config.kernel_fd);
	close_p(&vmm->config.initrd_fd);
	close_p(&vmm->config.overlay_fd);
	b->backend.ops = &kvm_backend_ops;
	b->backend.vsock = machine_vsock(b->machine);
	*ret_backend = &TAKE_PTR(b)->backend;
	return 0;
}
