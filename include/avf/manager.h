/**
 * @file manager.h
 * Virtual machines with a name: AVF's VirtualMachineManager.
 *
 * A manager keeps VMs in a directory. Each is a directory of its own, with
 * AVF's files: its configuration, its instance id, its instance image, and
 * its encrypted storage if it has one. docs/manager.md describes them.
 *
 * A named VM is an ordinary avf_vm. It is locked while a handle to it lives:
 * another process gets AVF_ERR_BUSY. Within one manager there is at most one
 * handle per VM: a second avf_manager_get() returns the first one's pointer,
 * and each such return needs its own avf_vm_free(). Two managers over one
 * directory see each other's locks, also in one process; use one.
 *
 * A crash at any point leaves a VM whole or not there at all.
 *
 * Thread rule: any thread for functions that take a manager; a VM's own rule
 * holds for its handle, whoever else has it. Handles keep what they need of
 * a manager that was freed.
 */
#pragma once

#include <stddef.h>

#include <avf/config.h>
#include <avf/error.h>
#include <avf/vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Keeps the VMs of one data directory. */
typedef struct avf_manager avf_manager;

/** What another process needs to have a copy of a stopped VM: its files. */
typedef struct avf_descriptor avf_descriptor;

/** Longest name of a named VM, NUL excluded, in bytes. */
#define AVF_MAX_VM_NAME 255U

/**
 * A manager of the VMs in @data_dir/vm; the directories are made, readable
 * by their owner only. NULL: $XDG_DATA_HOME/libvirtualization, else
 * ~/.local/share/libvirtualization. *@ret_manager belongs to the caller.
 * Errors: AVF_ERR_NOT_FOUND (no home directory), AVF_ERR_PERMISSION,
 * AVF_ERR_NO_SPACE, AVF_ERR_LIMIT (path), AVF_ERR_NO_MEMORY, AVF_ERR_IO.
 */
AVF_EXPORT int avf_manager_new(const char *data_dir,
			       avf_manager **ret_manager) AVF_CHECK;

/** Free @manager; handles of its VMs stay valid. NULL is a no-op. */
AVF_EXPORT void avf_manager_free(avf_manager *manager);

/**
 * Make a VM named @name of a copy of @config, whose files must have been
 * given by path. Console and log that were given as fds belong to this
 * handle only; they are not kept. Names are UTF-8 without '/' and control
 * characters, not "." or "..". Blocks for the disk.
 * *@ret_vm is stopped and belongs to the caller: avf_vm_free().
 * Errors: AVF_ERR_EXISTS ("virtual machine already exists"),
 * AVF_ERR_INVALID ("Invalid VM name: ...", the first problem of validation,
 * a file given as an fd), AVF_ERR_NO_SPACE, AVF_ERR_PERMISSION, AVF_ERR_IO.
 */
AVF_EXPORT int avf_manager_create(avf_manager *manager, const char *name,
				  const avf_config *config,
				  avf_vm **ret_vm) AVF_CHECK;

/**
 * The VM named @name. *@ret_vm is given back with avf_vm_free().
 * Errors: AVF_ERR_NOT_FOUND (there is none; AVF returns null), AVF_ERR_BUSY
 * (another process has it), AVF_ERR_FORMAT (its files are broken: "Persisted
 * VM config is invalid", "instance_id file missing", "instance image
 * missing", "Storage image missing"; avf_manager_delete() removes it),
 * AVF_ERR_UNSUPPORTED (a newer library wrote it), AVF_ERR_INVALID (name),
 * AVF_ERR_PERMISSION, AVF_ERR_IO.
 */
AVF_EXPORT int avf_manager_get(avf_manager *manager, const char *name,
			       avf_vm **ret_vm) AVF_CHECK;

/** avf_manager_get(), and if there is none, avf_manager_create(). @config is
 * ignored when the VM exists. Errors: those of both. */
AVF_EXPORT int avf_manager_get_or_create(avf_manager *manager, const char *name,
					 const avf_config *config,
					 avf_vm **ret_vm) AVF_CHECK;

/**
 * Remove the VM named @name with all its files, also when they are broken.
 * Handles to it become AVF_STATUS_DELETED. It cannot be undone.
 * Errors: AVF_ERR_NOT_FOUND, AVF_ERR_STATE ("VM is not in stopped state"),
 * AVF_ERR_BUSY (another process has it), AVF_ERR_INVALID (name),
 * AVF_ERR_PERMISSION, AVF_ERR_IO.
 */
