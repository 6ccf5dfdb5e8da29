/**
 * @file binder_process.h
 * The NDK's pool of threads for kernel binder, which there is none of: servers
 * of binder_rpc_unstable.h have threads of their own. The functions are here
 * so that programs written for Android link and start.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <android/binder_status.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/** Does nothing. */
void ABinderProcess_startThreadPool(void);
/** Does nothing; true, as where it is respected. AvfRpcServer_setMaxThreads()
 * is what counts. */
bool ABinderProcess_setThreadPoolMaxThreadCount(uint32_t numThreads);
/** False: there are no such threads. */
bool ABinderProcess_isThreadPoolStarted(void);
/** Waits for ever, as on Android: main() of a service ends with it, and its
 * RPC servers go on meanwhile. */
void ABinderProcess_joinThreadPool(void);

/** STATUS_INVALID_OPERATION, and *@fd is -1: nothing can be polled. */
binder_status_t ABinderProcess_setupPolling(int *fd);
/** STATUS_INVALID_OPERATION. */
binder_status_t ABinderProcess_handlePolledCommands(void);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
