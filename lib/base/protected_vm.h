/* Whether this host can keep itself out of a VM's memory, and how. */
#pragma once

#include <stddef.h>

/** Bytes of the largest firmware that Android's pKVM begins a guest with; its
 * pages are locked, too. */
#define PROTECTED_VM_FIRMWARE_MAX (4ULL << 20)

enum protected_vm_kind {
	PROTECTED_VM_NONE, /* it cannot */
	PROTECTED_VM_PKVM, /* of the upstream kernel */
	PROTECTED_VM_PKVM_ANDROID,
};

/**
 * Found out by making such a VM on @device ("/dev/kvm"), which costs about a
 * millisecond: there is no capability to ask for. *@ret_reason says how the
 * host does it, or why it cannot.
 */
enum protected_vm_kind protected_vm_find(const char *device, char *ret_reason,
					 size_t size);
