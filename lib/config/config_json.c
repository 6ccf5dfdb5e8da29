/* A configuration from JSON. docs/configuration.md lists the keys. */
#include "config/config_json.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "config/config_text.h"
#include "json/json_read.h"

/* Words are shown, escaped, in an error record of 256 bytes. */
#define SHOWN_WORD 40

/* The index of @value in @words, for settings with a closed list of words. */
static int find_word(const char *value, const char *field,
		     const char *const *words, int n_words)
{
	char shown[SHOWN_WORD];

	for (int i = 0; i < n_words; i++)
		if (strcmp(words[i], value) == 0)
			return i;
	config_show_text(value, shown, sizeof(shown));
	return fail(AVF_ERR_INVALID, "%s: \"%s\" is none of %s%s%s%s%s", field,
		    shown, words[0], n_words > 1 ? ", " : "",
		    n_words > 1 ? words[1] : "", n_words > 2 ? ", " : "",
		    n_words > 2 ? words[2] : "");
}

static int read_name(struct config_reader *reader, const char *value)
{
	return config_set_name(reader->config, value);
}

/* Relative paths count from where the configuration lies. */
static int read_file(struct config_reader *reader, const char *path,
		     enum config_file file)
{
	return config_set_file_at(reader->config, file, reader->base_dir_fd,
				  path);
}

static int read_kernel(struct config_reader *reader, const char *value)
{
	return read_file(reader, value, CONFIG_KERNEL);
}

static int read_initrd(struct config_reader *reader, const char *value)
{
	return read_file(reader, value, CONFIG_INITRD);
}

static int read_overlay(struct config_reader *reader, const char *value)
{
	return read_file(reader, value, CONFIG_OVERLAY);
}

static int read_package(struct config_reader *reader, const char *value)
{
	return read_file(reader, value, CONFIG_PACKAGE);
}

static int read_params(struct config_reader *reader, const char *value)
{
	return config_set_cmdline(reader->config, value);
}

static int read_payload(struct config_reader *reader, const char *value)
{
	return config_set_payload_name(reader->config, value);
}

static int read_payload_config(struct config_reader *reader, const char *value)
{
	return config_set_payload_config_path(reader->config, value);
}

/* Relative to the configuration, like every path in it. The image is a
 * directory that is opened later, so the path itself is made absolute. */
static int read_guest_image(struct config_reader *reader, const char *value)
{
	CLEANUP(free_p) char *path = NULL;
	int rc = config_absolute(reader->base_dir_fd, value, "guest_image",
				 &path);

	return rc < 0 ? rc : config_set_guest_image(reader->config, path);
}

static int read_cpu_topology(struct config_reader *reader, const char *value)
{
	static const char *const words[] = {"one_cpu", "match_host"};
	int i = find_word(value, "cpu_topology", words, ARRAY_SIZE(words));

	if (i < 0)
		return i;
	return config_set_cpu_topology(reader->config,
				       (enum avf_cpu_topology)i);
}

static int read_acceleration(struct config_reader *reader, const char *value)
{
	static const char *const words[] = {"kvm", "kvm-or-emulation",
					    "emulation"};
	int i = find_word(value, "acceleration", words, ARRAY_SIZE(words));

	if (i < 0)
		return i;
	return config_set_acceleration(reader->config,
				       (enum avf_acceleration)i);
}

static int read_architecture(struct config_reader *reader, const char *value)
{
	static const char *const words[] = {"x86_64", "arm64"};
	int i = find_word(value, "architecture", words, ARRAY_SIZE(words));

	if (i < 0)
		return i;
	return config_set_architecture(
		reader->config,
		(enum avf_architecture)(i + AVF_ARCHITECTURE_X86_64));
}

static int read_jail(struct config_reader *reader, const char *value)
{
	static const char *const words[] = {"default", "strict"};
	int i = find_word(value, "jail", words, ARRAY_SIZE(words));

	if (i < 0)
		return i;
	return config_set_jail(reader->config, (enum avf_jail)i);
}

static int read_debug_level(struct config_reader *reader, const char *value)
{
	static const char *const words[] = {"none", "full"};
	int i = find_word(value, "debug_level", words, ARRAY_SIZE(words));

	if (i < 0)
		return i;
	return config_set_debug_level(reader->config, (enum avf_debug_level)i);
}

