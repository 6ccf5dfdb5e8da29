/*
 * One vCPU: made, run and freed by its own thread, kicked by any other. The
 * kvm_run page is shared with the kernel; only immediate_exit in it is touched
 * from outside of the thread.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "hv/kvm_internal.h"

/*
 * The size is the kernel's (create_vm()): data of port accesses lie behind the
 * structure itself.
 */
static int map_run(struct kvm_vcpu *v, size_t size)
{
	void *p =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);

	if (p == MAP_FAILED)
		return fail_errno("vCPU %u: mmap", v->index);
	v->run = p;
	v->run_size = size;
	return 0;
}

static void vcpu_free_p(struct kvm_vcpu **v)
{
	if (*v)
		kvm_vcpu_free(&(*v)->vcpu);
}

int kvm_vcpu_new(struct hv *hv, unsigned int index, struct hv_vcpu **ret_vcpu)
{
	CLEANUP(vcpu_free_p) struct kvm_vcpu *v = NULL;
	struct kvm_vm *vm = to_kvm_vm(hv);
	int rc;

	v = calloc(1, sizeof(*v));
	if (!v)
		return fail(AVF_ERR_NO_MEMORY, "vCPU %u", index);
	v->vcpu.hv = hv;
	v->index = index;
	v->thread = pthread_self();
	v->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (v->fd < 0)
		return fail_errno("KVM_CREATE_VCPU %u", index);
	rc = map_run(v, vm->run_size);
	if (rc < 0)
		return rc;
	rc = kvm_arch_init_vcpu(v);
	if (rc < 0)
		return rc;
	*ret_vcpu = &TAKE_PTR(v)->vcpu;
	return 0;
}

void kvm_vcpu_free(struct hv_vcpu *vcpu)
{
	struct kvm_vcpu *v = to_kvm_vcpu(vcpu);

	if (!vcpu)
		return;
	if (v->run)
		(void)munmap(v->run, v->run_size);
	fd_close(v->fd);
	free(v);
}

/*
 * String instructions come with a count: @data holds them all, one behind the
 * other, in the page behind kvm_run.
 */
static void decode_io(struct kvm_run *run, struct hv_exit *e)
{
	e->kind = run->io.direction == KVM_EXIT_IO_IN ? HV_EXIT_PIO_READ
						      : HV_EXIT_PIO_WRITE;
	e->addr = run->io.port;
	e->size = run->io.size;
	e->count = run->io.count;
	e->data = (char *)run + run->io.data_offset;
}

/* One access of at most 8 bytes. */
static void decode_mmio(struct kvm_run *run, struct hv_exit *e)
{
	e->kind = run->mmio.is_write ? HV_EXIT_MMIO_WRITE : HV_EXIT_MMIO_READ;
	e->addr = run->mmio.phys_addr;
	e->size = run->mmio.len;
	e->count = 1;
	e->data = run->mmio.data;
}

/* PSCI calls that KVM does not handle alone, and resets on other ways. */
static void decode_system_event(const struct kvm_run *run, struct hv_exit *e)
{
	switch (run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		e->kind = HV_EXIT_POWER_OFF;
		return;
	case KVM_SYSTEM_EVENT_RESET:
		e->kind = HV_EXIT_RESET;
		return;
	default:
		e->kind = HV_EXIT_FAILED;
		(void)fail(AVF_ERR_PROTOCOL, "system event %u of the guest",
			   run->system_event.type);
	}
}

/* An exit that no guest goes on after: the error record says which. */
static void say_exit(const struct kvm_vcpu *v)
{
	const struct kvm_run *run = v->run;

	switch (run->exit_reason) {
	case KVM_EXIT_INTERNAL_ERROR:
		(void)fail(AVF_ERR_IO,
			   "vCPU %u: KVM internal error %u (1 is an "
			   "instruction that KVM cannot emulate)",
			   v->index, run->internal.suberror);
		return;
	case KVM_EXIT_FAIL_ENTRY:
		(void)fail(AVF_ERR_IO,
			   "vCPU %u: the CPU refused to enter the guest, "
			   "reason 0x%llx",
			   v->index,
			   (unsigned long long)run->fail_entry
				   .hardware_entry_failure_reason);
		return;
	default:
		(void)fail(AVF_ERR_IO, "vCPU %u: KVM exit reason %u", v->index,
			   run->exit_reason);
	}
}

/*
 * Names of exits are those of api.rst, section 5. What is no known exit stays
 * HV_EXIT_FAILED, with the error in this thread's record.
 */
static void decode(struct kvm_vcpu *v, struct hv_exit *e)
{
	struct kvm_run *run = v->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		decode_io(run, e);
		return;
	case KVM_EXIT_MMIO:
		decode_mmio(run, e);
		return;
	case KVM_EXIT_HLT:
		e->kind = HV_EXIT_HALT;
		return;
	case KVM_EXIT_SHUTDOWN:
		e->kind = HV_EXIT_SHUTDOWN;
		return;
	case KVM_EXIT_SYSTEM_EVENT:
		decode_system_event(run, e);
		return;
	case KVM_EXIT_INTR:
		e->kind = HV_EXIT_INTERRUPTED;
		return;
	default:
		if (!kvm_arch_decode(v, e))
			say_exit(v);
	}
}

/* For whoever reads why the VM is gone; errno is KVM_RUN's. */
static void say_why(const struct kvm_vcpu *v)
{
	if (errno == ENOSYS)
		(void)fail(AVF_ERR_UNSUPPORTED,
			   "vCPU %u: the guest reached for a place where no "
			   "memory is with an instruction that this host's KVM "
			   "can neither carry out nor refuse",
			   v->index);
	else if (errno == EFAULT)
		(void)fail(AVF_ERR_IO,
			   "vCPU %u: KVM_RUN: %s: a page of the guest's memory "
			   "is gone",
			   v->index, strerrordesc_np(errno));
	else
		(void)fail_errno("vCPU %u: KVM_RUN", v->index);
}

void kvm_vcpu_run(struct hv_vcpu *vcpu, struct hv_exit *ret_exit)
{
	struct kvm_vcpu *v = to_kvm_vcpu(vcpu);

	memset(ret_exit, 0, sizeof(*ret_exit));
	ret_exit->kind = HV_EXIT_FAILED;
	if (ioctl(v->fd, KVM_RUN, 0) == 0) {
		decode(v, ret_exit);
		return;
	}
	if (errno != EINTR && errno != EAGAIN) {
		say_why(v);
		return;
	}
	/* consumed: the next run enters the guest again */
	__atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_RELEASE);
	ret_exit->kind = HV_EXIT_INTERRUPTED;
}

void kvm_vcpu_kick(struct hv_vcpu *vcpu)
{
	struct kvm_vcpu *v = to_kvm_vcpu(vcpu);

	/* first the flag, for a run that has not begun; then the signal, for
	 * one that has */
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_RELEASE);
	(void)pthread_kill(v->thread, kvm_kick_signal());
}
