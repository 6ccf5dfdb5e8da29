/*
 * The jail of a VMM process. Rights go in this order, and none comes back:
 *
 *  1. sandbox_enter(), while the process has one thread: privileges, limits,
 *     namespaces, file system, Landlock, capabilities
 *  2. sandbox_thread() on each thread, when all that it needs is open: the
 *     list of its system calls (sandbox_table.c)
 *
 * Then, and not before, the guest may run.
 *
 * What a host does not allow is a row of the report, never an error: whether
 * a VM may run without it is the caller's decision.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "base/error.h"

enum sandbox_state {
	SANDBOX_YES,
	SANDBOX_LIMITED, /* by design or in part; the reason says how */
	SANDBOX_NO,
};

#define SANDBOX_MAX_ROWS    16U
#define SANDBOX_REASON_SIZE 160U /* bytes, NUL included */

/* One means of the jail, as "jail.landlock", and what became of it. */
struct sandbox_row {
	const char *what; /* static */
	enum sandbox_state state;
	char reason[SANDBOX_REASON_SIZE];
};

struct sandbox_report {
	struct sandbox_row rows[SANDBOX_MAX_ROWS];
	unsigned int n_rows;
};

/* What a thread does, and so what it may call. */
enum sandbox_role {
	SANDBOX_MAIN,       /* control, event loop and devices */
	SANDBOX_VCPU,       /* runs the guest, carries its accesses */
	SANDBOX_DISK,       /* reads and writes one disk image */
	SANDBOX_SUPERVISOR, /* the main thread beside a QEMU */
	SANDBOX_N_ROLES,
};

/**
 * Confine the calling process, which must have one thread. @child: it has a
 * child process that it must be able to kill.
 * Errors: AVF_ERR_IO (privileges that could not be renounced).
 */
int sandbox_enter(bool child, uint64_t locked_bytes,
		  struct sandbox_report *ret_report) MUST_CHECK;

/** Whether the row @what is SANDBOX_NO. */
bool sandbox_lacks(const struct sandbox_report *report, const char *what);

/** The rows that are SANDBOX_NO, as one line of text. Returns their number. */
unsigned int sandbox_say_lacking(const struct sandbox_report *report, char *buf,
				 size_t size);

/**
 * Allow the calling thread the system calls of @role and nothing else. Any
 * other call raises SIGSYS, which this unblocks.
 * Errors: AVF_ERR_UNSUPPORTED, AVF_ERR_NO_MEMORY, AVF_ERR_IO.
 */
int sandbox_thread(enum sandbox_role role) MUST_CHECK;

/**
 * Between fork() and exec() of a program that must see files: no new
 * privileges, no files changed, no network. Async-signal-safe; what the host
 * does not allow is left out.
 */
void sandbox_child(void);

/** The name of a system call, or "?". Async-signal-safe. */
const char *sandbox_call_name(int number);
