/*
 * The hypervisor seam (hv.h) over /dev/kvm: the VM, its memory slots and
 * ioeventfds (Linux, Documentation/virt/kvm/api.rst). kvm_vcpu.c has the vCPUs,
 * kvm_irq.c the routes, kvm_<architecture>.c the rest. /dev/kvm itself is only
 * borrowed by kvm_new(); all later calls use the VM's own descriptor.
 */
#include "hv/kvm.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "hv/kvm_internal.h"

#define KVM_API 12

/* What the machine cannot do without. */
static const struct {
	int cap;
	const char *name;
} needed_caps[] = {
	{KVM_CAP_USER_MEMORY, "USER_MEMORY"},
	{KVM_CAP_IRQCHIP, "IRQCHIP"},
	{KVM_CAP_IRQ_ROUTING, "IRQ_ROUTING"},
	{KVM_CAP_IRQFD, "IRQFD"},
	{KVM_CAP_IOEVENTFD, "IOEVENTFD"},
	{KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT"},
};

/*
 * Checked once, at the start, so that later failures are not about an old
 * kernel.
 */
static int check_host(int kvm_fd)
{
	int version = ioctl(kvm_fd, KVM_GET_API_VERSION, 0);

	if (version != KVM_API)
		return fail(AVF_ERR_UNSUPPORTED,
			    "KVM API version %d, %d is needed", version,
			    KVM_API);
	for (size_t i = 0; i < ARRAY_SIZE(needed_caps); i++) {
		if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, needed_caps[i].cap) <= 0)
			return fail(AVF_ERR_UNSUPPORTED,
				    "KVM has no KVM_CAP_%s",
				    needed_caps[i].name);
	}
	return 0;
}

/* Slots are never removed: guest memory is as long as the VM. */
static int add_memory(struct hv *hv, uint64_t gpa, uint64_t size, void *host)
{
	struct kvm_vm *vm = to_kvm_vm(hv);
	struct kvm_userspace_memory_region region = {
		.slot = vm->n_slots,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return fail_errno("KVM memory slot at 0x%" PRIx64, gpa);
	vm->n_slots++;
	return 0;
}

/* Length 0 is any access: drivers use 16 or 32 bits for a notification. */
static int ioeventfd(struct hv *hv, uint64_t gpa, int fd, uint32_t flags)
{
	struct kvm_ioeventfd io = {
		.addr = gpa,
		.len = 0,
		.fd = fd,
		.flags = flags,
	};

	if (ioctl(to_kvm_vm(hv)->fd, KVM_IOEVENTFD, &io) < 0)
		return fail_errno("KVM_IOEVENTFD at 0x%" PRIx64, gpa);
	return 0;
}

static int add_ioeventfd(struct hv *hv, uint64_t gpa, int fd)
{
	return ioeventfd(hv, gpa, fd, 0);
}

static void remove_ioeventfd(struct hv *hv, uint64_t gpa, int fd)
{
	/* not there is as good as removed */
	(void)!ioeventfd(hv, gpa, fd, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

static void kvm_free(struct hv *hv)
{
	struct kvm_vm *vm = to_kvm_vm(hv);

	if (!hv)
		return;
	kvm_arch_fini_vm(vm);
	fd_close(vm->fd);
	free(vm);
}

/* When all vCPUs exist: arm64's interrupt controller needs to know them. */
static int start(struct hv *hv)
{
	int rc = kvm_arch_start(to_kvm_vm(hv));

	return rc < 0 ? rc : kvm_irq_start(to_kvm_vm(hv));
}

static const struct hv_ops kvm_ops = {
	.add_memory = add_memory,
	.add_irq_chip = kvm_arch_add_irq_chip,
	.add_ioeventfd = add_ioeventfd,
	.remove_ioeventfd = remove_ioeventfd,
	.add_msi_route = kvm_irq_add_msi_route,
	.set_msi_route = kvm_irq_set_msi_route,
	.remove_msi_route = kvm_irq_remove_msi_route,
	.add_line = kvm_irq_add_line,
	.start = start,
	.free = kvm_free,
	.vcpu_new = kvm_vcpu_new,
	.vcpu_free = kvm_vcpu_free,
	.vcpu_set_boot_state = kvm_arch_set_boot_state,
	.vcpu_run = kvm_vcpu_run,
	.vcpu_kick = kvm_vcpu_kick,
};

static void kvm_free_p(struct kvm_vm **vm)
{
	if (*vm)
		kvm_free(&(*vm)->hv);
}

/* Descriptors are -1 first, so that kvm_free() may be called at any point. */
static struct kvm_vm *alloc_vm(void)
{
	struct kvm_vm *vm = calloc(1, sizeof(*vm));

	if (!vm)
		return NULL;
	vm->hv.ops = &kvm_ops;
	vm->fd = -1;
	vm->gic_fd = -1;
	vm->its_fd = -1;
	for (unsigned int i = 0; i < KVM_N_LINES; i++)
		vm->line_fds[i] = -1;
	return vm;
}

/*
 * KVM_GET_VCPU_MMAP_SIZE is asked here since it needs /dev/kvm, which the vCPU
 * threads do not have any more.
 */
static int create_vm(struct kvm_vm *vm, int kvm_fd,
		     const struct kvm_params *params)
{
	int size = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	unsigned long type;
	int rc = kvm_arch_vm_type(kvm_fd, params, &type);

	if (rc < 0)
		return rc;
	if (size < (int)sizeof(struct kvm_run))
		return fail_errno("KVM_GET_VCPU_MMAP_SIZE");
	vm->run_size = (size_t)size;
	vm->is_protected = params->is_protected;
	vm->memory_size = params->memory_size;
	/* a signal interrupts a hypervisor's preparations */
	do
		vm->fd = ioctl(kvm_fd, KVM_CREATE_VM, type);
	while (vm->fd < 0 && errno == EINTR);
	if (vm->fd >= 0)
		return 0;
	if (params->is_protected && errno == EINVAL)
		return fail(AVF_ERR_UNSUPPORTED,
			    "this host's KVM has no protected VMs (see `avf "
			    "info`)");
	return fail_errno("KVM_CREATE_VM");
}

int kvm_new(int kvm_fd, const struct kvm_params *params, struct hv **ret_hv)
{
	CLEANUP(kvm_free_p) struct kvm_vm *vm = NULL;
	int rc = check_host(kvm_fd);

	if (rc < 0)
		return rc;
	vm = alloc_vm();
	if (!vm)
		return fail(AVF_ERR_NO_MEMORY, "KVM VM");
	rc = create_vm(vm, kvm_fd, params);
	if (rc < 0)
		return rc;
	rc = kvm_arch_init_vm(vm, kvm_fd);
	if (rc < 0)
		return rc;
	*ret_hv = &TAKE_PTR(vm)->hv;
	return 0;
}

int kvm_kick_signal(void)
{
	return SIGRTMIN;
}

/* SIG_IGN would not do: an ignored signal interrupts no system call. */
static void nothing(int signal_number)
{
	(void)signal_number; /* its only purpose is to interrupt KVM_RUN */
}

int kvm_install_kick_handler(void)
{
	struct sigaction action = {.sa_handler = nothing};

	if (sigaction(kvm_kick_signal(), &action, NULL) < 0)
		return fail_errno("sigaction");
	return 0;
}
