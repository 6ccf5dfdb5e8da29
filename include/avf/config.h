/**
 * @file config.h
 * What a virtual machine is made of.
 *
 * A configuration is built with setters, checked as a whole with
 * avf_config_validate(), and copied by avf_vm_new(). Setters check their own
 * value and say what is wrong with it; what depends on several fields is
 * found by validation.
 *
 * Thread rule: one thread at a time per configuration. Nothing here blocks,
 * but for opening files by path.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avf/architecture.h>
#include <avf/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A virtual machine's configuration. */
typedef struct avf_config avf_config;

/** What runs in the VM. */
enum avf_config_kind {
	/** A kernel of the caller's, with or without an initramfs. */
	AVF_CONFIG_RAW = 0,
	/** A payload library in the microguest (AVF's Microdroid). */
	AVF_CONFIG_PAYLOAD = 1,
};

/** How much of the VM can be looked into. Numbers are AVF's. */
enum avf_debug_level {
	AVF_DEBUG_LEVEL_NONE = 0,
	AVF_DEBUG_LEVEL_FULL = 1,
};

/** How many vCPUs. Numbers are AVF's. */
enum avf_cpu_topology {
	/** One vCPU. The default. */
	AVF_CPU_TOPOLOGY_ONE_CPU = 0,
	/** As many vCPUs as the host has CPUs online, AVF_MAX_VCPUS at most. */
	AVF_CPU_TOPOLOGY_MATCH_HOST = 1,
};

/** Which kinds of acceleration are acceptable. */
enum avf_acceleration {
	/** KVM only; anything else is an error. The default. */
	AVF_ACCELERATION_KVM = 0,
	/** KVM where it can run this VM, else emulation; a protected VM is
	 * never emulated. */
	AVF_ACCELERATION_KVM_OR_EMULATION = 1,
	/** Emulation only. It is slow, and no security boundary. */
	AVF_ACCELERATION_EMULATION = 2,
};

/** What happens when the host forbids a part of the VMM's jail. */
enum avf_jail {
	/** A warning (AVF_EVENT_LOG); the VM runs. The default. */
	AVF_JAIL_DEFAULT = 0,
	/** The VM does not start: AVF_STOP_REASON_START_FAILED. */
	AVF_JAIL_STRICT = 1,
};

/** Limits and defaults. */
#define AVF_MAX_VCPUS          32U
#define AVF_MAX_DISKS          16U
#define AVF_MIN_MEMORY_MIB     1U
#define AVF_MAX_MEMORY_MIB     (256U * 1024U)
#define AVF_DEFAULT_MEMORY_MIB 256U
/** Longest kernel command line, NUL excluded, in bytes: what Linux takes on
 * x86 (2047) less the library's own parameters. */
#define AVF_MAX_CMDLINE 1900U
/** Longest name, NUL excluded, in bytes. */
#define AVF_MAX_NAME 64U
/** Largest encrypted storage: 1 TiB. */
#define AVF_MAX_STORAGE_BYTES 1099511627776ULL

/** Options of a disk. Set @c size with AVF_DISK_OPTIONS_INIT. */
struct avf_disk_options {
	/** sizeof(struct avf_disk_options) of the caller's header. */
	size_t size;
	/** Whether the guest may write to it. Writable disks are locked. */
	bool writable;
	/** Name that the guest can read (virtio-blk serial), 20 bytes at
	 * most; NULL: none. Copied. */
	const char *id;
};
#define AVF_DISK_OPTIONS_INIT                                \
	{                                                    \
		sizeof(struct avf_disk_options), false, NULL \
	}

/**
 * A new configuration with AVF's defaults: 256 MiB, one vCPU, not protected,
 * debug level none, KVM only.
 * *@ret_config belongs to the caller: avf_config_free().
 * Errors: AVF_ERR_INVALID, AVF_ERR_NO_MEMORY.
 */
AVF_EXPORT int avf_config_new(enum avf_config_kind kind,
			      avf_config **ret_config) AVF_CHECK;

