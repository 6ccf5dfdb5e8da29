/*
 * A configuration as plain data: what the application's side hands to the
 * VMM's side. It travels as bytes plus an array of fds in one message of the
 * control socket (SOCK_SEQPACKET, SCM_RIGHTS).
 *
 * The bytes: le32 VM_CONFIG_FORMAT, then records of { le16 tag, le16 size,
 * value }. Numbers are little endian, an fd is an le16 index into the array,
 * text has no terminating NUL. Each tag comes once, disks up to
 * AVF_MAX_DISKS times, in the order in which the guest sees them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avf/config.h>

#include "base/error.h"

/* Changes when an old avf-vmm would misread new bytes. */
#define VM_CONFIG_FORMAT 1U

/** Upper bounds of an encoded configuration. */
#define VM_CONFIG_MAX_BYTES 8192U
#define VM_CONFIG_MAX_FDS   (AVF_MAX_DISKS + 7U)

/** Longest texts, NUL excluded, in bytes; AVF_MAX_* has the others. */
#define VM_CONFIG_MAX_PAYLOAD_NAME 255U
#define VM_CONFIG_MAX_CONFIG_PATH  255U
#define VM_CONFIG_MAX_PATH         4095U
/* VIRTIO_BLK_ID_BYTES: virtio 1.2, 5.2.6 */
#define VM_CONFIG_MAX_DISK_ID 20U

struct vm_disk {
	int fd; /* owned */
	bool writable;
	char *id; /* owned; NULL: none */
};

/* One thread at a time. Every pointer and fd is owned; NULL and -1: not set. */
struct vm_config {
	enum avf_config_kind kind;
	char *name;
	char *cmdline;
	int kernel_fd;
	int initrd_fd;
	int overlay_fd; /* a device tree's */
	struct vm_disk disks[AVF_MAX_DISKS];
	unsigned int n_disks;
	uint32_t memory_mib;
	uint32_t vcpus; /* topology resolved: 1 to AVF_MAX_VCPUS */
	enum avf_acceleration acceleration;
	enum avf_architecture architecture; /* arch_find() takes it */
	enum avf_jail jail;
	bool is_protected;
	bool hugepages;
	enum avf_debug_level debug_level;
	char *payload_name;
	char *payload_config_path; /* in the package */
	int package_fd;
	char *guest_image; /* directory */
	int console_out_fd;
	int console_in_fd;
	int log_fd;
	uint32_t boot_timeout_ms; /* 0: the default */
};

/**
 * Bytes of the pool that a protected VM shares with its devices, on top of the
 * memory that the user asked for; 0 for others. AVF's rule.
 */
uint64_t vm_config_bounce_bytes(const struct vm_config *config);

/** Bytes that the VMM must be allowed to lock: all of that, and a little for
 * what comes with it; 0 for others. */
uint64_t vm_config_locked_bytes(const struct vm_config *config);

/** Defaults: raw, 256 MiB, one vCPU, KVM only, nothing set. */
void vm_config_init(struct vm_config *config);

/** Free and close what @config owns; it is as after vm_config_init(). */
void vm_config_fini(struct vm_config *config);

/** A copy; fds are duplicated with close-on-exec. */
int vm_config_copy(const struct vm_config *config,
		   struct vm_config *ret_config) MUST_CHECK;

/**
 * Write @config to @buf. @fds receives borrowed fds to send along.
 * Errors: AVF_ERR_LIMIT (more than @size bytes or @max_fds fds;
 * VM_CONFIG_MAX_BYTES and VM_CONFIG_MAX_FDS are always enough).
 */
int vm_config_encode(const struct vm_config *config, void *buf, size_t size,
		     size_t *ret_used, int *fds, unsigned int max_fds,
		     unsigned int *ret_n_fds) MUST_CHECK;

/**
 * Read what vm_config_encode() wrote. Takes all @fds, also on failure: each
 * one is -1 afterwards. Every fd must be used exactly once.
 * Errors: AVF_ERR_PROTOCOL, AVF_ERR_NO_MEMORY.
 */
int vm_config_decode(const void *buf, size_t size, int *fds, unsigned int n_fds,
		     struct vm_config *ret_config) MUST_CHECK;