AVF_EXPORT int avf_manager_delete(avf_manager *manager,
				  const char *name) AVF_CHECK;

/**
 * Make a VM named @name of copies of @descriptor's files: the same identity,
 * the same configuration. The paths in it are opened with the rights of this
 * process: import only from who may choose them. Takes @descriptor, also
 * when it fails. AVF's importFromDescriptor().
 * Errors: those of avf_manager_create(), AVF_ERR_FORMAT (a file is not what
 * it should be), AVF_ERR_UNSUPPORTED (configuration of a newer library).
 */
AVF_EXPORT int avf_manager_import(avf_manager *manager, const char *name,
				  avf_descriptor *descriptor,
				  avf_vm **ret_vm) AVF_CHECK;

/** A list of names. */
typedef struct avf_names avf_names;

/**
 * The names of all VMs, sorted, broken ones too. *@ret_names belongs to the
 * caller: avf_names_free(). Errors: AVF_ERR_NO_MEMORY, AVF_ERR_IO.
 */
AVF_EXPORT int avf_manager_list(avf_manager *manager,
				avf_names **ret_names) AVF_CHECK;
AVF_EXPORT size_t avf_names_count(const avf_names *names);
/** Name @index; NULL beyond the end. Borrowed. */
AVF_EXPORT const char *avf_names_get(const avf_names *names, size_t index);
/** NULL is a no-op. */
AVF_EXPORT void avf_names_free(avf_names *names);

/** The name of a named VM, else that of its configuration, or NULL.
 * Borrowed until the VM is freed or configured. */
AVF_EXPORT const char *avf_vm_get_name(const avf_vm *vm);

/** The directory of a named VM's files, NULL for others. Borrowed while the
 * handle lives. AVF's getRootDir(). */
AVF_EXPORT const char *avf_vm_get_dir(const avf_vm *vm);

/** The files of a descriptor. Numbers are their order in AVF's parcel. */
enum avf_descriptor_file {
	AVF_DESCRIPTOR_CONFIG = 0,
	AVF_DESCRIPTOR_INSTANCE_ID = 1,
	AVF_DESCRIPTOR_INSTANCE_IMAGE = 2,
	/** Only where there is encrypted storage. */
	AVF_DESCRIPTOR_STORAGE = 3,
};

/**
 * A descriptor of a stopped named VM. *@ret_descriptor belongs to the caller.
 * Errors: AVF_ERR_STATE ("VM is not in stopped state", "VM has been
 * deleted", no named VM), AVF_ERR_LIMIT (no more fds), AVF_ERR_IO.
 */
AVF_EXPORT int avf_vm_to_descriptor(avf_vm *vm,
				    avf_descriptor **ret_descriptor) AVF_CHECK;

/**
 * A descriptor of files that came by some other way. The fds are duplicated;
 * @storage may be -1. What is in them is checked when they are imported.
 * Errors: AVF_ERR_INVALID (not an open fd), AVF_ERR_LIMIT, _NO_MEMORY.
 */
AVF_EXPORT int avf_descriptor_new(int config, int instance_id,
				  int instance_image, int storage,
				  avf_descriptor **ret_descriptor) AVF_CHECK;

/** One of its fds, or -1. Borrowed. */
AVF_EXPORT int avf_descriptor_get_fd(const avf_descriptor *descriptor,
				     enum avf_descriptor_file file);

/**
 * Send @descriptor over the connected Unix socket @sock; it stays the
 * caller's. Blocks as the socket does.
 * Errors: AVF_ERR_CLOSED, AVF_ERR_BUSY (non-blocking, full), AVF_ERR_IO.
 */
AVF_EXPORT int avf_descriptor_send(const avf_descriptor *descriptor,
				   int sock) AVF_CHECK;

/**
 * Receive what avf_descriptor_send() sent. Blocks as the socket does.
 * *@ret_descriptor belongs to the caller.
 * Errors: AVF_ERR_CLOSED, AVF_ERR_BUSY (non-blocking, nothing there),
 * AVF_ERR_PROTOCOL (something else came; its fds are closed), AVF_ERR_IO.
 */
AVF_EXPORT int avf_descriptor_receive(
	int sock, avf_descriptor **ret_descriptor) AVF_CHECK;

/** Close its files. NULL is a no-op. */
AVF_EXPORT void avf_descriptor_free(avf_descriptor *descriptor);

#ifdef __cplusplus
}
#endif
