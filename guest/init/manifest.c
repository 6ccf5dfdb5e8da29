#include "manager.h"

#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define MANIFEST_PATH          PACKAGE_DIR "/manifest.json"
#define MANIFEST_MAX_SIZE      65536 /* bytes */
#define MANIFEST_FORMAT        1
#define MANIFEST_MAX_NAME      64 /* bytes */
#define MANIFEST_MAX_LIBRARIES 256

static void json_unref_p(json_t **json)
{
	json_decref(*json);
}

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

static int check_root(const json_t *root)
{
	const json_t *format = json_object_get(root, "format");
	const json_t *name = json_object_get(root, "name");

	if (!json_is_object(root))
		return fail(AVF_ERR_FORMAT, "manifest.json is not an object");
	if (!json_is_integer(format) ||
	    json_integer_value(format) != MANIFEST_FORMAT)
		return fail(AVF_ERR_FORMAT,
			    "manifest.json: \"format\" is not %d",
			    MANIFEST_FORMAT);
	if (!json_is_string(name) || json_string_length(name) == 0 ||
	    json_string_length(name) > MANIFEST_MAX_NAME)
		return fail(
			AVF_ERR_FORMAT,
			"manifest.json: \"name\" is not 1 to %d bytes of text",
			MANIFEST_MAX_NAME);
	return check_libraries(root);
}

/* Returns the size, or an error. @text has room for one byte too many. */
static ssize_t read_manifest(char text[MANIFEST_MAX_SIZE + 1])
{
	CLEANUP(close_p)
	int fd = open(MANIFEST_PATH,
		      O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	ssize_t size;

	if (fd < 0 && (errno == ENOENT || errno == ELOOP))
		return fail(AVF_ERR_FORMAT, "the package has no manifest.json");
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno("open manifest.json");
	if (!S_ISREG(st.st_mode))
		return fail(AVF_ERR_FORMAT, "manifest.json is not a file");
	size = fd_read_all(fd, text, MANIFEST_MAX_SIZE + 1);
	if (size > MANIFEST_MAX_SIZE)
		return fail(AVF_ERR_FORMAT, "manifest.json: more than %d bytes",
			    MANIFEST_MAX_SIZE);
	return size;
}

int manifest_check(struct manager *m)
{
	CLEANUP(json_unref_p) json_t *root = NULL;
	CLEANUP(free_p) char *text = malloc(MANIFEST_MAX_SIZE + 1);
	json_error_t error;
	ssize_t size;

	(void)m; /* every step has the same form */
	if (!text)
		return fail(AVF_ERR_NO_MEMORY, "manifest.json");
	size = read_manifest(text);
	if (size < 0)
		return (int)size;
	root = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return fail(AVF_ERR_FORMAT, "manifest.json: line %d: %s",
			    error.line, error.text);
	return check_root(root);
}