/* AVF's platform is version 1.0.0; requirements that it meets, as written. */
static int read_platform_version(struct config_reader *reader,
				 const char *value)
{
	static const char *const met[] = {"~1.0",  "~1.0.0", "~1",   "^1",
					  "^1.0",  "^1.0.0", "1",    "1.0",
					  "1.0.0", "=1.0.0", "=1.0", "*"};
	char shown[SHOWN_WORD];

	(void)reader;
	for (size_t i = 0; i < ARRAY_SIZE(met); i++)
		if (strcmp(met[i], value) == 0)
			return 0;
	config_show_text(value, shown, sizeof(shown));
	return fail(AVF_ERR_UNSUPPORTED,
		    "platform_version: this is 1.0.0, \"%s\" is required; "
		    "write \"~1.0\"",
		    shown);
}

/*
 * Known from AVF's configurations. Only the one that we have is accepted, so
 * that a guest does not wait at a console that is not there.
 */
static int read_console_device(struct config_reader *reader, const char *value)
{
	char shown[SHOWN_WORD];

	(void)reader;
	if (strcmp(value, "ttyS0") == 0)
		return 0;
	config_show_text(value, shown, sizeof(shown));
	return fail(AVF_ERR_UNSUPPORTED,
		    "console_input_device: \"%s\" is not supported; the "
		    "console is ttyS0",
		    shown);
}

static int set_protected(avf_config *config, bool value)
{
	config->vm.is_protected = value;
	return 0;
}

static int set_hugepages(avf_config *config, bool value)
{
	config->vm.hugepages = value;
	return 0;
}

static int set_output_captured(avf_config *config, bool value)
{
	config->output_captured = value;
	return 0;
}

static int set_console_input(avf_config *config, bool value)
{
	config->console_input = value;
	return 0;
}

static int set_boot_timeout(avf_config *config, uint32_t value)
{
	config->vm.boot_timeout_ms = value;
	return 0;
}

/* "type" and "version" come before everything else: find_kind(),
 * check_version(). */
static const struct config_key keys[] = {
	{.name = "type"},
	{.name = "name", .text = read_name},
	{.name = "kernel", .text = read_kernel},
	{.name = "initrd", .text = read_initrd},
	{.name = "device_tree_overlay", .text = read_overlay},
	{.name = "params", .text = read_params},
	{.name = "disks", .array = config_json_disks},
	{.name = "protected", .flag = set_protected},
	{.name = "memory_mib", .number = config_set_memory_mib},
	{.name = "cpu_topology", .text = read_cpu_topology},
	{.name = "vcpus", .number = config_set_vcpus},
	{.name = "acceleration", .text = read_acceleration},
	{.name = "architecture", .text = read_architecture},
	{.name = "jail", .text = read_jail},
	{.name = "hugepages", .flag = set_hugepages},
	{.name = "debug_level", .text = read_debug_level},
	{.name = "package", .text = read_package},
	{.name = "payload", .text = read_payload},
	{.name = "payload_config_path", .text = read_payload_config},
	{.name = "guest_image", .text = read_guest_image},
	{.name = "encrypted_storage_bytes", .bytes = config_set_storage_bytes},
	{.name = "vm_output_captured", .flag = set_output_captured},
	{.name = "vm_console_input_supported", .flag = set_console_input},
	{.name = "boot_timeout_ms", .number = set_boot_timeout},
	{.name = "platform_version", .text = read_platform_version},
	{.name = "console_input_device", .text = read_console_device},
	{.name = "version"},
	{.name = "bootloader",
	 .refusal = "name a kernel and an initrd instead"},
	{.name = "devices", .refusal = "no host device can be assigned"},
	{.name = "usb_config", .refusal = "there is no USB controller"},
};

/* One of the members of the row is set, and says which type the value has. */
static int read_key(struct config_reader *reader, const struct config_key *key,
		    json_t *value)
{
	const char *text;
	uint64_t bytes;
	uint32_t number;
	bool flag;
	int rc;

	if (key->text) {
		rc = config_json_text(value, key->name, &text);
		return rc < 0 ? rc : key->text(reader, text);
	}
	if (key->number) {
		rc = config_json_number(value, key->name, &number);
		return rc < 0 ? rc : key->number(reader->config, number);
	}
	if (key->bytes) {
		rc = config_json_bytes(value, key->name, &bytes);
		return rc < 0 ? rc : key->bytes(reader->config, bytes);
	}
	if (key->flag) {
		rc = config_json_flag(value, key->name, &flag);
		return rc < 0 ? rc : key->flag(reader->config, flag);
	}
	return key->array ? key->array(reader, value) : 0;
}

