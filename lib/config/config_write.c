/* A configuration as JSON for a file of our own. config_json.c reads it. */
#include "config/config_json.h"

#include "base/utf8.h"
#include "json/json_text.h"

/* Errors stick: what is not UTF-8 with its key, everything else that the JSON
 * library cannot do is for want of memory. */
struct writer {
	json_t *object; /* owned by who made the writer */
	const char *not_utf8;
	bool no_memory;
};

/* Takes @value, which NULL means that it could not be made. */
static void put(struct writer *w, const char *key, json_t *value)
{
	if (json_object_set_new(w->object, key, value) < 0)
		w->no_memory = true;
}

/*
 * NULL is not written: reading finds the default. What is no UTF-8 cannot be
 * JSON; the first such key is named.
 */
static void put_text(struct writer *w, const char *key, const char *text)
{
	if (!text)
		return;
	if (utf8_is_valid(text))
		put(w, key, json_string(text));
	else if (!w->not_utf8)
		w->not_utf8 = key;
}

static void put_number(struct writer *w, const char *key, uint64_t number)
{
	put(w, key, json_integer((json_int_t)number));
}

/* Takes on what went wrong below. */
static json_t *disk_object(struct writer *above, const avf_config *config,
			   unsigned int index)
{
	const struct vm_disk *disk = &config->vm.disks[index];
	struct writer w = {json_object(), NULL, false};

	put_text(&w, "image", config->disk_paths[index]);
	put(&w, "writable", json_boolean(disk->writable));
	put_text(&w, "id", disk->id);
	above->no_memory |= w.no_memory;
	if (w.not_utf8)
		above->not_utf8 = "disks";
	return w.object;
}

/* In their order, as that is the order of the guest's devices. */
static void put_disks(struct writer *w, const avf_config *config)
{
	json_t *array;

	if (config->vm.n_disks == 0)
		return;
	array = json_array();
	for (unsigned int i = 0; i < config->vm.n_disks; i++)
		if (json_array_append_new(array, disk_object(w, config, i)) < 0)
			w->no_memory = true;
	put(w, "disks", array);
}

/* The order is that of docs/configuration.md. */
static void put_all(struct writer *w, const avf_config *config)
{
	static const char *const accelerations[] = {"kvm", "kvm-or-emulation",
						    "emulation"};
	const struct vm_config *vm = &config->vm;
	bool is_raw = vm->kind == AVF_CONFIG_RAW;

	put_number(w, "version", CONFIG_VERSION);
	put_text(w, "type", is_raw ? "raw" : "payload");
	put_text(w, "name", vm->name);
	put_text(w, "kernel", config->paths[CONFIG_KERNEL]);
	put_text(w, "initrd", config->paths[CONFIG_INITRD]);
	put_text(w, "device_tree_overlay", config->paths[CONFIG_OVERLAY]);
	put_text(w, "params", vm->cmdline);
	put_disks(w, config);
	put(w, "protected", json_boolean(vm->is_protected));
	put_number(w, "memory_mib", vm->memory_mib);
	put_text(w, "cpu_topology",
		 config->topology == AVF_CPU_TOPOLOGY_ONE_CPU ? "one_cpu"
							      : "match_host");
	if (config->has_vcpus)
		put_number(w, "vcpus", vm->vcpus);
	put_text(w, "acceleration", accelerations[vm->acceleration]);
	/* left out, it is the host's, whichever that is */
	if (vm->architecture != AVF_ARCHITECTURE_HOST)
		put_text(w, "architecture",
			 avf_architecture_name(vm->architecture));
	put_text(w, "jail", vm->jail == AVF_JAIL_STRICT ? "strict" : "default");
	put(w, "hugepages", json_boolean(vm->hugepages));
	put_text(w, "debug_level",
		 vm->debug_level == AVF_DEBUG_LEVEL_FULL ? "full" : "none");
	put_text(w, "package", config->paths[CONFIG_PACKAGE]);
	put_text(w, "payload", vm->payload_name);
	put_text(w, "payload_config_path", vm->payload_config_path);
	put_text(w, "guest_image", vm->guest_image);
	put_number(w, "encrypted_storage_bytes", config->storage_bytes);
	put(w, "vm_output_captured", json_boolean(config->output_captured));
	put(w, "vm_console_input_supported",
	    json_boolean(config->console_input));
	put_number(w, "boot_timeout_ms", vm->boot_timeout_ms);
}

/* The one check of what stuck, at the end. */
int config_write_json(const avf_config *config, char **ret_text)
{
	struct writer w = {json_object(), NULL, false};
	char *text = NULL;

	put_all(&w, config);
	if (!w.not_utf8 && !w.no_memory)
		text = jtext_write(w.object, JSON_INDENT(4));
	json_decref(w.object);
	if (w.not_utf8)
		return fail(AVF_ERR_INVALID, "%s: cannot be kept: not UTF-8",
			    w.not_utf8);
	if (!text)
		return fail(AVF_ERR_NO_MEMORY, "configuration as JSON");
	*ret_text = text;
	return 0;
}
