/*
 * The virtual machine itself: memory, buses, devices, vCPU threads, built
 * from a configuration over a hypervisor.
 *
 * Thread rule: built, started and freed on one thread, the one that runs the
 * loop; never from inside the loop's handlers. @lock guards every device,
 * both buses and PCI: vCPU threads take it around an access, the loop holds
 * it around its handlers. vCPU threads do no I/O.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/log.h"
#include "base/loop.h"
#include "config/vm_config.h"
#include "hv/hv.h"
#include "virtio/device.h"

/** Every vCPU exists; they run when this returns 0. In machine_start(). */
typedef int machine_started_fn(void *userdata);
/** Called on a new thread, before it touches what the guest says. */
typedef int machine_thread_fn(void);
/** The guest is over; @reason is an enum avf_stop_reason. On the loop, once. */
typedef void machine_stopped_fn(void *userdata, int reason, const char *text);
/** Bytes that the guest wrote to its failure port. On the loop. */
typedef void machine_failure_fn(void *userdata, const void *data, size_t size);

struct machine_params {
	struct vm_config *config; /* borrowed; its fds are taken as needed */
	const char *cmdline;      /* whole kernel command line; borrowed */
	uint64_t guest_cid;
	struct hv *hv;         /* taken, also on failure */
	struct loop *loop;     /* borrowed; its lock becomes the machine's */
	const struct log *log; /* borrowed */
	machine_started_fn *started;
	machine_stopped_fn *stopped;
	machine_failure_fn *failure;
	machine_thread_fn *vcpu_thread; /* NULL: nothing to do, as below */
	machine_thread_fn *disk_thread;
	void *userdata;
};

struct machine;

/** Bytes of memory of a machine of @config, and the first address behind it,
 * for those who make its hypervisor. */
uint64_t machine_memory_size(const struct vm_config *config);
uint64_t machine_memory_end(const struct vm_config *config);

/**
 * Build the machine: memory, devices, kernel loaded. Nothing runs yet.
 * Errors: those of the kernel loader and the devices, AVF_ERR_NO_MEMORY, ...
 */
int machine_new(const struct machine_params *params,
		struct machine **ret_machine) MUST_CHECK;

/** Create the vCPUs and let them run. */
int machine_start(struct machine *machine) MUST_CHECK;

/** The vsock device; borrowed. */
struct virtio_dev *machine_vsock(struct machine *machine);

/** The most that was seen of the rings of all devices. With @lock held. */
enum virtq_reach machine_reach(const struct machine *machine);

/** Stop the vCPUs, free everything. NULL is a no-op. */
void machine_free(struct machine *machine);
