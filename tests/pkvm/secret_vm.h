/*
 * A VM whose guest has a secret (guest/bare/arm64/secret.c). The test is its
 * VMM, so that it may do to its memory whatever a process of the host can.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gmem/gmem.h"
#include "hv/kvm.h"

#define SECRET_PAGE  4096U
#define SECRET_SIZE  (16U * SECRET_PAGE)
#define SECRET_RAM   0x80000000ULL
#define SECRET_BYTES (16ULL << 20) /* of RAM */

/* What is added to the seed of the page that is shared, and taken back. */
#define SECRET_SHARED 0x10000000U
#define SECRET_AGAIN  0x20000000U

/* The guest's last step: its memory is as it was. */
#define SECRET_WHOLE 1

/* Why KVM refuses to go on without a page that was taken away. */
#define SECRET_PAGE_GONE "a page of the guest's memory is gone"

struct secret_vm {
	struct gmem gm;
	struct hv *hv;
	struct hv_vcpu *vcpu;
	uint64_t seed;
	unsigned char *ram;          /* borrowed from @gm */
	enum hv_exit_kind last_exit; /* of its vCPU */
};

/** Print "SKIP:" and end unless this host has protected VMs. */
void secret_vm_need_protection(void);

/** Make one; false: failed, and said so. */
bool secret_vm_init(struct secret_vm *vm, bool is_protected);
void secret_vm_fini(struct secret_vm *vm);

/** End the VM and keep its memory. */
void secret_vm_end(struct secret_vm *vm);

/** Run to the guest's next step; what it said, or -1 when it is over. */
int64_t secret_vm_step(struct secret_vm *vm, struct hv_exit *ret_exit);

/** The same, as the place in our memory of what it said; NULL: failed. */
unsigned char *secret_vm_place(struct secret_vm *vm);

/**
 * Take the steps that are left, after @done. Returns SECRET_WHOLE when the
 * guest's memory is as it was and it powered off, 0 when it found it changed,
 * -1 when it could not go on.
 */
int secret_vm_finish(struct secret_vm *vm, unsigned int done);

/** Whether it could not go on because KVM refused to, with @why in the error's
 * text. */
bool secret_vm_failed_by(const struct secret_vm *vm, const char *why);

/* The same in a process of its own, which waits at its first step. */
struct secret_process {
	pid_t pid;
	int fd; /* owned; its channel */
	uint64_t seed;
};

/** Called in the process, before it makes its VM and when that has its secret.
 * NULL: nothing to do. */
typedef void secret_process_fn(struct secret_vm *vm);

/** Start one; false: failed, and said so. */
bool secret_process_start(struct secret_process *p, bool is_protected,
			  secret_process_fn *before, secret_process_fn *ready);

/** Let its guest go on; returns the status of its end: that of a program that
 * exits with 1 and what secret_vm_finish() returned. */
int secret_process_finish(struct secret_process *p);

/** Whether @status says that the guest had its memory whole. */
bool secret_process_was_whole(int status);

/** Whether @p has the @size bytes of @seed. */
bool secret_is(const void *p, size_t size, uint64_t seed);

/** Whether somewhere in @p are as many bytes of the secret as a search needs
 * to be sure. */
bool secret_is_in(const void *p, size_t size, uint64_t seed);

/** Copy by loads of our own. False: some byte cannot be read. */
bool secret_load(const void *from, void *to, size_t size);
