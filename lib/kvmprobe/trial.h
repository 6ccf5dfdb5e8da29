/*
 * Trial guests: does this KVM run what a Linux kernel does in ring 0? Each
 * trial is a few instructions for the one vCPU of a VM of 1 MiB. After one
 * that fails comes a fresh VM, so that it does not hide the next.
 *
 * For processes with one thread: it uses the interval timer and SIGALRM.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

/** Longest time of one trial. */
#define TRIAL_TIMEOUT_MS 100
/** A Linux kernel that boots at this speed takes a minute. */
#define TRIAL_MIN_MIPS 20U

struct trial_report {
	uint64_t kips;    /* thousand instructions per second; 0: no loop */
	char failed[160]; /* names, ", " between them; "" when all work */
	char why[80];     /* what happened to the first of them */
};

/**
 * Run them all on /dev/kvm, which is @kvm_fd. What a guest cannot do is in
 * the report. Errors: the host refuses a VM, a vCPU or memory.
 */
int trial_run_all(int kvm_fd, struct trial_report *ret_report) MUST_CHECK;