/** Free @config and close its files. NULL is a no-op. */
AVF_EXPORT void avf_config_free(avf_config *config);

/**
 * A configuration read from JSON text of @size bytes; docs/configuration.md
 * lists the keys (those of AVF's raw VM JSON among them). Relative paths are
 * taken from @base_dir_fd (AT_FDCWD: the working directory).
 * Errors: AVF_ERR_FORMAT (with line and column), AVF_ERR_INVALID (with the
 * key), AVF_ERR_LIMIT (more than 1 MiB, nested deeper than 16),
 * and those of opening the files that it names.
 */
AVF_EXPORT int avf_config_parse_json(const char *text, size_t size,
				     int base_dir_fd,
				     avf_config **ret_config) AVF_CHECK;

/** As avf_config_parse_json(), from a file; paths are relative to it. */
AVF_EXPORT int avf_config_load(const char *path,
			       avf_config **ret_config) AVF_CHECK;

/**
 * A copy of @config, with duplicates of its fds; it belongs to the caller.
 * Errors: AVF_ERR_NO_MEMORY, AVF_ERR_LIMIT (no more fds).
 */
AVF_EXPORT int avf_config_copy(const avf_config *config,
			       avf_config **ret_config) AVF_CHECK;

/**
 * Open files that are given by path only when a VM runs, as AVF does: a
 * setter remembers the path, whether or not there is a file, and avf_vm_run()
 * fails in its place. Call it before a file is set.
 * Errors: AVF_ERR_STATE (a file was set before).
 */
AVF_EXPORT int avf_config_defer_files(avf_config *config) AVF_CHECK;

/** The kind that was given to avf_config_new(). */
AVF_EXPORT enum avf_config_kind avf_config_get_kind(const avf_config *config);

/**
 * The VM's name, for logs and `avf console`: 1 to AVF_MAX_NAME bytes of
 * UTF-8, without '/', not "." or "..". Copied. Errors: AVF_ERR_INVALID.
 */
AVF_EXPORT int avf_config_set_name(avf_config *config,
				   const char *name) AVF_CHECK;
/** The name, or NULL. Borrowed until the next change. */
AVF_EXPORT const char *avf_config_get_name(const avf_config *config);

/**
 * The kernel of a raw VM: an ELF file with a PVH note or a 64-bit entry, or
 * a bzImage. @fd is duplicated; the caller keeps its own.
 * Errors: AVF_ERR_INVALID (not a regular file), AVF_ERR_STATE (payload VM).
 */
AVF_EXPORT int avf_config_set_kernel_fd(avf_config *config, int fd) AVF_CHECK;
/** The same, opening @path. Errors: also AVF_ERR_NOT_FOUND, _PERMISSION. */
AVF_EXPORT int avf_config_set_kernel(avf_config *config,
				     const char *path) AVF_CHECK;

/** The initramfs of a raw VM. As the kernel. */
AVF_EXPORT int avf_config_set_initrd_fd(avf_config *config, int fd) AVF_CHECK;
AVF_EXPORT int avf_config_set_initrd(avf_config *config,
				     const char *path) AVF_CHECK;

/**
 * A device tree overlay (dtc -@) for a raw VM of arm64, put over the machine's
 * tree when it starts; its targets are named by target-path. The run fails on
 * x86-64 and under emulation. As the kernel.
 */
AVF_EXPORT int avf_config_set_device_tree_overlay_fd(avf_config *config,
						     int fd) AVF_CHECK;
AVF_EXPORT int avf_config_set_device_tree_overlay(avf_config *config,
						  const char *path) AVF_CHECK;

/**
 * Kernel parameters of a raw VM, after the library's own. Copied.
 * Errors: AVF_ERR_INVALID (longer than AVF_MAX_CMDLINE, control characters).
 */
AVF_EXPORT int avf_config_set_cmdline(avf_config *config,
				      const char *cmdline) AVF_CHECK;

