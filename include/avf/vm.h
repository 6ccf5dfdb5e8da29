/**
 * @file vm.h
 * A virtual machine: run it, hear from it, talk to it, stop it.
 *
 * avf_vm_run() starts a VMM process and returns at once. What happens then
 * arrives as events through one pollable file descriptor. The library makes
 * no threads, installs no signal handlers and does not use SIGCHLD.
 *
 * Thread rule: one thread at a time per VM, except where a function says
 * "any thread".
 *
 * Fork rule: handles of VMs, listeners and managers belong to the process
 * that made them. A child may exec, exit, or go on and make handles of its
 * own; what would reach its parent's VM fails there with AVF_ERR_STATE, and
 * freeing a handle frees the child's memory and copies of descriptors only.
 * Every descriptor is close-on-exec. A channel ends when the last copy of its
 * descriptor is closed, a child's too.
 */
#pragma once

#include <stdint.h>

#include <avf/config.h>
#include <avf/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A virtual machine that can be run, many times in a row. */
typedef struct avf_vm avf_vm;

/** AVF's VirtualMachine.STATUS_*. */
enum avf_status {
	AVF_STATUS_STOPPED = 0,
	AVF_STATUS_RUNNING = 1,
	AVF_STATUS_DELETED = 2,
};

/** What an event says. */
enum avf_event_type {
	/** The VMM has built the machine and the guest runs. code: 0 on KVM,
	 * 1 under emulation; text: what runs it. */
	AVF_EVENT_STARTED = 0,
	/** onPayloadStarted: the payload is about to be executed. */
	AVF_EVENT_PAYLOAD_STARTED = 1,
	/** onPayloadReady: it called AVmPayload_notifyPayloadReady(). */
	AVF_EVENT_PAYLOAD_READY = 2,
	/** onPayloadFinished: code is its exit code. */
	AVF_EVENT_PAYLOAD_FINISHED = 3,
	/** onError: code is an enum avf_error_code, text the guest's words. */
	AVF_EVENT_ERROR = 4,
	/** onStopped: code is an enum avf_stop_reason. The last event of a
	 * run, exactly once; the VMM process is gone. */
	AVF_EVENT_STOPPED = 5,
	/** A line of the VMM's own log; code is 0 error, 1 warning, 2 info. */
	AVF_EVENT_LOG = 6,
};

/** AVF's VirtualMachineCallback.ERROR_*. */
enum avf_error_code {
	AVF_ERROR_UNKNOWN = 0,
	AVF_ERROR_PAYLOAD_VERIFICATION_FAILED = 1,
	AVF_ERROR_PAYLOAD_CHANGED = 2,
	AVF_ERROR_PAYLOAD_INVALID_CONFIG = 3,
};

/** AVF's VirtualMachineCallback.STOP_REASON_* (Java numbering). */
enum avf_stop_reason {
	AVF_STOP_REASON_VIRTUALIZATION_SERVICE_DIED = -1,
	AVF_STOP_REASON_INFRASTRUCTURE_ERROR = 0,
	/** The host stopped it. */
	AVF_STOP_REASON_KILLED = 1,
	AVF_STOP_REASON_UNKNOWN = 2,
	/** The guest powered off. */
	AVF_STOP_REASON_SHUTDOWN = 3,
	/** The VMM could not start the guest; the event's text says why. */
	AVF_STOP_REASON_START_FAILED = 4,
	/** The guest asked for a reboot, maybe after a kernel panic. */
	AVF_STOP_REASON_REBOOT = 5,
	/** The guest or the VMM crashed. */
	AVF_STOP_REASON_CRASH = 6,
	AVF_STOP_REASON_PVM_FIRMWARE_PUBLIC_KEY_MISMATCH = 7,
	AVF_STOP_REASON_PVM_FIRMWARE_INSTANCE_IMAGE_CHANGED = 8,
	AVF_STOP_REASON_BOOTLOADER_PUBLIC_KEY_MISMATCH = 9,
	AVF_STOP_REASON_BOOTLOADER_INSTANCE_IMAGE_CHANGED = 10,
	AVF_STOP_REASON_MICRODROID_FAILED_TO_CONNECT_TO_VIRTUALIZATION_SERVICE =
		11,
	AVF_STOP_REASON_MICRODROID_PAYLOAD_HAS_CHANGED = 12,
	AVF_STOP_REASON_MICRODROID_PAYLOAD_VERIFICATION_FAILED = 13,
	AVF_STOP_REASON_MICRODROID_INVALID_PAYLOAD_CONFIG = 14,
	AVF_STOP_REASON_MICRODROID_UNKNOWN_RUNTIME_ERROR = 15,
	/** The payload had not started within the boot time-out. */
	AVF_STOP_REASON_HANGUP = 16,
};

