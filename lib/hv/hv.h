/*
 * The seam below the machine: a hypervisor VM and its vCPUs. lib/hv/kvm.c is
 * the real one, tests/support/fake_hv.c a recording one.
 *
 * Thread rule: the machine is built on one thread. hv_vcpu_run() runs on the
 * vCPU's own thread, hv_vcpu_kick() on any thread. Routes and ioeventfds
 * change with the machine's lock held.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct hv;            /* a VM */
struct hv_vcpu;       /* one of its vCPUs */
struct hv_boot_state; /* registers of the boot CPU, per architecture */

enum hv_exit_kind {
	HV_EXIT_INTERRUPTED, /* kicked, or a signal came */
	HV_EXIT_PIO_READ,
	HV_EXIT_PIO_WRITE,
	HV_EXIT_MMIO_READ,
	HV_EXIT_MMIO_WRITE,
	HV_EXIT_HALT,      /* only without an in-kernel interrupt controller */
	HV_EXIT_SHUTDOWN,  /* x86: triple fault */
	HV_EXIT_POWER_OFF, /* firmware call of the guest (PSCI) */
	HV_EXIT_RESET,
	HV_EXIT_FAILED, /* the hypervisor gave up; text in the record */
};
#define HV_N_EXIT_KINDS (HV_EXIT_FAILED + 1)

/*
 * One exit. For reads the caller fills @data before it runs the vCPU again;
 * a string instruction is @count elements of @size bytes, back to back.
 */
struct hv_exit {
	enum hv_exit_kind kind;
	uint64_t addr;  /* port or guest physical address */
	uint32_t size;  /* bytes of one element: 1, 2, 4, 8 */
	uint32_t count; /* elements, >= 1 */
	void *data;     /* borrowed until the vCPU runs again */
};

/* An MSI message. */
struct hv_msi {
	uint64_t addr;
	uint32_t data;
	uint32_t device; /* who sends it: the PCI requester id */
};

struct hv_ops {
	/** Map guest memory. Called before any vCPU runs. */
	int (*add_memory)(struct hv *hv, uint64_t gpa, uint64_t size,
			  void *host);
	/**
	 * Make the interrupt controllers, once, after all memory: a memory
	 * slot that comes later waits some milliseconds for the kernel to
	 * forget their old tables. Before everything below.
	 */
	int (*add_irq_chip)(struct hv *hv);
	/** Signal @fd on guest writes of any data at @gpa (4 bytes or less). */
	int (*add_ioeventfd)(struct hv *hv, uint64_t gpa, int fd);
	/** Undo it. No-op when it is not there. */
	void (*remove_ioeventfd)(struct hv *hv, uint64_t gpa, int fd);
	/**
	 * Deliver @msi whenever @fd (an eventfd) is signalled; *@ret_route
	 * names the route. AVF_ERR_LIMIT when there are no routes left.
	 */
	int (*add_msi_route)(struct hv *hv, int fd, struct hv_msi msi,
			     unsigned int *ret_route);
	/** Change the message of a route. */
	int (*set_msi_route)(struct hv *hv, unsigned int route,
			     struct hv_msi msi);
	/** Stop delivery and free the route. */
	void (*remove_msi_route)(struct hv *hv, unsigned int route);
	/**
	 * Deliver an edge on wired interrupt @line when @fd (borrowed) is
	 * signalled, from start() on.
	 */
	int (*add_line)(struct hv *hv, unsigned int line, int fd);
	/** Every vCPU exists and none has run. Once. */
	int (*start)(struct hv *hv);
	void (*free)(struct hv *hv);

	/** vCPU @index; 0 is the boot CPU. On the thread that will run it. */
	int (*vcpu_new)(struct hv *hv, unsigned int index,
			struct hv_vcpu **ret_vcpu);
	void (*vcpu_free)(struct hv_vcpu *vcpu);
	/**
	 * Where the boot CPU begins; other CPUs wait for it. The structure is
	 * the architecture's, hv/boot_state_x86_64.h.
	 */
	int (*vcpu_set_boot_state)(struct hv_vcpu *vcpu,
				   const struct hv_boot_state *state);
	/** Run until an exit. Never fails: failure is an exit kind. */
	void (*vcpu_run)(struct hv_vcpu *vcpu, struct hv_exit *ret_exit);
	/**
	 * Make a run that is going on, or the next one, return
	 * HV_EXIT_INTERRUPTED. Any thread.
	 */
	void (*vcpu_kick)(struct hv_vcpu *vcpu);
};

/* The head of every implementation's struct. */
struct hv {
	const struct hv_ops *ops;
};

struct hv_vcpu {
	struct hv *hv; /* borrowed */
};
