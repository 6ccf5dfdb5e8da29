/*
 * The VMM process: one VM, from the orders on its control socket to its
 * last word.
 *
 * How it goes:
 *  1. wait for the RUN message; everything the VM needs comes with it
 *  2. choose what runs it (choose.c) and build that backend
 *  3. listen for the guest's manager, start, say STARTED
 *  4. dispatch the loop: devices, control messages, manager, timers
 *  5. when anything calls vmm_stop(): tear down, say STOPPED, exit
 *
 * Thread rule: everything here runs on the main thread. Under KVM the loop
 * holds the machine's lock around its handlers; log lines of vCPU threads
 * come with that lock held too.
 */
#pragma once

#include "base/error.h"

/** Serve @control (taken) until the VM is over. Returns an exit code. */
int vmm_main(int control);