/** Room for the text of an event, NUL included, in bytes. */
#define AVF_EVENT_TEXT_SIZE 256

/** One event. Set @c size with AVF_EVENT_INIT before the first use. */
struct avf_event {
	/** sizeof(struct avf_event) of the caller's header. */
	size_t size;
	/** One of enum avf_event_type. */
	int type;
	/** Depends on the type. */
	int code;
	/** When the VMM saw it: CLOCK_MONOTONIC, nanoseconds. */
	uint64_t time_ns;
	/** Explanation in words, or "". Bytes that a guest sent are escaped. */
	char text[AVF_EVENT_TEXT_SIZE];
};
#define AVF_EVENT_INIT                             \
	{                                          \
		sizeof(struct avf_event), 0, 0, 0, \
		{                                  \
			0                          \
		}                                  \
	}

/** First and last vsock port that an application may use. */
#define AVF_MIN_VSOCK_PORT 1024U
#define AVF_MAX_VSOCK_PORT 4294967295U

/**
 * A stopped VM of a copy of @config.
 * *@ret_vm belongs to the caller: avf_vm_free().
 * Errors: AVF_ERR_INVALID (the first problem that avf_config_validate()
 * finds), AVF_ERR_UNSUPPORTED, AVF_ERR_NO_MEMORY, AVF_ERR_LIMIT (no fds).
 */
AVF_EXPORT int avf_vm_new(const avf_config *config, avf_vm **ret_vm) AVF_CHECK;

/**
 * Free @vm. A VM that runs is killed, and its VMM process is gone when this
 * returns. Channels stay with their owners and see the end of the stream.
 * Of a named VM, which a manager may have handed out several times, each
 * time is freed once, and the last one counts. NULL is a no-op. Blocks for
 * the moment that the kernel needs.
 */
AVF_EXPORT void avf_vm_free(avf_vm *vm);

/**
 * Start a run. Returns as soon as the VMM process has its orders; whether
 * the guest starts is told by events (STARTED, or STOPPED with
 * START_FAILED). The same handle can be run again after STOPPED was
 * delivered. Does not block.
 * Errors: AVF_ERR_STATE ("VM is not in stopped state", "VM has been
 * deleted"), AVF_ERR_NOT_FOUND (avf-vmm, the guest image or a file of a named
 * VM), AVF_ERR_UNSUPPORTED (encrypted storage), AVF_ERR_BUSY (a writable disk
 * is used by another VM), AVF_ERR_LIMIT, AVF_ERR_NO_MEMORY, AVF_ERR_IO.
 */
AVF_EXPORT int avf_vm_run(avf_vm *vm) AVF_CHECK;

/**
 * Ask the guest to shut down; when it has not after 5 s, or cannot be asked,
 * it is killed. A VMM that does not do even that (it may have got a SIGSTOP)
 * is killed after 7 s by avf_vm_next_event(), which avf_vm_get_fd() asks for.
 * The end is told by the STOPPED event. Does not block.
 * Errors: AVF_ERR_STATE ("VM is not running").
 */
AVF_EXPORT int avf_vm_stop(avf_vm *vm) AVF_CHECK;

/**
 * Kill the VMM now; STOPPED follows with reason KILLED. Any thread.
 * Errors: AVF_ERR_STATE (it is not running).
 */
AVF_EXPORT int avf_vm_kill(avf_vm *vm) AVF_CHECK;

/** One of enum avf_status. RUNNING until STOPPED was delivered; DELETED when
 * the files of a named VM are gone. */
AVF_EXPORT enum avf_status avf_vm_get_status(const avf_vm *vm);

/**
 * A copy of the VM's configuration; it belongs to the caller. That of a
 * named VM knows its files by path and opens them when it is used.
 * Errors: AVF_ERR_NO_MEMORY, AVF_ERR_LIMIT (no more fds).
 */
AVF_EXPORT int avf_vm_get_config(const avf_vm *vm,
				 avf_config **ret_config) AVF_CHECK;

/**
 * Use a copy of @config from the next run on; a named VM keeps it on disk.
 * AVF's setConfig().
 * Errors: AVF_ERR_STATE ("VM is not in stopped state", "VM has been
 * deleted"), AVF_ERR_INVALID ("incompatible config", the first problem of
 * validation, a named VM's file given as an fd), those of writing it.
 */
AVF_EXPORT int avf_vm_set_config(avf_vm *vm,
				 const avf_config *config) AVF_CHECK;