/**
 * Add a disk, in the order in which the guest sees them. A raw image or a
 * block device whose size is a multiple of 512 bytes. @fd is duplicated. A
 * payload finds the first as /dev/vdb, behind its package.
 * @options may be NULL: read-only, without a name.
 * Errors: AVF_ERR_INVALID, AVF_ERR_LIMIT (more than AVF_MAX_DISKS).
 */
AVF_EXPORT int avf_config_add_disk_fd(
	avf_config *config, int fd,
	const struct avf_disk_options *options) AVF_CHECK;
/** The same, opening @path. Errors: also AVF_ERR_NOT_FOUND, _PERMISSION. */
AVF_EXPORT int avf_config_add_disk(
	avf_config *config, const char *path,
	const struct avf_disk_options *options) AVF_CHECK;

/**
 * Memory of the guest in MiB; 0 is the default. VirtualMachineConfig's
 * setMemoryBytes(), rounded up. Errors: AVF_ERR_INVALID outside of
 * AVF_MIN_MEMORY_MIB to AVF_MAX_MEMORY_MIB.
 */
AVF_EXPORT int avf_config_set_memory_mib(avf_config *config,
					 uint32_t mib) AVF_CHECK;
AVF_EXPORT uint32_t avf_config_get_memory_mib(const avf_config *config);

/**
 * Number of vCPUs, 1 to AVF_MAX_VCPUS. Overrides the topology.
 * Errors: AVF_ERR_INVALID.
 */
AVF_EXPORT int avf_config_set_vcpus(avf_config *config,
				    uint32_t count) AVF_CHECK;
AVF_EXPORT uint32_t avf_config_get_vcpus(const avf_config *config);

/** AVF's setCpuTopology(). Errors: AVF_ERR_INVALID. */
AVF_EXPORT int avf_config_set_cpu_topology(
	avf_config *config, enum avf_cpu_topology topology) AVF_CHECK;

/** What may run the VM. Errors: AVF_ERR_INVALID. */
AVF_EXPORT int avf_config_set_acceleration(
	avf_config *config, enum avf_acceleration acceleration) AVF_CHECK;
AVF_EXPORT enum avf_acceleration avf_config_get_acceleration(
	const avf_config *config);

/**
 * What the guest is for: its kernel, or the payload and the microguest. One
 * for another architecture than the host's runs under emulation only, which
 * the acceleration has to allow: validation says so. Errors: AVF_ERR_INVALID.
 */
AVF_EXPORT int avf_config_set_architecture(
	avf_config *config, enum avf_architecture architecture) AVF_CHECK;
AVF_EXPORT enum avf_architecture avf_config_get_architecture(
	const avf_config *config);

/**
 * Whether the process that runs the VM must have its whole jail; `avf info
 * --jail` shows what this host allows. Errors: AVF_ERR_INVALID.
 */
AVF_EXPORT int avf_config_set_jail(avf_config *config,
				   enum avf_jail jail) AVF_CHECK;
AVF_EXPORT enum avf_jail avf_config_get_jail(const avf_config *config);

/**
 * AVF's setProtectedVm(): the host's CPUs cannot read the guest's memory. For
 * arm64 hosts with pKVM; docs/protected-vms.md says what that leaves open,
 * devices and registers for instance. With true on any other host, or with
 * emulation alone, validation says so. A VM that shall be protected runs
 * protected or not at all, whatever the acceleration allows. Cannot fail
 * otherwise.
 */
AVF_EXPORT int avf_config_set_protected(avf_config *config,
					bool is_protected) AVF_CHECK;

/** AVF's setDebugLevel(). Errors: AVF_ERR_INVALID. */
AVF_EXPORT int avf_config_set_debug_level(avf_config *config,
					  enum avf_debug_level level) AVF_CHECK;

/** Advise transparent huge pages for the guest's memory. */
AVF_EXPORT int avf_config_set_hugepages(avf_config *config,
					bool hugepages) AVF_CHECK;

