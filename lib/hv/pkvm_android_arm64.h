/*
 * Protected VMs of Android's kernels: the type of VM is upstream's, and a
 * capability of its own says so and takes the address of pvmfw, the firmware in
 * which such a VM begins. Written from the kernel's interface and tried against
 * ioctls of our own (tests/pkvm/test_kvm_ioctls.c); it has not run on such a
 * computer.
 */
#pragma once

#include "base/protected_vm.h"
#include "hv/kvm_internal.h"

/** Its capability, which no header of upstream has. */
#define PKVM_ANDROID_CAP 0xffbadab1UL

/* Where AVF has the firmware: up to 4 MiB, below the memory. */
#define PKVM_ANDROID_FIRMWARE_BASE 0x7fc00000ULL
#define PKVM_ANDROID_FIRMWARE_MAX  PROTECTED_VM_FIRMWARE_MAX

/**
 * Make room for the firmware of a protected @vm, and let the VM begin there;
 * *@ret_entry becomes the address, or 0 when this host has none: then the VM
 * begins where the host says, as upstream. Nothing to do, and 0, for a kernel
 * that is not Android's. Before any vCPU exists.
 * Errors: AVF_ERR_LIMIT (a firmware that is too large), AVF_ERR_NO_MEMORY, and
 * what the host refuses.
 */
int pkvm_android_init(struct kvm_vm *vm, uint64_t *ret_entry) MUST_CHECK;

/** Give the room back, when no vCPU runs any more. */
void pkvm_android_fini(struct kvm_vm *vm);
