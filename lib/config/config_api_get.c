/* The public getters. They cannot fail; NULL gets the default. */
#include "config/config.h"

enum avf_cpu_topology avf_config_get_cpu_topology(const avf_config *config)
{
	return config ? config->topology : AVF_CPU_TOPOLOGY_ONE_CPU;
}

bool avf_config_get_protected(const avf_config *config)
{
	return config && config->vm.is_protected;
}

enum avf_debug_level avf_config_get_debug_level(const avf_config *config)
{
	return config ? config->vm.debug_level : AVF_DEBUG_LEVEL_NONE;
}

bool avf_config_get_hugepages(const avf_config *config)
{
	return config && config->vm.hugepages;
}

const char *avf_config_get_cmdline(const avf_config *config)
{
	return config ? config->vm.cmdline : NULL;
}

const char *avf_config_get_kernel(const avf_config *config)
{
	return config ? config->paths[CONFIG_KERNEL] : NULL;
}

const char *avf_config_get_initrd(const avf_config *config)
{
	return config ? config->paths[CONFIG_INITRD] : NULL;
}

const char *avf_config_get_device_tree_overlay(const avf_config *config)
{
	return config ? config->paths[CONFIG_OVERLAY] : NULL;
}

const char *avf_config_get_package(const avf_config *config)
{
	return config ? config->paths[CONFIG_PACKAGE] : NULL;
}

const char *avf_config_get_payload_name(const avf_config *config)
{
	return config ? config->vm.payload_name : NULL;
}

const char *avf_config_get_payload_config_path(const avf_config *config)
{
	return config ? config->vm.payload_config_path : NULL;
}

const char *avf_config_get_guest_image(const avf_config *config)
{
	return config ? config->vm.guest_image : NULL;
}

uint32_t avf_config_get_boot_timeout_ms(const avf_config *config)
{
	return config ? config->vm.boot_timeout_ms : 0;
}

size_t avf_config_get_disk_count(const avf_config *config)
{
	return config ? config->vm.n_disks : 0;
}

const char *avf_config_get_disk(const avf_config *config, size_t index)
{
	return index < avf_config_get_disk_count(config)
		       ? config->disk_paths[index]
		       : NULL;
}

bool avf_config_get_disk_writable(const avf_config *config, size_t index)
{
	return index < avf_config_get_disk_count(config) &&
	       config->vm.disks[index].writable;
}

const char *avf_config_get_disk_id(const avf_config *config, size_t index)
{
	return index < avf_config_get_disk_count(config)
		       ? config->vm.disks[index].id
		       : NULL;
}

uint64_t avf_config_get_encrypted_storage_bytes(const avf_config *config)
{
	return config ? config->storage_bytes : 0;
}

bool avf_config_get_vm_output_captured(const avf_config *config)
{
	return config && config->output_captured;
}

bool avf_config_get_vm_console_input_supported(const avf_config *config)
{
	return config && config->console_input;
}

bool avf_config_is_compatible(const avf_config *a, const avf_config *b)
{
	return a && b && config_is_compatible(a, b);
}
