/**
 * @file rpc.h
 * RPC binder into a VM. In libvirtualization-binder; link it beside
 * libvirtualization (the host) or libvm_payload (a payload). The interface of
 * objects is <android/binder_ibinder.h>.
 */
#pragma once

#include <stdint.h>

#include <avf/vm.h>

#ifdef __cplusplus
extern "C" {
#endif

struct AIBinder;

/**
 * The root object of an RPC binder server on vsock port @port of the guest,
 * with a reference for the caller in *@ret_root. The session lives as long as
 * its objects do. Waits for the guest's answer to each connection for
 * @timeout_ms at most, and as long for all that is said until there is a
 * session (-1: for ever). Calls on the object have no limit: a guest need not
 * answer them. Any thread.
 * Errors: those of avf_vm_connect(), AVF_ERR_REFUSED (nobody listens there)
 * and AVF_ERR_TIMEOUT (nobody answers) among them; AVF_ERR_PROTOCOL (what
 * listens there does not speak RPC binder, or has no root object),
 * AVF_ERR_UNSUPPORTED
 * (libvirtualization is not in the process), AVF_ERR_NO_MEMORY.
 */
AVF_EXPORT int avf_vm_connect_rpc(avf_vm *vm, uint32_t port, int timeout_ms,
				  struct AIBinder **ret_root) AVF_CHECK;

/**
 * In a payload: serve @service on vsock port @port to the host, and to nobody
 * else. Calls @on_ready(@param) (NULL: nothing) when the host can connect. As
 * AVF's: never returns, and aborts when the port cannot be had.
 */
AVF_EXPORT
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
void AVmPayload_runVsockRpcServer(struct AIBinder *service, uint32_t port,
				  void (*on_ready)(void *param), void *param);

#ifdef __cplusplus
}
#endif
