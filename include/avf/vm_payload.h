/**
 * @file vm_payload.h
 * What a payload, the program inside a VM, can ask of its guest. Source
 * compatible with AVF's header of this name; link with -lvm_payload.
 *
 * Any thread may call these functions. A call that cannot reach the guest's
 * manager aborts the payload, as in AVF.
 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define AVF_PAYLOAD_EXPORT __attribute__((visibility("default")))
#else
#define AVF_PAYLOAD_EXPORT
#endif

/**
 * The payload's entry point: define and export it in the payload's library.
 * Runs without capabilities as an unprivileged user; standard output and
 * standard error are the VM's log. What it returns is the payload's exit
 * code; the guest powers off then.
 */
AVF_PAYLOAD_EXPORT int AVmPayload_main(void);

/**
 * Tell the host that the payload is ready: AVF_EVENT_PAYLOAD_READY. Only the
 * first call has an effect. Blocks until the manager has taken it.
 */
AVF_PAYLOAD_EXPORT void AVmPayload_notifyPayloadReady(void);

/**
 * The directory that has the payload package's content, assets/ among it.
 * Static string. Does not block.
 */
AVF_PAYLOAD_EXPORT const char *AVmPayload_getApkContentsPath(void);

/**
 * The directory of the VM's encrypted storage. NULL: it has none, which is
 * every VM of this version. Does not block.
 */
AVF_PAYLOAD_EXPORT const char *AVmPayload_getEncryptedStoragePath(void);

#ifdef __cplusplus
}
#endif
