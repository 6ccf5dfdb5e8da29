/* Shared by the files of the machine. */
#pragma once

#include <stddef.h>

#include "base/checked.h"
#include "bus/bus.h"
#include "gmem/gmem.h"
#include "hv/hv.h"
#include "machine/machine.h"
#include "pci/pci.h"
#include "virtio/pci.h"

#define MACHINE_MAX_DEVICES (AVF_MAX_DISKS + 4)

struct platform; /* machine_<arch>.c */

/* Where the PCI bus is in the address space of an architecture. */
struct machine_pci_place {
	gpa_t ecam;
	struct {
		gpa_t base;
		uint64_t size; /* bytes */
	} bars;
	bool has_ports; /* 0xcf8 */
};

/* One vCPU and its thread. Owned by the thread while it runs. */
struct vcpu {
	struct machine *machine; /* borrowed */
	unsigned int index;
	pthread_t thread;
	bool has_thread;
	struct hv_vcpu *hv_vcpu;         /* owned by the thread; see @gate */
	uint64_t exits[HV_N_EXIT_KINDS]; /* the thread's until it is joined */
};

/*
 * Holds the vCPU threads until all of them exist. @lock guards all fields;
 * taken alone, never together with the machine's.
 */
struct vcpu_gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int n_ready; /* threads with a vCPU, or with @error */
	bool open;            /* run, or leave when @quit */
	bool failed;
	struct avf_error error; /* of the first that failed */
};

struct machine {
	/* Immutable after machine_new(). */
	struct machine_params params;
	struct gmem gm;
	struct hv *hv;
	pthread_mutex_t lock;
	/* Guarded by @lock. */
	struct bus pio, mmio;
	struct pci_bus pci;
	bool has_pci;
	struct platform *platform; /* owned; the architecture's devices */
	struct virtio_pci *devices[MACHINE_MAX_DEVICES]; /* owned */
	unsigned int n_devices;
	struct virtio_dev *vsock; /* borrowed from its transport */
	bool stopping;            /* the outcome is known */
	int stop_reason;
	char stop_text[AVF_ERROR_TEXT_SIZE];
	/* The outcome, on its way to the loop. */
	int stop_fd; /* eventfd */
	struct loop_source stop_source;
	/* vCPUs. */
	bool quit; /* atomic: threads leave */
	struct vcpu_gate gate;
	struct vcpu vcpus[AVF_MAX_VCPUS];
	unsigned int n_vcpus;
	const struct hv_boot_state *boot_state; /* borrowed from @platform */
};

/**
 * The guest's run is over. The first call counts. Any thread; with @lock
 * held. The vCPU that calls it does not run again.
 */
void machine_stop_locked(struct machine *m, int reason, const char *text);

/** @size bytes of RAM at @base, for us and the hypervisor; 0: nothing. */
int machine_add_ram(struct machine *m, gpa_t base, uint64_t size) MUST_CHECK;

/* device_table.c */
int machine_add_devices(struct machine *m) MUST_CHECK;

/* vcpu.c */
int vcpus_start(struct machine *m) MUST_CHECK;
void vcpus_stop(struct machine *m);

/* machine_<arch>.c */
extern const struct machine_pci_place machine_arch_pci;
/** Add RAM to @gm and the hypervisor. */
int machine_arch_add_memory(struct machine *m) MUST_CHECK;
/** @platform, with the devices that are not on the PCI bus. */
int machine_arch_add_platform(struct machine *m) MUST_CHECK;
/** Legal after any failure of the above. */
void machine_arch_remove_platform(struct machine *m);
/** Load kernel and tables; sets @boot_state. */
int machine_arch_load(struct machine *m) MUST_CHECK;
