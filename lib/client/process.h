/* The VMM as a process: spawn, signal, reap. No SIGCHLD, no threads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* One running avf-vmm. Empty: VMM_PROCESS_EMPTY. */
struct vmm_process {
	int self;    /* owned: a pidfd of this process */
	int control; /* owned: our end of the control socket */
	int pidfd;   /* owned */
	pid_t pid;
};

#define VMM_PROCESS_EMPTY ((struct vmm_process){-1, -1, -1, 0})

/* How a process ended. */
struct vmm_exit {
	bool known;        /* false: somebody else reaped it */
	int exit_code;     /* when it exited */
	int signal_number; /* when a signal killed it, else 0 */
};

/**
 * Start avf-vmm with the other end of a new control socket.
 * Errors: AVF_ERR_NOT_FOUND, AVF_ERR_LIMIT, AVF_ERR_NO_MEMORY, AVF_ERR_IO.
 */
int vmm_process_spawn(struct vmm_process *ret_process) MUST_CHECK;

/**
 * Let the VMM know when this process ends, also while a child that it forked
 * lives and keeps copies of its descriptors. Does not block.
 */
int vmm_process_tell_owner(struct vmm_process *process) MUST_CHECK;

/**
 * Let the VMM lock @bytes of memory. Errors: AVF_ERR_LIMIT when this process
 * may not raise the limit so far.
 */
int vmm_process_allow_locking(const struct vmm_process *process,
			      uint64_t bytes) MUST_CHECK;

/** Whether it has ended; fills *@ret_exit then. Does not block. */
bool vmm_process_reap(struct vmm_process *process, struct vmm_exit *ret_exit);

/** SIGKILL. */
int vmm_process_kill(const struct vmm_process *process) MUST_CHECK;

/** Kill what runs, wait for its end, close everything. Empty: no-op. */
void vmm_process_fini(struct vmm_process *process);
