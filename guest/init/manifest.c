#include "manager.h"

#include "base/cleanup.h"

#define MANIFEST_FORMAT        1
#define MANIFEST_MAX_NAME      64 /* bytes */
#define MANIFEST_MAX_LIBRARIES 256

static int check_libraries(const json_t *root)
{
	const json_t *libraries = json_object_get(root, "libraries");
	const size_t n = json_array_size(libraries);

	if (!json_is_array(libraries) || n == 0 || n > MANIFEST_MAX_LIBRARIES)
		return fail(
			AVF_ERR_FORMAT,
			"manifest.json: \"libraries\" is not a list of 1 to "
			"%d names",
			MANIFEST_MAX_LIBRARIES);
	for (size_t i = 0; i < n; i++) {
		if (!json_is_string(json_array_get(libraries, i)))
			return fail(AVF_ERR_FORMAT,
				    "manifest.json: libraries[%zu] is not text",
				    i);
	}
	return 0;
}

/* A number of another build is not a package's fault. */
static int check_format(const json_t *format)
{
	if (!json_is_integer(format))
		return fail(AVF_ERR_FORMAT,
			    "manifest.json: \"format\" is not a number");
	if (json_integer_value(format) == MANIFEST_FORMAT)
		return 0;
	return fail(AVF_ERR_FORMAT,
		    "the package has format %" JSON_INTEGER_FORMAT
		    ", the guest image knows %d: they are of different builds; "
		    "make them again with `avf package create` and "
		    "`avf image build`",
		    json_integer_value(format), MANIFEST_FORMAT);
}

static int check_root(const json_t *root)
{
	const json_t *name = json_object_get(root, "name");
	int rc;

	if (!json_is_object(root))
		return fail(AVF_ERR_FORMAT, "manifest.json is not an object");
	rc = check_format(json_object_get(root, "format"));
	if (rc < 0)
		return rc;
	if (!json_is_string(name) || json_string_length(name) == 0 ||
	    json_string_length(name) > MANIFEST_MAX_NAME)
		return fail(
			AVF_ERR_FORMAT,
			"manifest.json: \"name\" is not 1 to %d bytes of text",
			MANIFEST_MAX_NAME);
	return check_libraries(root);
}

int manifest_check(struct manager *m)
{
	CLEANUP(package_unref_json) json_t *root = NULL;
	int rc;

	(void)m; /* every step has the same form */
	rc = package_read_json("manifest.json", &root);
	return rc < 0 ? rc : check_root(root);
}
