/* One trial VM: trial_vm.c, and trial_vm_<arch>.c. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct kvm_run;
struct kvm_cpuid2;

struct trial_vm {
	int vm_fd, vcpu_fd;  /* owned */
	char *memory;        /* owned mapping */
	size_t memory_size;  /* bytes */
	struct kvm_run *run; /* owned mapping */
	size_t run_size;
};

/* One thing to try. */
struct trial {
	const char *name;
	const unsigned char *entry; /* within trial_code */
	bool ring3;                 /* begins there */
	uint64_t rounds;            /* first argument */
};

/** A VM that is about to run @trial. */
int trial_vm_new(int kvm_fd, const struct kvm_cpuid2 *cpuid,
		 const struct trial *trial, struct trial_vm *ret_vm) MUST_CHECK;
void trial_vm_fini(struct trial_vm *vm);

/** The same VM, about to run @trial after one that ended well. x86-64 only. */
int trial_vm_again(struct trial_vm *vm, const struct kvm_cpuid2 *cpuid,
		   const struct trial *trial) MUST_CHECK;

/** The one vCPU, with its shared page. */
int trial_vm_add_vcpu(struct trial_vm *vm, int kvm_fd) MUST_CHECK;

/** SIGALRM interrupts KVM_RUN from now on; *@ret_before is to be restored. */
int trial_alarm_install(struct sigaction *ret_before) MUST_CHECK;
/** Whether it fires, after TRIAL_TIMEOUT_MS. */
void trial_alarm_set(bool on);

/** Nanoseconds that this thread and its guest have run: a busy computer is no
 * slow KVM. */
uint64_t trial_cpu_ns(void);
