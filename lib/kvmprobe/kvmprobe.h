/*
 * What this host's /dev/kvm can do, found by trying: the work of
 * `avf-vmm --probe`, a process of its own that may hang or crash.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define KVM_PROBE_DEVICE "/dev/kvm"

/**
 * Write a row per question to @out_fd (borrowed), each as a line
 *
 *	what TAB state TAB reason TAB hint NEWLINE
 *
 * with the states of avf_probe_state_name(), as soon as its answer is known:
 * protected_vm, kvm.api, kvm.caps, kvm.vm, kvm.vcpu; the rows after a "no"
 * are left out. Returns the exit status of the process: 0, or 1 when the
 * rows could not be written. One thread only: uses SIGALRM for a moment.
 */
int kvm_probe_main(int out_fd);

/** The same with another device file. For tests. */
int kvm_probe_device(const char *device, int out_fd);

/**
 * Whether a Linux guest would run on this host's KVM. When not, @ret_why
 * gets the reason. One thread only: uses SIGALRM for a moment.
 */
bool kvm_probe_linux(char *ret_why, size_t size);
