/*
 * The seam above the machine: what runs the guest. Our own machine on KVM
 * (backend_kvm.c), or a QEMU that emulates one (backend_qemu.c). Both use our
 * vsock device, so channels are the same above it.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "virtio/device.h"

struct vmm;
struct backend;

struct backend_ops {
	/** Let the guest run. */
	int (*start)(struct backend *backend);
	/** Press the power button. Returns whether the guest has one. */
	bool (*ask_shutdown)(struct backend *backend);
	/**
	 * The most that was seen of the rings of the guest's devices. On the
	 * loop. NULL where no guest can keep memory to itself.
	 */
	enum virtq_reach (*reach)(struct backend *backend);
	/** Stop the guest, free everything. Outside of the loop. */
	void (*free)(struct backend *backend);
};

struct backend {
	const struct backend_ops *ops;
	struct virtio_dev *vsock; /* borrowed */
};

/**
 * Build a backend for @vmm's configuration. @cmdline is copied.
 * They report the end of the guest with vmm_guest_ended().
 */
int backend_kvm_new(struct vmm *vmm, const char *cmdline,
		    struct backend **ret_backend) MUST_CHECK;
int backend_qemu_new(struct vmm *vmm, const char *cmdline,
		     struct backend **ret_backend) MUST_CHECK;
