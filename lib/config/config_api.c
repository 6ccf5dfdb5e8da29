/* The public setters and getters: clear the record, refuse NULL, go inside. */
#include "config/config.h"

#include <fcntl.h>

#include "base/cleanup.h"

int config_begin(const void *object)
{
	error_clear();
	if (!object)
		return fail(AVF_ERR_INVALID, "configuration: NULL");
	return 0;
}

int avf_config_new(enum avf_config_kind kind, avf_config **ret_config)
{
	int rc = config_begin(ret_config);

	return rc < 0 ? rc : config_new(kind, ret_config);
}

void avf_config_free(avf_config *config)
{
	config_free(config);
}

enum avf_config_kind avf_config_get_kind(const avf_config *config)
{
	return config ? config->vm.kind : AVF_CONFIG_RAW;
}

int avf_config_set_name(avf_config *config, const char *name)
{
	int rc = config_begin(config);

	return rc < 0 ? rc : config_set_name(config, name);
}

const char *avf_config_get_name(const avf_config *config)
{
	return config ? config->vm.name : NULL;
}

int avf_config_set_cmdline(avf_config *config, const char *cmdline)
{
	int rc = config_begin(config);

	return rc < 0 ? rc : config_set_cmdline(config, cmdline);
}

int avf_config_set_memory_mib(avf_config *config, uint32_t mib)
{
	int rc = config_begin(config);

	return rc < 0 ? rc : config_set_memory_mib(config, mib);
}

uint32_t avf_config_get_memory_mib(const avf_config *config)
{
	return config ? config->vm.memory_mib : 0;
}

int avf_config_set_vcpus(avf_config *config, uint32_t count)
{
	int rc = config_begin(config);

	return rc < 0 ? rc : config_set_vcpus(config, count);
}

uint32_t avf_config_get_vcpus(const avf_config *config)
{
	return config ? config->vm.vcpus : 0;
}

int avf_config_set_cpu_topology(avf_config *config,
				enum avf_cpu_topology topology)
{
	int rc = config_begin(config);

	return rc < 0 ? rc : config_set_cpu_topology(config, topology);
}

int avf_config_set_acceleration(avf_config *config,
				enum avf_acceleration acceleration)
{
	int rc = config_begin(config);

	return rc < 0 ? rc : config_set_acceleration(config, acceleration);
}

enum avf_acceleration avf_config_get_acceleration(const avf_config *config)
{
	return config ? config->vm.acceleration : AVF_ACCELERATION_KVM;
}

int avf_config_set_architecture(avf_config *config,
				enum avf_architecture architecture)
{
	int rc = config_begin(config);

	return rc < 0 ? rc : config_set_architecture(config, architecture);
}

enum avf_architecture avf_config_get_architecture(const avf_config *config)
{
	return config ? config->vm.architecture : AVF_ARCHITECTURE_HOST;
}

int avf_config_set_jail(avf_config *config, enum avf_jail jail)
{
	int rc = config_begin(config);

	return rc < 0 ? rc : config_set_jail(config, jail);
}

enum avf_jail avf_config_get_jail(const avf_config *config)
{
	return config ? config->vm.jail : AVF_JAIL_DEFAULT;
}

int avf_config_set_protected(avf_config *config, bool is_protected)
{
	int rc = config_begin(config);

	if (rc < 0)
		return rc;
	config->vm.is_protected = is_protected;
	return 0;
}

int avf_config_set_debug_level(avf_config *config, enum avf_debug_level level)
{
	int rc = config_begin(config);

	return rc < 0 ? rc : config_set_debug_level(config, level);
}

int avf_config_set_hugepages(avf_config *config, bool hugepages)
{
	int rc = config_begin(config);

	if (rc < 0)
		return rc;
	config->vm.hugepages = hugepages;
	return 0;
}

int avf_config_set_payload_name(avf_config *config, const char *name)
{
	int rc = config_begin(config);

	return rc < 0 ? rc : config_set_payload_name(config, name);
}

int avf_config_set_payload_config_path(avf_config *config, const char *path)
{
	int rc = config_begin(config);

	return rc < 0 ? rc : config_set_payload_config_path(config, path);
}

int avf_config_set_guest_image(avf_config *config, const char *dir)
{
	int rc = config_begin(config);

	return rc < 0 ? rc : config_set_guest_image(config, dir);
}

int avf_config_set_boot_timeout_ms(avf_config *config, uint32_t timeout_ms)
{
	int rc = config_begin(config);

	if (rc < 0)
		return rc;
	config->vm.boot_timeout_ms = timeout_ms;
	return 0;
}

int avf_config_copy(const avf_config *config, avf_config **ret_config)
{
	int rc = config_begin(config);

	if (rc < 0)
		return rc;
	rc = config_begin(ret_config);
	return rc < 0 ? rc : config_copy(config, ret_config);
}

int avf_config_set_encrypted_storage_bytes(avf_config *config, uint64_t bytes)
{
	int rc = config_begin(config);

	return rc < 0 ? rc : config_set_storage_bytes(config, bytes);
}

int avf_config_set_vm_output_captured(avf_config *config, bool captured)
{
	int rc = config_begin(config);

	if (rc < 0)
		return rc;
	config->output_captured = captured;
	return 0;
}

int avf_config_set_vm_console_input_supported(avf_config *config,
					      bool supported)
{
	int rc = config_begin(config);

	if (rc < 0)
		return rc;
	config->console_input = supported;
	return 0;
}
