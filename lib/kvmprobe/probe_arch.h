/* What the probe's rows say that differs by architecture. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct probe_arch {
	int cap; /* needed besides those that all architectures need */
	const char *cap_name;
	const char *level;      /* where a kernel runs */
	const char *guest_hint; /* when it does not run there */
};

extern const struct probe_arch probe_arch;

/**
 * Whether this host can keep itself out of a VM's memory: found out by making
 * such a VM. *@ret_reason says how it can, or why not.
 */
bool probe_arch_protected(int kvm_fd, char *ret_reason, size_t size);
