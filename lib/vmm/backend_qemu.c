/*
 * Emulation: a QEMU process runs the guest, with our vsock device attached
 * to it by vhost-user. The guest sees the same devices as on our machine.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/arch.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "base/kernel_arch.h"
#include "base/program.h"
#include "devices/virtio_vsock.h"
#include "qemu/qemu.h"
#include "qemu/qemu_process.h"
#include "sandbox/sandbox.h"
#include "vmm/jail.h"
#include "vmm/vmm_internal.h"

struct qemu_backend {
	struct backend backend;
	struct vmm *vmm; /* borrowed */
	struct gmem gm;  /* filled over vhost-user */
	char program[PATH_MAX];
	char *cmdline;     /* owned */
	struct qemu *qemu; /* owned */
	/* Our end of the guest's failure port. */
	int failure;        /* owned */
	int failure_theirs; /* owned; until QEMU has it */
	struct loop_source failure_source;
};

static struct qemu_backend *to_qemu_backend(struct backend *backend)
{
	return container_of(backend, struct qemu_backend, backend);
}

/*
 * On the loop. A guest may write without end: vmm_failure_bytes() keeps the
 * beginning.
 */
static void failure_ready(struct loop_source *source, uint32_t events)
{
	struct qemu_backend *b =
		container_of(source, struct qemu_backend, failure_source);
	char buf[WIRE_TEXT];
	ssize_t n = read(b->failure, buf, sizeof(buf));

	(void)events;
	if (n > 0)
		vmm_failure_bytes(b->vmm, buf, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		loop_remove(&b->vmm->loop, source);
}

static void started(void *userdata)
{
	struct qemu_backend *b = userdata;

	vmm_started(b->vmm, true);
}

static void stopped(void *userdata, int reason, const char *text)
{
	struct qemu_backend *b = userdata;

	vmm_guest_ended(b->vmm, reason, text);
}

static const struct qemu_ops qemu_ops = {
	.started = started,
	.stopped = stopped,
};

/*
 * The child starts before the jail closes, as it has to be executed; then this
 * process locks itself in.
 */
static int start(struct backend *backend)
{
	struct qemu_backend *b = to_qemu_backend(backend);
	const struct qemu_params params = {
		.program = b->program,
		.config = &b->vmm->config,
		.kernel_fd = b->vmm->config.kernel_fd,
		.initrd_fd = b->vmm->config.initrd_fd,
		.cmdline = b->cmdline,
		.failure_fd = b->failure_theirs,
		.vsock = backend->vsock,
		.gmem = &b->gm,
		.loop = &b->vmm->loop,
		.log = &b->vmm->log,
		.confine = sandbox_child,
		.ops = &qemu_ops,
		.userdata = b,
	};
	int rc;

	if (b->vmm->config.overlay_fd >= 0)
		return fail(AVF_ERR_UNSUPPORTED,
			    "device_tree_overlay: under emulation the machine "
			    "is QEMU's; run it on KVM, or without");
	rc = qemu_start(&params, &b->qemu);
	close_p(&b->failure_theirs);
	/* it has its own now: nobody here needs them any more */
	close_p(&b->vmm->config.kernel_fd);
	close_p(&b->vmm->config.initrd_fd);
	if (rc < 0)
		return rc;
	/* QEMU waits for our half of its vsock device, which the loop brings:
	 * the guest cannot have begun */
	rc = jail_enter(b->vmm, true);
	if (rc < 0)
		return rc;
	return jail_main_thread(b->vmm, true);
}

static bool ask_shutdown(struct backend *backend)
{
	struct qemu_backend *b = to_qemu_backend(backend);

	return qemu_power_down(b->qemu) == 0;
}

/* QEMU first: it uses the vsock device, which uses the memory. */
static void qemu_backend_free(struct backend *backend)
{
	struct qemu_backend *b = to_qemu_backend(backend);

	qemu_free(b->qemu);
	virtio_dev_free(backend->vsock);
	gmem_fini(&b->gm);
	loop_remove(&b->vmm->loop, &b->failure_source);
	fd_close(b->failure);
	fd_close(b->failure_theirs);
	free(b->cmdline);
	free(b);
}

static const struct backend_ops qemu_backend_ops = {
	.start = start,
	.ask_shutdown = ask_shutdown,
	.free = qemu_backend_free,
};

/* The payload package is the guest's first disk, as on our machine. */
static int package_first(struct vm_config *config)
{
	if (config->package_fd < 0)
		return 0;
	if (config->n_disks == AVF_MAX_DISKS)
		return fail(AVF_ERR_LIMIT,
			    "disks: a payload VM under emulation has room for "
			    "%u besides its package",
			    AVF_MAX_DISKS - 1);
	memmove(&config->disks[1], &config->disks[0],
		config->n_disks * sizeof(config->disks[0]));
	config->disks[0] = (struct vm_disk){
		.fd = take_fd(&config->package_fd),
	};
	config->n_disks++;
	return 0;
}

/* A pipe, since QEMU's side only writes and its end shall be seen. */
static int make_failure_port(struct qemu_backend *b)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return fail_errno("pipe");
	b->failure = pair[0];
	b->failure_theirs = pair[1];
	return loop_add(&b->vmm->loop, &b->failure_source, b->failure, EPOLLIN,
			failure_ready);
}

