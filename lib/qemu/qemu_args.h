/*
 * The command line of QEMU, made of a configuration and fd numbers. Pure.
 *
 * The machine is QEMU's microvm with ACPI and a PCIe host bridge, the one
 * that is closest to our own on KVM: PVH entry, ECAM, MSI-X, no legacy
 * devices but a 16550 and the clock. Measured against q35 with Debian's 6.12
 * kernel under TCG: init runs after 1.8 s of guest time instead of 2.4 s.
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
	int kernel; /* an ELF with a PVH note, or a bzImage */
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
