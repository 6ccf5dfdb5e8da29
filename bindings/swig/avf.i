/*
 * The C API for scripting languages: one function per C function, flat, with
 * the C names. People use the hand-written packages above it (bindings/python,
 * bindings/java); nobody else should call this module.
 *
 * The same in every language:
 *  - a negative result raises the language's exception, made from the code
 *    and the text of avf_last_error();
 *  - parameters named ret_x become results;
 *  - handles are never freed here: the package above owns them.
 *
 * The rest is in the file of the language.
 */
%module lowlevel

%{
#include <fcntl.h>
#include <stdlib.h>

#include <avf/avf.h>
%}

/* As the C headers use them; nothing of it matters to a wrapper. */
#define AVF_EXPORT
#define AVF_CHECK

%include <stdint.i>

#if defined(SWIGPYTHON)
%include "python.i"
#elif defined(SWIGJAVA)
%include "java.i"
#endif

/* Its content is in the exceptions. */
%ignore avf_error;
%ignore avf_last_error;

/* Structures with a size of the caller's header, and callbacks: the wrappers
 * below take what is in them as parameters. */
%ignore avf_disk_options;
%ignore avf_config_add_disk;
%ignore avf_config_add_disk_fd;
%ignore avf_image_options;
%ignore avf_image_build;
%ignore avf_package_options;
%ignore avf_package_create;
%ignore avf_progress_fn;
%ignore AVF_DISK_OPTIONS_INIT;
%ignore AVF_IMAGE_OPTIONS_INIT;
%ignore AVF_PACKAGE_OPTIONS_INIT;
%ignore AVF_EVENT_INIT;
%ignore AVF_EVENT_TEXT_SIZE;
%ignore AVF_ERROR_TEXT_SIZE;

/* Numbers, not results: -1 is no error here. */
AVF_PLAIN_INT(avf_probe_find)
AVF_PLAIN_INT(avf_vm_get_fd)
AVF_PLAIN_INT(avf_vm_get_pid)
AVF_PLAIN_INT(avf_listener_get_fd)
AVF_PLAIN_INT(avf_descriptor_get_fd)

AVF_HANDLE(avf_config, ret_config)
AVF_HANDLE(avf_problems, ret_problems)
AVF_HANDLE(avf_probe, ret_probe)
AVF_HANDLE(avf_vm, ret_vm)
AVF_HANDLE(avf_listener, ret_listener)
AVF_HANDLE(avf_manager, ret_manager)
AVF_HANDLE(avf_descriptor, ret_descriptor)
AVF_HANDLE(avf_names, ret_names)

/* These wait for somebody: the kernel, a file system, the VMM, the guest. */
AVF_BLOCKING(avf_config_load)
AVF_BLOCKING(avf_config_parse_json)
AVF_BLOCKING(avf_config_set_kernel)
AVF_BLOCKING(avf_config_set_initrd)
AVF_BLOCKING(avf_config_set_device_tree_overlay)
AVF_BLOCKING(avf_config_set_package)
AVF_BLOCKING(avf_config_set_package_fd)
AVF_BLOCKING(avf_config_validate)
AVF_BLOCKING(add_disk)
AVF_BLOCKING(add_disk_fd)
AVF_BLOCKING(avf_probe_new)
AVF_BLOCKING(avf_probe_new_fresh)
AVF_BLOCKING(avf_vm_new)
AVF_BLOCKING(avf_vm_free)
AVF_BLOCKING(avf_vm_run)
AVF_BLOCKING(avf_vm_wait_event)
AVF_BLOCKING(avf_vm_connect)
AVF_BLOCKING(avf_vm_listen)
AVF_BLOCKING(avf_listener_accept)
AVF_BLOCKING(avf_vm_set_config)
AVF_BLOCKING(avf_vm_to_descriptor)
AVF_BLOCKING(avf_manager_new)
AVF_BLOCKING(avf_manager_create)
AVF_BLOCKING(avf_manager_get)
AVF_BLOCKING(avf_manager_get_or_create)
AVF_BLOCKING(avf_manager_delete)
AVF_BLOCKING(avf_manager_import)
AVF_BLOCKING(avf_manager_list)
AVF_BLOCKING(avf_descriptor_send)
AVF_BLOCKING(avf_descriptor_receive)
AVF_BLOCKING(image_build)
AVF_BLOCKING(package_create)

%rename(avf_config_add_disk) add_disk;
%rename(avf_config_add_disk_fd) add_disk_fd;
%inline %{
static int add_disk(avf_config *config, const char *path, bool writable,
		    const char *id)
{
	struct avf_disk_options options = AVF_DISK_OPTIONS_INIT;

	options.writable = writable;
	options.id = id;
	return avf_config_add_disk(config, path, &options);
}

static int add_disk_fd(avf_config *config, int fd, bool writable,
		       const char *id)
{
	struct avf_disk_options options = AVF_DISK_OPTIONS_INIT;

	options.writable = writable;
	options.id = id;
	return avf_config_add_disk_fd(config, fd, &options);
}
%}

%include <avf/error.h>
%include <avf/architecture.h>
%include <avf/config.h>
%include <avf/probe.h>
%include <avf/image.h>
%include <avf/vm.h>
%include <avf/manager.h>
%include <avf/avf.h>
