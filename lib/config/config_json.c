/* A configuration from JSON. docs/configuration.md lists the keys. */
#include "config/config_json.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "config/config_text.h"

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

static int read_file(struct config_reader *reader, const char *path,
		     const char *field, int (*take)(avf_config *, int))
{
	int fd;
	int rc;

	rc = config_open(reader->base_dir_fd, path, false, field, &fd);
	if (rc < 0)
		return rc;
	return take(reader->config, fd);
}

static int read_kernel(struct config_reader *reader, const char *value)
{
	return read_file(reader, value, "kernel", config_take_kernel);
}

static int read_initrd(struct config_reader *reader, const char *value)
{
	return read_file(reader, value, "initrd", config_take_initrd);
}

static int read_package(struct config_reader *reader, const char *value)
{
	return read_file(reader, value, "package", config_take_package);
}

static int read_params(struct config_reader *reader, const char *value)
{
	return config_set_cmdline(reader->config, value);
}

static int read_payload(struct config_reader *reader, const char *value)
{
	return config_set_payload_name(reader->config, value);
}

/* Relative to the configuration, like every path in it. The image is a
 * directory that is opened later, so the path itself is made absolute. */
static int read_guest_image(struct config_reader *reader, const char *value)
{
	CLEANUP(free_p) char *base = NULL;
	CLEANUP(free_p) char *path = NULL;
	char link[64];

	if (value[0] == '/' || value[0] == '\0' ||
	    reader->base_dir_fd == AT_FDCWD)
		return config_set_guest_image(reader->config, value);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d",
		       reader->base_dir_fd);
	base = realpath(link, NULL);
	if (!base)
		return fail_errno("guest_image: directory of the "
				  "configuration");
	if (asprintf(&path, "%s/%s", base, value) < 0) {
		path = NULL; /* its value is undefined after a failure */
		return fail(AVF_ERR_NO_MEMORY, "guest_image");
	}
	return config_set_guest_image(reader->config, path);
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

static int set_boot_timeout(avf_config *config, uint32_t value)
{
	config->vm.boot_timeout_ms = value;
	return 0;
}

/* "type" comes before everything else: read by find_kind(). */
static const struct config_key keys[] = {
	{.name = "type"},
	{.name = "name", .text = read_name},
	{.name = "kernel", .text = read_kernel},
	{.name = "initrd", .text = read_initrd},
	{.name = "params", .text = read_params},
	{.name = "disks", .array = config_json_disks},
	{.name = "protected", .flag = set_protected},
	{.name = "memory_mib", .number = config_set_memory_mib},
	{.name = "cpu_topology", .text = read_cpu_topology},
	{.name = "vcpus", .number = config_set_vcpus},
	{.name = "acceleration", .text = read_acceleration},
	{.name = "hugepages", .flag = set_hugepages},
	{.name = "debug_level", .text = read_debug_level},
	{.name = "package", .text = read_package},
	{.name = "payload", .text = read_payload},
	{.name = "guest_image", .text = read_guest_image},
	{.name = "boot_timeout_ms", .number = set_boot_timeout},
	{.name = "platform_version", .text = read_platform_version},
	{.name = "console_input_device", .text = read_console_device},
	{.name = "bootloader",
	 .refusal = "name a kernel and an initrd instead"},
	{.name = "devices", .refusal = "no host device can be assigned"},
	{.name = "usb_config", .refusal = "there is no USB controller"},
};

static int read_key(struct config_reader *reader, const struct config_key *key,
		    json_t *value)
{
	const char *text;
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

static int read_root(json_t *root, int base_dir_fd, avf_config **ret_config)
{
	CLEANUP(config_free_p) avf_config *config = NULL;
	enum avf_config_kind kind = AVF_CONFIG_RAW;
	struct config_reader reader;
	int rc;

	if (!json_is_object(root))
		return fail(AVF_ERR_FORMAT, "JSON: not an object");
	rc = config_json_check_keys(root, "", keys, ARRAY_SIZE(keys));
	if (rc < 0)
		return rc;
	rc = find_kind(root, &kind);
	if (rc < 0)
		return rc;
	rc = config_new(kind, &config);
	if (rc < 0)
		return rc;
	reader = (struct config_reader){config, base_dir_fd};
	rc = read_keys(&reader, root);
	if (rc < 0)
		return rc;
	*ret_config = TAKE_PTR(config);
	return 0;
}

int config_parse_json(const char *text, size_t size, int base_dir_fd,
		      avf_config **ret_config)
{
	char shown[JSON_ERROR_TEXT_LENGTH];
	json_error_t error;
	json_t *root;
	int rc;

	if (size > CONFIG_JSON_MAX_BYTES)
		return fail(AVF_ERR_LIMIT, "JSON: larger than %u bytes",
			    CONFIG_JSON_MAX_BYTES);
	rc = config_json_check_depth(text, size);
	if (rc < 0)
		return rc;
	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!root) {
		config_show_text(error.text, shown, sizeof(shown));
		return fail(AVF_ERR_FORMAT, "JSON: line %d, column %d: %s",
			    error.line, error.column, shown);
	}
	rc = read_root(root, base_dir_fd, ret_config);
	json_decref(root);
	return rc;
}

int avf_config_parse_json(const char *text, size_t size, int base_dir_fd,
			  avf_config **ret_config)
{
	error_clear();
	if (!text || !ret_config)
		return fail(AVF_ERR_INVALID, "JSON: NULL");
	return config_parse_json(text, size, base_dir_fd, ret_config);
}
