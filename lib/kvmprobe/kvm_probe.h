/*
 * What this host's /dev/kvm can do, found by trying: the work of
 * `avf-vmm --probe`, a process of its own that may hang or crash.
 */
#pragma once

#include "base/error.h"

#define KVM_PROBE_DEVICE "/dev/kvm"

/**
 * Write a row per question to @out_fd (borrowed), each as a line
 *
 *	what TAB state TAB reason TAB hint NEWLINE
 *
 * with the states of avf_probe_state_name(), as soon as its answer is known:
 * kvm.api, kvm.caps, kvm.vm, kvm.ring0, protected_vm. The words of a reason
 * have no TAB or newline. Returns the exit status of the process: 0, or 1
 * when the rows could not be written. Handles SIGALRM.
 */
int kvm_probe_main(int out_fd);

/** The same with another device file. For tests. */
int kvm_probe_device(const char *device, int out_fd);
