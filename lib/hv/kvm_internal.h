/* Shared by the files of the KVM implementation. */
#pragma once

#include <linux/kvm.h>
#include <pthread.h>

#include "hv/kvm.h"

/* Wired interrupts of the interrupt controller: 24 pins of the IOAPIC, or
 * as many shared interrupts of the GIC. */
#define KVM_N_LINES 24
/* MSI routes come after them. 32 devices with a handful of queues each. */
#define KVM_MAX_ROUTES 512

struct kvm_route {
	bool used;
	int fd; /* borrowed: the eventfd */
	struct hv_msi msi;
};

struct kvm_vm {
	struct hv hv;
	int fd;
	size_t run_size; /* bytes of a vCPU's shared page */
	uint32_t n_slots;
	struct kvm_cpuid2 *cpuid; /* owned; x86-64 only */
	int gic_fd, its_fd;       /* owned; arm64 only */
	bool is_protected;        /* immutable */
	uint64_t memory_size;     /* immutable; bytes of the guest's */
	uint64_t firmware_entry;  /* 0: none; arm64 only, like these */
	void *firmware;           /* owned mapping; NULL */
	size_t firmware_size;
	int line_fds[KVM_N_LINES]; /* borrowed eventfds; -1 */
	struct kvm_route routes[KVM_MAX_ROUTES];
};

/* Owned by the thread that runs it; kick() may be called by any. */
struct kvm_vcpu {
	struct hv_vcpu vcpu;
	int fd;
	unsigned int index;
	size_t run_size;
	struct kvm_run *run; /* shared with the kernel */
	pthread_t thread;
};

static inline struct kvm_vm *to_kvm_vm(struct hv *hv)
{
	return (struct kvm_vm *)hv;
}

static inline struct kvm_vcpu *to_kvm_vcpu(struct hv_vcpu *vcpu)
{
	return (struct kvm_vcpu *)vcpu;
}

/* kvm_irq.c */
int kvm_irq_add_msi_route(struct hv *hv, int fd, struct hv_msi msi,
			  unsigned int *ret_route) MUST_CHECK;
int kvm_irq_set_msi_route(struct hv *hv, unsigned int route,
			  struct hv_msi msi) MUST_CHECK;
void kvm_irq_remove_msi_route(struct hv *hv, unsigned int route);
int kvm_irq_add_line(struct hv *hv, unsigned int line, int fd) MUST_CHECK;
/** Connect the lines that were added. */
int kvm_irq_start(struct kvm_vm *vm) MUST_CHECK;

/* kvm_vcpu.c */
int kvm_vcpu_new(struct hv *hv, unsigned int index,
		 struct hv_vcpu **ret_vcpu) MUST_CHECK;
void kvm_vcpu_free(struct hv_vcpu *vcpu);
void kvm_vcpu_run(struct hv_vcpu *vcpu, struct hv_exit *ret_exit);
void kvm_vcpu_kick(struct hv_vcpu *vcpu);

/* kvm_<arch>.c: the part of each step that the architecture decides. */
/** What KVM_CREATE_VM takes. */
int kvm_arch_vm_type(int kvm_fd, const struct kvm_params *params,
		     unsigned long *ret_type) MUST_CHECK;
int kvm_arch_init_vm(struct kvm_vm *vm, int kvm_fd) MUST_CHECK;
void kvm_arch_fini_vm(struct kvm_vm *vm);
int kvm_arch_start(struct kvm_vm *vm) MUST_CHECK;
int kvm_arch_add_irq_chip(struct hv *hv) MUST_CHECK;
int kvm_arch_init_vcpu(struct kvm_vcpu *vcpu) MUST_CHECK;
/**
 * Take an exit that only this architecture has. Returns whether it is one;
 * else @exit is as it was.
 */
bool kvm_arch_decode(struct kvm_vcpu *vcpu, struct hv_exit *exit);
int kvm_arch_set_boot_state(struct hv_vcpu *vcpu,
			    const struct hv_boot_state *state) MUST_CHECK;
/** Routing entry of wired interrupt @line. */
void kvm_arch_route_line(unsigned int line,
			 struct kvm_irq_routing_entry *ret_entry);
/** What the entry of an MSI needs besides address and data. */
void kvm_arch_route_msi(const struct hv_msi *msi,
			struct kvm_irq_routing_entry *entry);
