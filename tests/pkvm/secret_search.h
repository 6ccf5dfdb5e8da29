/* The search for a secret in all the memory of a process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads a page of process @pid at @at; false: it cannot be read. */
typedef bool secret_read_fn(pid_t pid, uintptr_t at, void *to);

/** By loads of our own, of this process. */
secret_read_fn secret_by_load;
/** By the kernel, for whoever may. */
secret_read_fn secret_by_process_vm_readv;
secret_read_fn secret_by_proc_mem;

/**
 * Whether the secret of @seed (secret_vm.h) is in any mapping of process @pid.
 * A page that cannot be read has nothing to find; *@ret_read counts the others.
 */
bool secret_search(pid_t pid, secret_read_fn *read_page, uint64_t seed,
		   unsigned long *ret_read);
