/* The KVM implementation of hv.h. */
#pragma once

#include "hv/hv.h"

/**
 * A VM on @kvm_fd, an open /dev/kvm (borrowed, may be closed afterwards).
 * On x86-64 it has the in-kernel PIC, IOAPIC, local APICs and PIT.
 * Errors: AVF_ERR_UNSUPPORTED (API version or a capability is missing),
 * AVF_ERR_IO and what the host refuses.
 */
int kvm_new(int kvm_fd, struct hv **ret_hv) MUST_CHECK;

/**
 * The signal that kicks a vCPU out of KVM_RUN. The process installs an empty
 * handler for it before it runs a vCPU: kvm_install_kick_handler().
 */
int kvm_install_kick_handler(void) MUST_CHECK;

/** Its number: blocked in every thread that is not a vCPU. */
int kvm_kick_signal(void);
