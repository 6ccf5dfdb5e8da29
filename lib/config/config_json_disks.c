/*
 * The "disks" array of a configuration. Values are checked here for their type
 * only; what they mean is checked by the same setters that the C interface has,
 * so both report the same errors.
 */
#include "config/config_json.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"

/* Room for "disks[18446744073709551615]."; and with a key behind it. */
#define WHERE_SIZE 32
#define FIELD_SIZE 48

static const struct config_key disk_keys[] = {
	{.name = "image"},
	{.name = "writable"},
	{.name = "id"},
	{.name = "partitions",
	 .refusal = "make one image of them and name it as \"image\""},
};

/* Absent leaves *@ret_text as it is. */
static int optional_text(json_t *disk, const char *where, const char *key,
			 const char **ret_text)
{
	const json_t *value = json_object_get(disk, key);
	char field[FIELD_SIZE];

	if (!value)
		return 0;
	(void)snprintf(field, sizeof(field), "%s%s", where, key);
	return config_json_text(value, field, ret_text);
}

static int optional_flag(json_t *disk, const char *where, const char *key,
			 bool *ret_flag)
{
	const json_t *value = json_object_get(disk, key);
	char field[FIELD_SIZE];

	if (!value)
		return 0;
	(void)snprintf(field, sizeof(field), "%s%s", where, key);
	return config_json_flag(value, field, ret_flag);
}

/* @index is the place in the text, which errors name. */
static int add_disk(struct config_reader *reader, json_t *disk, size_t index)
{
	struct avf_disk_options options = AVF_DISK_OPTIONS_INIT;
	const char *image = NULL;
	char where[WHERE_SIZE];
	int rc;

	(void)snprintf(where, sizeof(where), "disks[%zu].", index);
	if (!json_is_object(disk))
		return fail(AVF_ERR_INVALID, "disks[%zu]: must be an object",
			    index);
	rc = config_json_check_keys(disk, where, disk_keys,
				    ARRAY_SIZE(disk_keys));
	if (rc < 0)
		return rc;
	rc = optional_text(disk, where, "image", &image);
	if (rc < 0)
		return rc;
	rc = optional_text(disk, where, "id", &options.id);
	if (rc < 0)
		return rc;
	rc = optional_flag(disk, where, "writable", &options.writable);
	if (rc < 0)
		return rc;
	if (!image)
		return fail(AVF_ERR_INVALID, "%simage: missing", where);
	return config_add_disk_at(reader->config, reader->base_dir_fd, image,
				  &options);
}

int config_json_disks(struct config_reader *reader, json_t *array)
{
	int rc;

	if (!json_is_array(array))
		return fail(AVF_ERR_INVALID, "disks: must be an array");
	if (json_array_size(array) > AVF_MAX_DISKS)
		return fail(AVF_ERR_LIMIT, "disks: more than %u",
			    AVF_MAX_DISKS);
	for (size_t i = 0; i < json_array_size(array); i++) {
		rc = add_disk(reader, json_array_get(array, i), i);
		if (rc < 0)
			return rc;
	}
	return 0;
}