/**
 * The payload package (.avfpkg, an EROFS image) of a payload VM. The fd form
 * duplicates. Errors: AVF_ERR_INVALID, AVF_ERR_FORMAT (not EROFS),
 * AVF_ERR_STATE (raw VM), and those of opening it.
 */
AVF_EXPORT int avf_config_set_package_fd(avf_config *config, int fd) AVF_CHECK;
AVF_EXPORT int avf_config_set_package(avf_config *config,
				      const char *path) AVF_CHECK;

/**
 * The payload's library inside the package's lib/<abi>/, for instance
 * "libecho.so". AVF's setPayloadBinaryName().
 * Errors: AVF_ERR_INVALID (empty, has a '/', longer than 255 bytes),
 * AVF_ERR_STATE (raw VM).
 */
AVF_EXPORT int avf_config_set_payload_name(avf_config *config,
					   const char *name) AVF_CHECK;

/**
 * Instead of that: a JSON file inside the package, for instance
 * "assets/vm_config.json", that says what to run (docs/payloads.md). AVF's
 * setPayloadConfigPath(). A wrong file ends the run with
 * AVF_STOP_REASON_MICRODROID_INVALID_PAYLOAD_CONFIG.
 * Errors: AVF_ERR_INVALID (no such path, longer than 255 bytes),
 * AVF_ERR_STATE (raw VM), AVF_ERR_NO_MEMORY.
 */
AVF_EXPORT int avf_config_set_payload_config_path(avf_config *config,
						  const char *path) AVF_CHECK;

/**
 * The microguest image (a directory made by `avf image build`) of a payload
 * VM. NULL: $AVF_GUEST_IMAGE, else the user's, else the system's.
 * Errors: AVF_ERR_STATE (raw VM), AVF_ERR_NO_MEMORY.
 */
AVF_EXPORT int avf_config_set_guest_image(avf_config *config,
					  const char *dir) AVF_CHECK;

/**
 * Where the guest's console goes; where its input comes from; where the
 * payload's output and log go. -1: nowhere (the default). Duplicated.
 * A payload VM allows console output and input only with debug level FULL
 * (validation says so). The VMM never blocks on them: a sink that is full
 * stops the guest's writer.
 */
AVF_EXPORT int avf_config_set_console_output(avf_config *config,
					     int fd) AVF_CHECK;
AVF_EXPORT int avf_config_set_console_input(avf_config *config,
					    int fd) AVF_CHECK;
AVF_EXPORT int avf_config_set_log_output(avf_config *config, int fd) AVF_CHECK;

/**
 * How long a payload VM may take until its payload has started, in
 * milliseconds, before it is stopped with AVF_STOP_REASON_HANGUP. 0: AVF's
 * 30 s on KVM, 300 s under emulation. A raw VM has no such limit, but a
 * protected one is looked at each time so much has passed, and stopped with
 * the same reason when its kernel shares no memory with the devices that it
 * uses: it has no support for protected VMs.
 */
AVF_EXPORT int avf_config_set_boot_timeout_ms(avf_config *config,
					      uint32_t timeout_ms) AVF_CHECK;

/**
 * Size of the storage that the guest encrypts, in bytes; 0, the default, is
 * none. It belongs to a named VM (avf_manager_create()). Running such a VM
 * is AVF_ERR_UNSUPPORTED yet: its key needs the VM's identity.
 * Errors: AVF_ERR_INVALID (above AVF_MAX_STORAGE_BYTES), AVF_ERR_STATE (raw).
 */
AVF_EXPORT int avf_config_set_encrypted_storage_bytes(avf_config *config,
						      uint64_t bytes) AVF_CHECK;
AVF_EXPORT uint64_t
avf_config_get_encrypted_storage_bytes(const avf_config *config);

/**
 * Whether the console's and the log's output are kept for
 * avf_vm_get_console_output() and _log_output(). AVF's setVmOutputCaptured().
 * Needs debug level FULL: validation says so.
 */
