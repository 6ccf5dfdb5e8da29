/* The VM that tests of RpcBinder call into, over vsock: payload binder_rpc. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Before all else. Ends the program as skipped where there can be no VM. */
void rpc_vm_require(void);

/** Run the VM until it is ready, unless it runs. False: it failed, and that was
 * said. */
bool rpc_vm_start(void);

/** Whether it was started, and neither stopped nor seen to end. */
bool rpc_vm_runs(void);

/** After a failed test: whether the VM has stopped. Says how, and frees it. */
bool rpc_vm_has_stopped(void);

/** Connect to a port of it; -1 after a failure. */
int rpc_vm_connect(uint32_t port);

/** Whether it stops now by itself. It is freed. */
bool rpc_vm_ends(void);

/** Ask it to stop, and free it; false unless it shut down as it should. */
bool rpc_vm_stop(void);
