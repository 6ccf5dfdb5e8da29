/* What the trial VMs of every architecture share. */
#include "kvmprobe/trial_vm.h"

#include <linux/kvm.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#include "base/cleanup.h"
#include "kvmprobe/trial.h"

/* Runs on SIGALRM: its only purpose is to interrupt KVM_RUN. */
static void nothing(int signal_number)
{
	(void)signal_number;
}

/* Fires again and again: one that comes just before KVM_RUN is not lost. */
void trial_alarm_set(bool on)
{
	const struct timeval period = {.tv_usec = TRIAL_TIMEOUT_MS * 1000};
	struct itimerval timer = {0};

	if (on) {
		timer.it_value = period;
		timer.it_interval = period;
	}
	(void)setitimer(ITIMER_REAL, &timer, NULL); /* valid values */
}

uint64_t trial_cpu_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

int trial_alarm_install(struct sigaction *ret_before)
{
	const struct sigaction action = {.sa_handler = nothing};

	if (sigaction(SIGALRM, &action, ret_before) < 0)
		return fail_errno("sigaction");
	return 0;
}

int trial_vm_add_vcpu(struct trial_vm *vm, int kvm_fd)
{
	int size = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;

	if (size < (int)sizeof(struct kvm_run))
		return fail_errno("KVM_GET_VCPU_MMAP_SIZE");
	vm->vcpu_fd = ioctl(vm->vm_fd, KVM_CREATE_VCPU, 0);
	if (vm->vcpu_fd < 0)
		return fail_errno("KVM_CREATE_VCPU");
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   vm->vcpu_fd, 0);
	if (run == MAP_FAILED)
		return fail_errno("map the vCPU");
	vm->run = run;
	vm->run_size = (size_t)size;
	return 0;
}

void trial_vm_fini(struct trial_vm *vm)
{
	if (vm->run)
		(void)munmap(vm->run, vm->run_size);
	close_p(&vm->vcpu_fd);
	close_p(&vm->vm_fd);
	if (vm->memory)
		(void)munmap(vm->memory, vm->memory_size);
	vm->run = NULL;
	vm->memory = NULL;
}