/**
 * The captured output of the console and of the log, and the input of the
 * console: pipes that live from before a run to the start of the next one.
 * Before the first run they are those of the first run. *@ret_fd, a
 * duplicate, belongs to the caller; output ends when the run does. A guest
 * whose output nobody reads waits when the pipe is full.
 * Errors: AVF_ERR_STATE ("Capturing vm outputs is turned off", "VM console
 * input is not supported"), AVF_ERR_LIMIT (no more fds).
 */
AVF_EXPORT int avf_vm_get_console_output(avf_vm *vm, int *ret_fd) AVF_CHECK;
AVF_EXPORT int avf_vm_get_log_output(avf_vm *vm, int *ret_fd) AVF_CHECK;
AVF_EXPORT int avf_vm_get_console_input(avf_vm *vm, int *ret_fd) AVF_CHECK;

/**
 * The process id of the VMM, or 0 when it does not run. For tools. Of signals
 * sent to it only SIGKILL, SIGSTOP and SIGCONT are sure to have an effect: it
 * is the first process of a PID namespace where the host allows one.
 */
AVF_EXPORT int avf_vm_get_pid(const avf_vm *vm);

/**
 * A descriptor that is readable while avf_vm_next_event() has something.
 * The same one for the life of @vm, level-triggered, borrowed: poll it, do
 * not read or close it.
 */
AVF_EXPORT int avf_vm_get_fd(const avf_vm *vm);

/**
 * Take the next event. Returns 1 with *@ret_event filled, 0 when there is
 * none now. Does not block.
 * Errors: AVF_ERR_INVALID (@ret_event->size is not set).
 */
AVF_EXPORT int avf_vm_next_event(avf_vm *vm,
				 struct avf_event *ret_event) AVF_CHECK;

/**
 * Wait for the next event for @timeout_ms at most; -1 waits for ever.
 * Returns 1 with *@ret_event filled, 0 when the time has passed or the VM is
 * stopped and there is nothing to wait for. Blocks.
 */
AVF_EXPORT int avf_vm_wait_event(avf_vm *vm, int timeout_ms,
				 struct avf_event *ret_event) AVF_CHECK;

/**
 * Connect to vsock port @port of the guest. *@ret_fd is a connected stream
 * socket that belongs to the caller; shutdown(2) half-closes.
 * Waits for the guest's answer for @timeout_ms at most (-1: for ever).
 * Any thread. AVF's connectVsock().
 * Errors: AVF_ERR_INVALID (port below AVF_MIN_VSOCK_PORT), AVF_ERR_STATE
 * (not running), AVF_ERR_REFUSED (nobody listens there), AVF_ERR_TIMEOUT,
 * AVF_ERR_CLOSED (the VM stopped), AVF_ERR_LIMIT (too many connections).
 */
AVF_EXPORT int avf_vm_connect(avf_vm *vm, uint32_t port, int timeout_ms,
			      int *ret_fd) AVF_CHECK;

/** Takes connections that the guest makes to one port of the host. */
typedef struct avf_listener avf_listener;

/** Connections that wait for avf_listener_accept(), at most. */
#define AVF_LISTENER_BACKLOG 64

/**
 * Listen on vsock port @port of the host, for this VM only, for this run.
 * *@ret_listener belongs to the caller. Waits for the VMM's answer. Any
 * thread. Errors: AVF_ERR_INVALID (port below AVF_MIN_VSOCK_PORT),
 * AVF_ERR_STATE (not running), AVF_ERR_BUSY (the port has a listener),
 * AVF_ERR_CLOSED, AVF_ERR_LIMIT.
 */
AVF_EXPORT int avf_vm_listen(avf_vm *vm, uint32_t port,
			     avf_listener **ret_listener) AVF_CHECK;

/** Readable while a connection waits. Borrowed: poll it, do not read it. */
AVF_EXPORT int avf_listener_get_fd(const avf_listener *listener);

/**
 * Take a connection; *@ret_fd belongs to the caller. Waits @timeout_ms at
 * most (-1: for ever, 0: not at all).
 * Errors: AVF_ERR_TIMEOUT, AVF_ERR_CLOSED (the VM stopped).
 */
AVF_EXPORT int avf_listener_accept(avf_listener *listener, int timeout_ms,
				   int *ret_fd) AVF_CHECK;

/** Stop listening. Connections that were taken stay. NULL is a no-op. */
AVF_EXPORT void avf_listener_free(avf_listener *listener);

/** Names for logs: "STOPPED", "SHUTDOWN", ... Static strings, never NULL. */
AVF_EXPORT const char *avf_event_type_name(int type);
AVF_EXPORT const char *avf_stop_reason_name(int reason);
AVF_EXPORT const char *avf_error_code_name(int code);
AVF_EXPORT const char *avf_status_name(int status);

#ifdef __cplusplus
}
#endif
