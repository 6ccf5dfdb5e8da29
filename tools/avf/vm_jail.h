/* The jail of a VM that runs, as /proc shows it from outside. */
#pragma once

#include <sys/types.h>

#include "cli.h"

#define VM_JAIL_ROWS        11
#define VM_JAIL_REASON_SIZE 96

/** One means of the jail; @reason is what was seen. */
struct vm_jail_row {
	const char *what; /* static */
	enum avf_probe_state state;
	char reason[VM_JAIL_REASON_SIZE];
};

/**
 * The process that runs the VM @name, the name of a console or the process's
 * number. Says what is wrong when there is none. Returns CLI_EXIT_OK or an
 * exit code.
 */
int vm_jail_find(const char *name, pid_t *ret_pid);

/** Look at it. Says so when it ends meanwhile. Returns as vm_jail_find(). */
int vm_jail_look(pid_t pid, struct vm_jail_row ret_rows[VM_JAIL_ROWS]);
