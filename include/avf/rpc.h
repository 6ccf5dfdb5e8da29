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
struct ARpcSession;

/**
 * The root object of an RPC binder server on vsock port @port of the guest,
 * with a reference for the caller in *@ret_root. The session lives as long as
 * objects of it do, on either side, and has a thread of its own until then: on
 * it the guest calls objects that it was given, when it likes, and recipients
 * hear of the guest's end. All signals are blocked on it.
 * Waits for the guest's answer to each connection for @timeout_ms at most, and
 * as long for all that is said until there is a session (-1: for ever). Calls
 * on the object have no limit: a guest need not answer them. Any thread.
 * Errors: those of avf_vm_connect(), AVF_ERR_REFUSED (nobody listens there)
 * and AVF_ERR_TIMEOUT (nobody answers) among them; AVF_ERR_PROTOCOL (what
 * listens there does not speak RPC binder, or has no root object),
 * AVF_ERR_UNSUPPORTED (libvirtualization is not in the process),
 * AVF_ERR_NO_MEMORY.
 */
AVF_EXPORT int avf_vm_connect_rpc(avf_vm *vm, uint32_t port, int timeout_ms,
				  struct AIBinder **ret_root) AVF_CHECK;

/**
 * The same over @session, which stays the caller's and was not connected yet:
 * with as many threads as it was told (none: no callbacks but within calls, no
 * deaths), with TLS, with a time-out of calls, another version, another number
 * of connections. @timeout_ms, unless -1, is also its
 * AvfRpcSession_setConnectTimeout().
 * Errors: besides those above AVF_ERR_INVALID (@session is NULL),
 * AVF_ERR_STATE (it was connected before), AVF_ERR_PERMISSION (TLS: a side does
 * not trust the other). One that asks for descriptors, which do not cross, is
 * refused by the guest: AVF_ERR_PROTOCOL.
 */
AVF_EXPORT int avf_vm_connect_rpc_session(avf_vm *vm, uint32_t port,
					  int timeout_ms,
					  struct ARpcSession *session,
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
