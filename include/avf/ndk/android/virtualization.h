/**
 * @file virtualization.h
 * The C API of AVF's libavf, for programs that were written against Android:
 * raw virtual machines without a name on disk. New programs have more from
 * <avf/avf.h>, which this is a thin layer over.
 *
 *     #include <android/virtualization.h>
 *     cc program.c $(pkg-config --cflags --libs libavf)
 *
 * Descriptors that are handed over belong to the library, whatever the call
 * returns. Failures are a negative errno; the words behind one are those of
 * avf_last_error(), when the calling thread asks at once. Where Android's
 * contract wants a non-null pointer, NULL is -EINVAL, or a no-op in a function
 * that returns nothing.
 *
 * Android has no choice of acceleration: KVM only, unless the environment
 * variable AVF_ACCELERATION says "kvm-or-emulation" or "emulation" when the
 * service is made. Emulation is slow, and no security boundary.
 *
 * Thread rule: one thread at a time per configuration; any thread for a
 * virtual machine, until one of them destroys it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#if defined(__GNUC__)
#define AVF_NDK_EXPORT __attribute__((visibility("default")))
#else
#define AVF_NDK_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#define AVF_NDK_INT32 : int32_t
#else
#define AVF_NDK_INT32
#endif

/** What a raw virtual machine is made of. */
typedef struct AVirtualMachineRawConfig AVirtualMachineRawConfig;

/** Where virtual machines come from. */
typedef struct AVirtualizationService AVirtualizationService;

/** A virtual machine: started once, and done when it has stopped. */
typedef struct AVirtualMachine AVirtualMachine;

/** Why a virtual machine stopped. These are libavf's own numbers; those of
 * the Java API, enum avf_stop_reason, are others. */
enum AVirtualMachineStopReason AVF_NDK_INT32 {
	/** A reason that has no number here, for instance HANGUP's kin in a
	 * microguest. */
	AVIRTUAL_MACHINE_UNRECOGNISED = 0,
	AVIRTUAL_MACHINE_VIRTUALIZATION_SERVICE_DIED = 1,
	/** The VMM ended without a word. */
	AVIRTUAL_MACHINE_INFRASTRUCTURE_ERROR = 2,
	/** AVirtualMachine_stop(), or somebody killed the VMM. */
	AVIRTUAL_MACHINE_KILLED = 3,
	AVIRTUAL_MACHINE_UNKNOWN = 4,
	/** The guest powered off. */
	AVIRTUAL_MACHINE_SHUTDOWN = 5,
	AVIRTUAL_MACHINE_START_FAILED = 6,
	AVIRTUAL_MACHINE_REBOOT = 7,
	/** The guest or the VMM crashed. */
	AVIRTUAL_MACHINE_CRASH = 8,
	AVIRTUAL_MACHINE_PVM_FIRMWARE_PUBLIC_KEY_MISMATCH = 9,
	AVIRTUAL_MACHINE_PVM_FIRMWARE_INSTANCE_IMAGE_CHANGED = 10,
	AVIRTUAL_MACHINE_HANGUP = 11,
};
typedef enum AVirtualMachineStopReason AVirtualMachineStopReason;

/**
 * A new configuration, with 256 MiB, one vCPU, not protected. A name and a
 * kernel must be set. It belongs to the caller until
 * AVirtualMachine_createRaw() or AVirtualMachineRawConfig_destroy() takes it.
 * Returns NULL when the host has no memory left, where Android aborts.
 */
AVF_NDK_EXPORT AVirtualMachineRawConfig *AVirtualMachineRawConfig_create(void);

/** Free @config and close its descriptors. NULL is a no-op. */
AVF_NDK_EXPORT void AVirtualMachineRawConfig_destroy(
	AVirtualMachineRawConfig *config);

/** The name, for logs: 1 to 64 bytes of UTF-8 without '/'. Copied.
 * Returns 0 or -EINVAL. */
AVF_NDK_EXPORT int AVirtualMachineRawConfig_setName(
	AVirtualMachineRawConfig *config, const char *name);

/** Identity of the instance, 64 bytes. Copied. Nothing reads it yet: guests
 * get no identity. Returns 0, or -EINVAL for another size. */
AVF_NDK_EXPORT int AVirtualMachineRawConfig_setInstanceId(
	AVirtualMachineRawConfig *config, const uint8_t *instanceId,
	size_t instanceIdSize);

/** The kernel: an ELF file with a PVH note or a 64-bit entry, or a bzImage.
 * Takes @fd, readable and seekable; -1 unsets. Looked at in createRaw. */
AVF_NDK_EXPORT void AVirtualMachineRawConfig_setKernel(
	AVirtualMachineRawConfig *config, int fd);

/** The initramfs. As the kernel. */
AVF_NDK_EXPORT void AVirtualMachineRawConfig_setInitRd(
	AVirtualMachineRawConfig *config, int fd);

