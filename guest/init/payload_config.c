/*
 * The payload's config file, in AVF's format: a JSON object whose "task" names
 * the library. Keys that are not here are those of means that this guest has
 * not, or that a file cannot ask for, and change nothing, as in AVF.
 */
#include "manager.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* AVF's other one is a program, which has no AVmPayload_main(). */
#define TYPE "microdroid_launcher"

static int take_task(struct manager *m, const json_t *task)
{
	const char *type = json_string_value(json_object_get(task, "type"));
	const char *name = json_string_value(json_object_get(task, "command"));
	const size_t room = sizeof(m->orders.payload_name);

	if (!json_is_object(task))
		return fail(AVF_ERR_FORMAT, "No task in VM config");
	if (!type || strcmp(type, TYPE) != 0)
		return fail(AVF_ERR_FORMAT,
			    "VM config: task.type is not \"" TYPE "\"");
	if (!name || strlen(name) >= room || !guest_host_is_file_name(name))
		return fail(AVF_ERR_FORMAT,
			    "VM config: task.command is not the name of a "
			    "library");
	memcpy(m->orders.payload_name, name, strlen(name) + 1);
	return 0;
}

int payload_config_read(struct manager *m)
{
	CLEANUP(package_unref_json) json_t *root = NULL;
	int rc;

	if (m->orders.payload_config_path[0] == '\0')
		return 0;
	rc = package_read_json(m->orders.payload_config_path, &root);
	if (rc < 0)
		return rc;
	if (json_array_size(json_object_get(root, "extra_apks")) > 0)
		return fail(AVF_ERR_FORMAT,
			    "VM config: extra_apks: a guest has one package");
	return take_task(m, json_object_get(root, "task"));
}