/* A missing QEMU is a package that is not installed. */
static int find_program(const struct arch *arch, char ret_path[PATH_MAX])
{
	int rc = program_find(arch->qemu, QEMU_DIRS, ret_path, PATH_MAX);

	if (rc != AVF_ERR_NOT_FOUND)
		return rc;
	return fail(AVF_ERR_NOT_FOUND,
		    "a guest for %s needs %s, which is not installed: on "
		    "Debian, %s",
		    arch->name, arch->qemu, arch->qemu_package);
}

/*
 * With less memory than its kernel and initramfs fill, a guest does nothing,
 * and nobody says why. A payload's initramfs is there twice for a while: as an
 * archive, and unpacked. What the guest needs besides is not known here.
 */
static int check_memory(const struct vm_config *config, uint64_t kernel)
{
	const uint64_t memory = (uint64_t)config->memory_mib << 20;
	uint64_t initrd = 0;
	uint64_t needed;
	int rc;

	if (config->initrd_fd >= 0) {
		rc = fd_file_size(config->initrd_fd, "initrd", &initrd);
		if (rc < 0)
			return rc;
	}
	if (config->kind == AVF_CONFIG_PAYLOAD)
		initrd *= 2;
	if (!ckd_add(&needed, kernel, initrd) && needed <= memory)
		return 0;
	return fail(AVF_ERR_LIMIT,
		    "memory_mib: %u MiB do not hold the kernel's %" PRIu64
		    " MiB and the initramfs' %" PRIu64 " MiB",
		    config->memory_mib, (kernel >> 20) + 1, initrd >> 20);
}

/* QEMU would copy a kernel of another architecture into memory as it is, and
 * the guest would do nothing, for ever. */
static int check_kernel(const struct vm_config *config, const struct arch *arch)
{
	unsigned char head[KERNEL_ARCH_HEAD];
	const struct arch *found;
	ssize_t size = fd_pread_all(config->kernel_fd, head, sizeof(head), 0);

	if (size < 0)
		return (int)size;
	found = kernel_arch(head, (size_t)size);
	if (!found || found == arch)
		return check_memory(config, kernel_memory(head, (size_t)size));
	return fail(AVF_ERR_UNSUPPORTED,
		    "kernel: it is for %s, the guest for %s", found->name,
		    arch->name);
}

/* choose.c has refused it. Repeated here, as what comes next would give the
 * host the memory that it must not read. */
static int check_protected(const struct vm_config *config)
{
	if (!config->is_protected)
		return 0;
	return fail(AVF_ERR_UNSUPPORTED,
		    "protected: an emulated guest's memory is the host's to "
		    "read; a protected VM needs KVM");
}

static int init(struct qemu_backend *b, const char *cmdline)
{
	const struct arch *arch = arch_find(b->vmm->config.architecture);
	const struct virtio_vsock_config vsock = {
		.gm = &b->gm,
		.loop = &b->vmm->loop,
		.guest_cid = VM_SERVICE_GUEST_CID,
	};
	int rc = check_protected(&b->vmm->config);

	if (rc < 0)
		return rc;
	rc = find_program(arch, b->program);
	if (rc < 0)
		return rc;
	rc = check_kernel(&b->vmm->config, arch);
	if (rc < 0)
		return rc;
	b->cmdline = strdup(cmdline);
	if (!b->cmdline)
		return fail(AVF_ERR_NO_MEMORY, "command line");
	rc = package_first(&b->vmm->config);
	if (rc < 0)
		return rc;
	rc = make_failure_port(b);
	if (rc < 0)
		return rc;
	return virtio_vsock_new(&vsock, &b->backend.vsock);
}

int backend_qemu_new(struct vmm *vmm, const char *cmdline,
		     struct backend **ret_backend)
{
	struct qemu_backend *b = calloc(1, sizeof(*b));
	int rc;

	if (!b)
		return fail(AVF_ERR_NO_MEMORY, "QEMU backend");
	b->backend.ops = &qemu_backend_ops;
	b->vmm = vmm;
	b->failure = -1;
	b->failure_theirs = -1;
	gmem_init(&b->gm);
	rc = init(b, cmdline);
	if (rc < 0) {
		qemu_backend_free(&b->backend);
		return rc;
	}
	*ret_backend = &b->backend;
	return 0;
}