/** Add a disk, in the order in which the guest sees them: a raw image or a
 * block device, 16 at most; createRaw wants a size that is a multiple of 512
 * bytes. Takes @fd. Returns 0 or -EINVAL. */
AVF_NDK_EXPORT int AVirtualMachineRawConfig_addDisk(
	AVirtualMachineRawConfig *config, int fd, bool writable);

/** Memory in MiB; 0 and less are the default. Checked in createRaw. */
AVF_NDK_EXPORT void AVirtualMachineRawConfig_setMemoryMiB(
	AVirtualMachineRawConfig *config, int32_t memoryMiB);

/** Bounce buffers of a protected VM; others have none. */
AVF_NDK_EXPORT void AVirtualMachineRawConfig_setSwiotlbMiB(
	AVirtualMachineRawConfig *config, int32_t swiotlbMiB);

/** Number of vCPUs, 1 to 32. Checked in createRaw. */
AVF_NDK_EXPORT void AVirtualMachineRawConfig_setVCpuCount(
	AVirtualMachineRawConfig *config, int32_t n);

/** No host of this library can do it yet: with true, createRaw fails. */
AVF_NDK_EXPORT void AVirtualMachineRawConfig_setProtectedVm(
	AVirtualMachineRawConfig *config, bool protectedVm);

/** Another way to authenticate a protected VM. Returns 0 for false,
 * -ENOTSUP for true. */
AVF_NDK_EXPORT int AVirtualMachineRawConfig_setHypervisorSpecificAuthMethod(
	AVirtualMachineRawConfig *config, bool enable);

/** Memory of the caller's at guest addresses. Takes @memFd.
 * Returns -ENOTSUP. */
AVF_NDK_EXPORT int AVirtualMachineRawConfig_addCustomMemoryBackingFile(
	AVirtualMachineRawConfig *config, int memFd, uint64_t rangeStart,
	uint64_t rangeEnd);

/** A device tree overlay. Takes @fd; -1 unsets. Guests on x86-64 have no
 * device tree: with one, createRaw fails. */
AVF_NDK_EXPORT void AVirtualMachineRawConfig_setDeviceTreeOverlay(
	AVirtualMachineRawConfig *config, int fd);

/**
 * Where virtual machines come from. No process is started: each VM has one
 * of its own. *@service belongs to the caller, and is untouched on failure.
 * Returns 0, -ENOMEM, -EINVAL (AVF_ACCELERATION is none of its three words),
 * or -ENOTSUP for @early: there is no list of early VMs here.
 */
AVF_NDK_EXPORT int AVirtualizationService_create(
	AVirtualizationService **service, bool early);

/** Its virtual machines live on. NULL is a no-op. */
AVF_NDK_EXPORT void AVirtualizationService_destroy(
	AVirtualizationService *service);

/**
 * A stopped virtual machine of @config. Takes @config and the descriptors,
 * also when it fails; -1 is no descriptor. The console is the guest's hvc0,
 * and the log its port "log".
 * *@vm belongs to the caller, and is untouched on failure.
 * Returns 0, -EIO, or -EINVAL for NULL.
 */
AVF_NDK_EXPORT int AVirtualMachine_createRaw(
	const AVirtualizationService *service, AVirtualMachineRawConfig *config,
	int consoleOutFd, int consoleInFd, int logFd, AVirtualMachine **vm);

/**
 * Start it, and wait until the guest runs or has failed to.
 * Returns 0 or -EIO: it failed, or it was started before.
 */
AVF_NDK_EXPORT int AVirtualMachine_start(AVirtualMachine *vm);

/**
 * Pull the plug. AVirtualMachine_waitForStop() tells when it is down. It
 * cannot be started again. Returns 0, or -EIO when it does not run.
 */
AVF_NDK_EXPORT int AVirtualMachine_stop(AVirtualMachine *vm);

/**
 * Connect to vsock port @port of the guest, 1024 or above; waits 30 s at most
 * for the guest's answer.
 * Returns a connected stream socket that belongs to the caller, or -EIO.
 */
AVF_NDK_EXPORT int AVirtualMachine_connectVsock(AVirtualMachine *vm,
						uint32_t port);

/**
 * Wait until it has stopped, for @timeout at most; NULL waits for ever.
 * Returns true with *@reason, or false with *@reason untouched when the time
 * has passed. @reason may be NULL.
 */
AVF_NDK_EXPORT bool AVirtualMachine_waitForStop(
	AVirtualMachine *vm, const struct timespec *timeout,
	enum AVirtualMachineStopReason *reason);

/** Stop it when it runs, and free it. NULL is a no-op. */
AVF_NDK_EXPORT void AVirtualMachine_destroy(AVirtualMachine *vm);

#undef AVF_NDK_INT32
#ifdef __cplusplus
}
#endif
