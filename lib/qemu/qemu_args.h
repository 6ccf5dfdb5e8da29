/*
 * The command line of QEMU, made of a configuration and fd numbers. Pure.
 *
 * For arm64 the machine is virt with a GICv3, entered with a device tree of
 * QEMU's. Its own UART is a PL011; a 16550 on PCI is the ttyS0 that our machine
 * has.
 *
 * For x86-64 the machine is q35 without its disk and bus controllers, entered
 * by PVH. microvm would be closer to our own machine and needs 0.6 s less to
 * reach init, but has no reference clock: on a loaded host the kernel's
 * calibration of the TSC against the PIT fails there, and it hangs. q35 has
 * the HPET and the PM timer to fall back on.
 *
 * Everything is inherited as an fd. Text of the configuration never becomes
 * an option: it stands alone (-append), is escaped (-name), or is in JSON.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/vm_config.h"

/* fd numbers as QEMU will see them; -1: left out. */
struct qemu_fds {
	int kernel; /* what the architecture boots */
	int initrd;
	int qmp;     /* sockets from here on */
	int serial;  /* ttyS0 */
	int console; /* hvc0 */
	int log;     /* virtio port "log" */
	int failure; /* virtio port "failure" */
	int vsock;   /* vhost-user back-end of the vsock device */
	/* Disks of the configuration. */
	int disks[AVF_MAX_DISKS];
	/* The disk was opened as the guest may use it, so QEMU can duplicate
	 * the fd; otherwise it opens the file once more. */
	bool disk_dup[AVF_MAX_DISKS];
};

/* A NULL-terminated argv and the strings of it. */
struct qemu_args {
	char **argv; /* owned */
	size_t count;
	size_t room;
};

/**
 * argv for @program. @cmdline is the whole command line of the kernel.
 * *@ret_args belongs to the caller: qemu_args_fini().
 * Errors: AVF_ERR_NO_MEMORY, AVF_ERR_INVALID (a disk's name is not UTF-8).
 */
int qemu_args_make(const char *program, const struct vm_config *config,
		   const struct qemu_fds *fds, const char *cmdline,
		   struct qemu_args *ret_args) MUST_CHECK;

void qemu_args_fini(struct qemu_args *args);
