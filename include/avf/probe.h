/**
 * @file probe.h
 * What this host can do, and why not: found by trying, not by reading flags.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <avf/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** AVF's VirtualMachineManager.CAPABILITY_*: a bit mask. */
#define AVF_CAPABILITY_PROTECTED_VM     1U
#define AVF_CAPABILITY_NON_PROTECTED_VM 2U

/** The answer to one question. */
enum avf_probe_state {
	AVF_PROBE_YES = 0,
	/** Present, but not good enough; the reason says for what. */
	AVF_PROBE_LIMITED = 1,
	AVF_PROBE_NO = 2,
	/** Could not be found out. */
	AVF_PROBE_UNKNOWN = 3,
};

/** The answers. Immutable: any thread may read. */
typedef struct avf_probe avf_probe;

/**
 * Ask the host. *@ret_probe belongs to the caller.
 * A host that can do nothing is an answer, not an error.
 *
 * For the rows "kvm.api" to "kvm.vcpu" a tiny guest runs in a process of its
 * own, for 2 s at most, and for "emulation" QEMU is asked for its version.
 * What they found is remembered until the next boot of the host, as long as
 * /dev/kvm, the VMM and QEMU are the same files: in a file of the user's own
 * in $XDG_RUNTIME_DIR/libvirtualization, else in
 * $XDG_CACHE_HOME/libvirtualization (~/.cache). Then a probe takes about a
 * millisecond. Whether the device is there and may be opened is asked each
 * time, and a "no" is never remembered.
 * Errors: AVF_ERR_NO_MEMORY. Blocks. Any thread.
 */
AVF_EXPORT int avf_probe_new(avf_probe **ret_probe) AVF_CHECK;

/** As avf_probe_new(), but nothing that was remembered counts. */
AVF_EXPORT int avf_probe_new_fresh(avf_probe **ret_probe) AVF_CHECK;

/**
 * Ask what confines the process of a VM on this host, by confining one: rows
 * "jail.*". It says "no" for what avf_config_set_jail() is about.
 * Otherwise as avf_probe_new().
 */
AVF_EXPORT int avf_probe_new_jail(avf_probe **ret_probe) AVF_CHECK;

/** Free the answers. NULL is a no-op. */
AVF_EXPORT void avf_probe_free(avf_probe *probe);

/**
 * AVF's getCapabilities(): bits of AVF_CAPABILITY_*, each set only when such
 * a Linux VM would really run here with hardware acceleration (emulation
 * does not count).
 */
AVF_EXPORT uint32_t avf_probe_capabilities(const avf_probe *probe);

/** Number of rows. */
AVF_EXPORT size_t avf_probe_count(const avf_probe *probe);

/** The question of row @index, a stable word such as "kvm.vcpu"; NULL
 * beyond the end. Borrowed, as are the texts below. */
AVF_EXPORT const char *avf_probe_what(const avf_probe *probe, size_t index);
/** Its answer; AVF_PROBE_UNKNOWN beyond the end. */
AVF_EXPORT enum avf_probe_state avf_probe_get_state(const avf_probe *probe,
						    size_t index);
/** What was seen; never NULL for a row. */
AVF_EXPORT const char *avf_probe_reason(const avf_probe *probe, size_t index);
/** What to do about it; "" when there is nothing to do. */
AVF_EXPORT const char *avf_probe_hint(const avf_probe *probe, size_t index);

/** Index of the row @what, or -1. */
AVF_EXPORT int avf_probe_find(const avf_probe *probe, const char *what);

/** "yes", "limited", "no", "unknown". Static string. */
AVF_EXPORT const char *avf_probe_state_name(enum avf_probe_state state);

#ifdef __cplusplus
}
#endif
