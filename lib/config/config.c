/*
 * The handle of the application: struct vm_config, which travels to the VMM,
 * and beside it what only this side needs (paths, topology, captured output).
 * Setters check one field alone, so their order does not matter; what depends
 * on several is config_validate()'s. A setter that fails changes nothing. A
 * handle is used by one thread at a time.
 */
#include "config/config.h"

#include <string.h>
#include <unistd.h>

#include "base/arch.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "config/config_text.h"

int config_new(enum avf_config_kind kind, avf_config **ret_config)
{
	avf_config *config;

	if (kind != AVF_CONFIG_RAW && kind != AVF_CONFIG_PAYLOAD)
		return fail(AVF_ERR_INVALID, "kind: %d is unknown", (int)kind);
	config = calloc(1, sizeof(*config));
	if (!config)
		return fail(AVF_ERR_NO_MEMORY, "configuration");
	vm_config_init(&config->vm);
	config->vm.kind = kind;
	*ret_config = config;
	return 0;
}

void config_free(avf_config *config)
{
	if (!config)
		return;
	for (unsigned int i = 0; i < CONFIG_N_FILES; i++)
		free(config->paths[i]);
	for (unsigned int i = 0; i < AVF_MAX_DISKS; i++)
		free(config->disk_paths[i]);
	vm_config_fini(&config->vm);
	free(config);
}

void config_free_p(avf_config **config)
{
	config_free(*config);
	*config = NULL;
}

/* Every slot, not only those in use: a half-made copy is freed, too. */
static int copy_paths(char *const *from, char **to, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!from[i])
			continue;
		to[i] = strdup(from[i]);
		if (!to[i])
			return fail(AVF_ERR_NO_MEMORY, "configuration");
	}
	return 0;
}

/* A deep copy: descriptors are duplicated, so either can be freed first. */
int config_copy(const avf_config *config, avf_config **ret_config)
{
	CLEANUP(config_free_p) avf_config *copy = NULL;
	int rc = config_new(config->vm.kind, &copy);

	if (rc < 0)
		return rc;
	copy->topology = config->topology;
	copy->has_vcpus = config->has_vcpus;
	copy->deferred = config->deferred;
	copy->storage_bytes = config->storage_bytes;
	copy->output_captured = config->output_captured;
	copy->console_input = config->console_input;
	rc = copy_paths(config->paths, copy->paths, CONFIG_N_FILES);
	if (rc < 0)
		return rc;
	rc = copy_paths(config->disk_paths, copy->disk_paths, AVF_MAX_DISKS);
	if (rc < 0)
		return rc;
	rc = vm_config_copy(&config->vm, &copy->vm);
	if (rc < 0)
		return rc;
	*ret_config = TAKE_PTR(copy);
	return 0;
}

const struct vm_config *config_vm(const avf_config *config)
{
	return &config->vm;
}

/* The old text goes only when the new one is there. */
static int replace_text(char **target, const char *text)
{
	char *copy = NULL;

	if (text) {
		copy = strdup(text);
		if (!copy)
			return fail(AVF_ERR_NO_MEMORY, "configuration");
	}
	free(*target);
	*target = copy;
	return 0;
}

int config_set_name(avf_config *config, const char *name)
{
	int rc;

	rc = config_check_name(name, "name", AVF_MAX_NAME);
	if (rc < 0)
		return rc;
	return replace_text(&config->vm.name, name);
}

/*
 * Control characters would reach the guest's console as commands, and no kernel
 * parameter needs them.
 */
int config_set_cmdline(avf_config *config, const char *cmdline)
{
	if (!cmdline)
		return fail(AVF_ERR_INVALID, "params: not given");
	if (config->vm.kind != AVF_CONFIG_RAW)
		return fail(AVF_ERR_STATE, "params: only for a raw VM");
	if (strlen(cmdline) > AVF_MAX_CMDLINE)
		return fail(AVF_ERR_INVALID, "params: longer than %u bytes",
			    AVF_MAX_CMDLINE);
	if (config_has_control(cmdline))
		return fail(AVF_ERR_INVALID,
			    "params: control characters are not allowed");
	return replace_text(&config->vm.cmdline, cmdline);
}

/* 0 means the default, as AVF has it. */
int config_set_memory_mib(avf_config *config, uint32_t mib)
{
	if (mib == 0)
		mib = AVF_DEFAULT_MEMORY_MIB;
	if (mib < AVF_MIN_MEMORY_MIB || mib > AVF_MAX_MEMORY_MIB)
		return fail(AVF_ERR_INVALID,
			    "memory_mib: %u is outside of %u to %u", mib,
			    AVF_MIN_MEMORY_MIB, AVF_MAX_MEMORY_MIB);
	config->vm.memory_mib = mib;
	return 0;
}

/* An explicit count; has_vcpus keeps a topology from overriding it. */
int config_set_vcpus(avf_config *config, uint32_t count)
{
	if (count < 1 || count > AVF_MAX_VCPUS)
		return fail(AVF_ERR_INVALID, "vcpus: %u is outside of 1 to %u",
			    count, AVF_MAX_VCPUS);
	config->vm.vcpus = count;
	config->has_vcpus = true;
	return 0;
}

