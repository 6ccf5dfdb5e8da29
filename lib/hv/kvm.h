/* The KVM implementation of hv.h. */
#pragma once

#include "hv/hv.h"

struct kvm_params {
	uint64_t memory_size; /* bytes of guest memory */
	uint64_t memory_end;  /* first guest physical address behind it */
	/**
	 * Memory that the guest has touched is the guest's alone (pKVM). An
	 * access of a CPU of the host's to it ends in SIGSEGV or EFAULT, or
	 * takes it away from the guest, wiped. DMA is not stopped.
	 */
	bool is_protected;
};

/**
 * A VM on @kvm_fd, an open /dev/kvm (borrowed, may be closed afterwards).
 * On x86-64 it has the in-kernel PIC, IOAPIC, local APICs and PIT, on arm64 a
 * GICv3 with an ITS.
 * Errors: AVF_ERR_UNSUPPORTED (API version or a capability is missing, no
 * protected VMs), AVF_ERR_LIMIT (address space, locked memory), AVF_ERR_IO
 * and what the host refuses.
 */
int kvm_new(int kvm_fd, const struct kvm_params *params,
	    struct hv **ret_hv) MUST_CHECK;

/**
 * The signal that kicks a vCPU out of KVM_RUN. The process installs an empty
 * handler for it before it runs a vCPU: kvm_install_kick_handler().
 */
int kvm_install_kick_handler(void) MUST_CHECK;

/** Its number: blocked in every thread that is not a vCPU. */
int kvm_kick_signal(void);