/* In the order of the table, not of the text: errors do not depend on how
 * somebody sorted their file. */
static int read_keys(struct config_reader *reader, json_t *root)
{
	json_t *value;
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		value = json_object_get(root, keys[i].name);
		if (!value)
			continue;
		rc = read_key(reader, &keys[i], value);
		/* a setter of the other kind of VM: the text is at fault */
		if (rc == AVF_ERR_STATE)
			return fail_as(AVF_ERR_INVALID);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The kind decides which keys are allowed, wherever "type" stands. */
static int find_kind(json_t *root, enum avf_config_kind *ret_kind)
{
	static const char *const words[] = {"raw", "payload"};
	const json_t *value = json_object_get(root, "type");
	const char *text;
	int i;

	if (!value)
		return 0;
	i = config_json_text(value, "type", &text);
	if (i < 0)
		return i;
	i = find_word(text, "type", words, ARRAY_SIZE(words));
	if (i < 0)
		return i;
	*ret_kind = (enum avf_config_kind)i;
	return 0;
}

/* Before the keys: a newer version may have keys that are unknown here. */
static int check_version(json_t *root, bool written)
{
	const json_t *value = json_object_get(root, "version");
	uint32_t version;
	int rc;

	if (!value)
		return written ? fail(AVF_ERR_FORMAT, "version: missing") : 0;
	rc = config_json_number(value, "version", &version);
	if (rc < 0)
		return rc;
	if (version > CONFIG_VERSION)
		return fail(AVF_ERR_UNSUPPORTED,
			    "version: %u is newer than the %u that this "
			    "library knows; a newer library wrote it",
			    version, CONFIG_VERSION);
	if (version != CONFIG_VERSION)
		return fail(AVF_ERR_UNSUPPORTED, "version: %u is unknown",
			    version);
	return 0;
}

/*
 * Checks of the whole come first (version, unknown keys), as what a key means
 * depends on them.
 */
static int read_root(json_t *root, int base_dir_fd, bool written,
		     avf_config **ret_config)
{
	CLEANUP(config_free_p) avf_config *config = NULL;
	enum avf_config_kind kind = AVF_CONFIG_RAW;
	struct config_reader reader;
	int rc;

	if (!json_is_object(root))
		return fail(AVF_ERR_FORMAT, "JSON: not an object");
	rc = check_version(root, written);
	if (rc < 0)
		return rc;
	rc = config_json_check_keys(root, "", keys, ARRAY_SIZE(keys));
	if (rc < 0)
		return rc;
	rc = find_kind(root, &kind);
	if (rc < 0)
		return rc;
	rc = config_new(kind, &config);
	if (rc < 0)
		return rc;
	config->deferred = written;
	reader = (struct config_reader){config, base_dir_fd};
	rc = read_keys(&reader, root);
	if (rc < 0)
		return rc;
	*ret_config = TAKE_PTR(config);
	return 0;
}

/*
 * Limits come before the parser: size, then depth. @written: by us, for a named
 * VM; then version is required and files are not opened.
 */
static int parse(const char *text, size_t size, int base_dir_fd, bool written,
		 avf_config **ret_config)
{
	json_t *root;
	int rc;

	if (size > CONFIG_JSON_MAX_BYTES)
		return fail(AVF_ERR_LIMIT, "JSON: larger than %u bytes",
			    CONFIG_JSON_MAX_BYTES);
	rc = config_json_check_depth(text, size);
	if (rc < 0)
		return rc;
	rc = jtext_read(text, size, &root);
	if (rc < 0)
		return rc;
	rc = read_root(root, base_dir_fd, written, ret_config);
	json_decref(root);
	return rc;
}

int config_parse_json(const char *text, size_t size, int base_dir_fd,
		      avf_config **ret_config)
{
	return parse(text, size, base_dir_fd, false, ret_config);
}

/* -1 is no directory: a path in it that is not absolute is an error. */
int config_parse_written(const char *text, size_t size, avf_config **ret_config)
{
	return parse(text, size, -1, true, ret_config);
}

int avf_config_parse_json(const char *text, size_t size, int base_dir_fd,
			  avf_config **ret_config)
{
	error_clear();
	if (!text || !ret_config)
		return fail(AVF_ERR_INVALID, "JSON: NULL");
	return config_parse_json(text, size, base_dir_fd, ret_config);
}