/* CPUs that are online now; the VM keeps the number. */
static uint32_t host_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : (uint32_t)MIN(n, (long)AVF_MAX_VCPUS);
}

/* Remembered also under an explicit count, which wins in any order. */
int config_set_cpu_topology(avf_config *config, enum avf_cpu_topology topology)
{
	if (topology != AVF_CPU_TOPOLOGY_ONE_CPU &&
	    topology != AVF_CPU_TOPOLOGY_MATCH_HOST)
		return fail(AVF_ERR_INVALID, "cpu_topology: %d is unknown",
			    (int)topology);
	config->topology = topology;
	if (!config->has_vcpus)
		config->vm.vcpus =
			topology == AVF_CPU_TOPOLOGY_ONE_CPU ? 1 : host_cpus();
	return 0;
}

int config_set_jail(avf_config *config, enum avf_jail jail)
{
	if (jail != AVF_JAIL_DEFAULT && jail != AVF_JAIL_STRICT)
		return fail(AVF_ERR_INVALID, "jail: %d is unknown", (int)jail);
	config->vm.jail = jail;
	return 0;
}

int config_set_acceleration(avf_config *config,
			    enum avf_acceleration acceleration)
{
	if (acceleration != AVF_ACCELERATION_KVM &&
	    acceleration != AVF_ACCELERATION_KVM_OR_EMULATION &&
	    acceleration != AVF_ACCELERATION_EMULATION)
		return fail(AVF_ERR_INVALID, "acceleration: %d is unknown",
			    (int)acceleration);
	config->vm.acceleration = acceleration;
	return 0;
}

int config_set_architecture(avf_config *config,
			    enum avf_architecture architecture)
{
	if (!arch_find(architecture))
		return fail(AVF_ERR_INVALID, "architecture: %d is unknown",
			    (int)architecture);
	config->vm.architecture = architecture;
	return 0;
}

int config_set_debug_level(avf_config *config, enum avf_debug_level level)
{
	if (level != AVF_DEBUG_LEVEL_NONE && level != AVF_DEBUG_LEVEL_FULL)
		return fail(AVF_ERR_INVALID, "debug_level: %d is unknown",
			    (int)level);
	config->vm.debug_level = level;
	return 0;
}

int config_set_payload_name(avf_config *config, const char *name)
{
	int rc;

	if (config->vm.kind != AVF_CONFIG_PAYLOAD)
		return fail(AVF_ERR_STATE,
			    "payload_name: only for a payload VM");
	/*
	 * The launcher in the guest looks for it inside of the package alone.
	 */
	if (name && strchr(name, '/'))
		return fail(AVF_ERR_INVALID,
			    "payload_name: Payload binary name must not "
			    "specify a path");
	rc = config_check_name(name, "payload_name",
			       VM_CONFIG_MAX_PAYLOAD_NAME);
	if (rc < 0)
		return rc;
	return replace_text(&config->vm.payload_name, name);
}

int config_set_payload_config_path(avf_config *config, const char *path)
{
	if (config->vm.kind != AVF_CONFIG_PAYLOAD)
		return fail(AVF_ERR_STATE,
			    "payload_config_path: only for a payload VM");
	if (!path || strlen(path) > VM_CONFIG_MAX_CONFIG_PATH ||
	    !text_is_inner_path(path))
		return fail(AVF_ERR_INVALID,
			    "payload_config_path: not a path inside of the "
			    "package, as assets/vm_config.json, of at most %u "
			    "bytes",
			    VM_CONFIG_MAX_CONFIG_PATH);
	return replace_text(&config->vm.payload_config_path, path);
}

int config_set_guest_image(avf_config *config, const char *dir)
{
	if (config->vm.kind != AVF_CONFIG_PAYLOAD)
		return fail(AVF_ERR_STATE,
			    "guest_image: only for a payload VM");
	if (dir && (dir[0] == '\0' || strlen(dir) > VM_CONFIG_MAX_PATH))
		return fail(AVF_ERR_INVALID,
			    "guest_image: empty, or longer than %u bytes",
			    VM_CONFIG_MAX_PATH);
	return replace_text(&config->vm.guest_image, dir);
}

/* Remembered, not acted on: a run refuses it, see make_orders() in client/. */
int config_set_storage_bytes(avf_config *config, uint64_t bytes)
{
	if (config->vm.kind != AVF_CONFIG_PAYLOAD && bytes != 0)
		return fail(AVF_ERR_STATE,
			    "encrypted_storage_bytes: only for a payload VM");
	if (bytes > AVF_MAX_STORAGE_BYTES)
		return fail(AVF_ERR_INVALID,
			    "encrypted_storage_bytes: more than %llu",
			    AVF_MAX_STORAGE_BYTES);
	config->storage_bytes = bytes;
	return 0;
}