AVF_EXPORT int avf_config_set_vm_output_captured(avf_config *config,
						 bool captured) AVF_CHECK;
AVF_EXPORT bool avf_config_get_vm_output_captured(const avf_config *config);

/** Whether avf_vm_get_console_input() works. As vm_output_captured. */
AVF_EXPORT int avf_config_set_vm_console_input_supported(
	avf_config *config, bool supported) AVF_CHECK;
AVF_EXPORT bool avf_config_get_vm_console_input_supported(
	const avf_config *config);

/*
 * What was set, or its default. Texts are borrowed until the next change.
 * A file that was given by path has its absolute path here; one that was
 * given as an fd, or not at all, has NULL.
 */
AVF_EXPORT const char *avf_config_get_kernel(const avf_config *config);
AVF_EXPORT const char *avf_config_get_initrd(const avf_config *config);
AVF_EXPORT const char *avf_config_get_device_tree_overlay(
	const avf_config *config);
AVF_EXPORT const char *avf_config_get_cmdline(const avf_config *config);
AVF_EXPORT const char *avf_config_get_package(const avf_config *config);
AVF_EXPORT const char *avf_config_get_payload_name(const avf_config *config);
AVF_EXPORT const char *avf_config_get_payload_config_path(
	const avf_config *config);
AVF_EXPORT const char *avf_config_get_guest_image(const avf_config *config);
AVF_EXPORT enum avf_cpu_topology avf_config_get_cpu_topology(
	const avf_config *config);
AVF_EXPORT enum avf_debug_level avf_config_get_debug_level(
	const avf_config *config);
AVF_EXPORT bool avf_config_get_protected(const avf_config *config);
AVF_EXPORT bool avf_config_get_hugepages(const avf_config *config);
AVF_EXPORT uint32_t avf_config_get_boot_timeout_ms(const avf_config *config);

/** Number of disks; path, access and name of disk @index. */
AVF_EXPORT size_t avf_config_get_disk_count(const avf_config *config);
AVF_EXPORT const char *avf_config_get_disk(const avf_config *config,
					   size_t index);
AVF_EXPORT bool avf_config_get_disk_writable(const avf_config *config,
					     size_t index);
AVF_EXPORT const char *avf_config_get_disk_id(const avf_config *config,
					      size_t index);

/**
 * Whether a VM of configuration @a may get @b: AVF's isCompatibleWith().
 * Equal must be: kind, debug level, protection, size of the encrypted
 * storage, capturing of output, console input, payload name, guest image.
 * Free are: memory, CPUs, acceleration, the path of the package, kernel,
 * parameters, disks, huge pages, time-outs.
 */
AVF_EXPORT bool avf_config_is_compatible(const avf_config *a,
					 const avf_config *b);

/** What is wrong with a configuration: one row per problem. */
typedef struct avf_problems avf_problems;

/**
 * Check the whole configuration and name every problem at once.
 * Returns the number of problems; 0 means that avf_vm_new() accepts it.
 * *@ret_problems (NULL allowed: not wanted) belongs to the caller, also when
 * it is empty: avf_problems_free(). Errors: AVF_ERR_NO_MEMORY.
 */
AVF_EXPORT int avf_config_validate(const avf_config *config,
				   avf_problems **ret_problems) AVF_CHECK;

/** Number of rows. */
AVF_EXPORT size_t avf_problems_count(const avf_problems *problems);
/** Field of row @index, for instance "disks[1].image"; NULL beyond the end.
 * Borrowed. */
AVF_EXPORT const char *avf_problems_field(const avf_problems *problems,
					  size_t index);
/** What is wrong with it and what to do. As avf_problems_field(). */
AVF_EXPORT const char *avf_problems_text(const avf_problems *problems,
					 size_t index);
/** Free the rows. NULL is a no-op. */
AVF_EXPORT void avf_problems_free(avf_problems *problems);

#ifdef __cplusplus
}
#endif
