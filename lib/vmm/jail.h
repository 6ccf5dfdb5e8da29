/* The jail of this process: sandbox/ put to use, and what is said of it. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct vmm;

/**
 * Confine the process, which still has one thread. @child: it has a QEMU.
 * What the host does not allow is a warning, or, where the configuration is
 * strict, the failure.
 * Errors: AVF_ERR_UNSUPPORTED, AVF_ERR_IO.
 */
int jail_enter(struct vmm *vmm, bool child) MUST_CHECK;

/** Filter the main thread: the last step before the guest runs. */
int jail_main_thread(struct vmm *vmm, bool child) MUST_CHECK;

/** For the threads that the machine starts; NULL where there are no filters. */
typedef int jail_thread_fn(void);
jail_thread_fn *jail_vcpu_thread(const struct vmm *vmm);
jail_thread_fn *jail_disk_thread(const struct vmm *vmm);

/**
 * The work of `avf-vmm --jail`: enter it, and write a row per means to
 * @out_fd, as kvm_probe_main() does. Returns an exit status.
 */
int jail_probe_main(int out_fd);
