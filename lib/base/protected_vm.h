/* Whether this host can keep itself out of a VM's memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/**
 * Found out by making such a VM on @device ("/dev/kvm"), which costs about a
 * millisecond: there is no capability to ask for. *@ret_reason says how the
 * host does it and what it leaves open, or why it cannot.
 */
bool protected_vm_possible(const char *device, char *ret_reason, size_t size);
