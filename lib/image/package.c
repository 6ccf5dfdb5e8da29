/*
 * A payload package: an EROFS image of libraries by architecture (in lib/<abi>/
 * with Android's names, as in an APK), programs, assets, and a manifest. It is
 * staged as a tree, packed by mkfs.erofs, and renamed to its place when it is
 * whole. Options have a size, so that programs built with an older header still
 * work.
 */
#include <avf/config.h>
#include <avf/image.h>

#include <fcntl.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arch.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "base/package_mark.h"
#include "image/elf_file.h"
#include "image/scratch.h"
#include "image/tool.h"
#include "image/tree.h"
#include "json/json_text.h"

#define PACKAGE_FORMAT   1
#define MAX_LIBRARIES    256U
#define MAX_PROGRAMS     256U
#define OLD_OPTIONS_SIZE offsetof(struct avf_package_options, programs)
#define MAX_FILE_NAME    255U /* bytes */

/* An existing directory is fine: several libraries share one. */
static int make_dir(const char *parent, const char *name, char ret[PATH_MAX])
{
	int rc = path_join(ret, parent, name);

	if (rc < 0)
		return rc;
	if (mkdir(ret, 0755) < 0 && errno != EEXIST)
		return fail_errno("create %s", ret);
	return 0;
}

static int note_library(json_t *names, const struct arch *arch,
			const char *name)
{
	char entry[MAX_FILE_NAME + 16];
	json_error_t error;
	json_t *text;

	(void)snprintf(entry, sizeof(entry), "lib/%s/%s", arch->abi, name);
	text = json_pack_ex(&error, 0, "s", entry);
	if (!text && json_error_code(&error) == json_error_invalid_utf8)
		return fail(AVF_ERR_INVALID, "the name of %s is not UTF-8",
			    entry);
	if (json_array_append_new(names, text) < 0)
		return fail(AVF_ERR_NO_MEMORY, "manifest.json");
	return 0;
}

/* Copies the file @path into @dir under its own name, executable. */
static int add_file(const char *dir, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char target[PATH_MAX];
	int rc;

	if (!*name || strlen(name) > MAX_FILE_NAME)
		return fail(AVF_ERR_INVALID,
			    "%s: its name has not 1 to %u "
			    "bytes",
			    path, MAX_FILE_NAME);
	rc = path_join(target, dir, name);
	if (rc < 0)
		return rc;
	rc = tree_copy_file(path, target, 0755);
	if (rc < 0)
		return rc;
	*ret_name = name;
	return 0;
}

/* *@mask gets the library's architecture. */
static int add_library(const char *stage, const char *path, json_t *names,
		       uint32_t *mask)
{
	const struct arch *arch;
	const char *name;
	char lib[PATH_MAX];
	char dir[PATH_MAX];
	uint16_t machine;
	int rc;

	rc = elf_file_library_machine(path, &machine);
	if (rc < 0)
		return rc;
	arch = arch_find_elf(machine);
	if (!arch)
		return fail(AVF_ERR_FORMAT,
			    "%s is for an architecture (ELF machine %u) that "
			    "no guest has",
			    path, machine);
	rc = make_dir(stage, "lib", lib);
	if (rc < 0)
		return rc;
	rc = make_dir(lib, arch->abi, dir);
	if (rc < 0)
		return rc;
	rc = add_file(dir, path, &name);
	if (rc < 0)
		return rc;
	*mask |= BIT(arch->id);
	return note_library(names, arch, name);
}

/* Beside the libraries, in bin/, and not in the manifest. */
static int add_programs(const char *stage, const char *const *programs)
{
	const char *name;
	char dir[PATH_MAX];
	int rc;

	rc = make_dir(stage, "bin", dir);
	for (size_t i = 0; rc == 0 && programs[i]; i++) {
		if (i == MAX_PROGRAMS)
			return fail(AVF_ERR_LIMIT, "more than %u programs",
				    MAX_PROGRAMS);
		rc = add_file(dir, programs[i], &name);
	}
	return rc;
}

static int write_manifest(const char *stage, const char *name,
			  const json_t *names)
{
	CLEANUP(free_p) char *text = NULL;
	char path[PATH_MAX];
	json_error_t error;
	json_t *root;
	int rc;

	rc = path_join(path, stage, "manifest.json");
	if (rc < 0)
		return rc;
	root = json_pack_ex(&error, 0, "{s:i, s:s, s:O}", "format",
			    PACKAGE_FORMAT, "name", name, "libraries", names);
	if (!root && json_error_code(&error) == json_error_invalid_utf8)
		return fail(AVF_ERR_INVALID,
			    "the package's name is not UTF-8 text");
	text = jtext_write(root, JSON_INDENT(2));
	json_decref(root);
	if (!text)
		return fail(AVF_ERR_NO_MEMORY, "manifest.json");
	return scratch_write(path, text, strlen(text));
}

static void json_unref_p(json_t **json)
{
	json_decref(*json);
}

static int fill_stage(const struct avf_package_options *options,
		      const char *stage, uint32_t *mask)
{
	CLEANUP(json_unref_p) json_t *names = json_array();
	char assets[PATH_MAX];
	int rc;

	if (!names)
		return fail(AVF_ERR_NO_MEMORY, "manifest.json");
	for (size_t i = 0; options->libraries[i]; i++) {
		if (i == MAX_LIBRARIES)
			return fail(AVF_ERR_LIMIT, "more than %u libraries",
				    MAX_LIBRARIES);
		rc = add_library(stage, options->libraries[i], names, mask);
		if (rc < 0)
			return rc;
	}
	rc = path_join(assets, stage, "assets");
	if (rc < 0)
		return rc;
	if (options->assets) {
		rc = tree_copy(options->assets, assets);
		if (rc < 0)
			return rc;
	}
	/* a caller of an older header has a smaller structure */
	if (options->size > OLD_OPTIONS_SIZE && options->programs) {
		rc = add_programs(stage, options->programs);
		if (rc < 0)
			return rc;
	}
	return write_manifest(stage, options->name, names);
}

/* No times and no owners: the same content makes the same file. The UUID says
 * which architectures the package is for. */
static int make_erofs(const char *stage, const char *file, uint32_t mask)
{
	char uuid[2 + PACKAGE_MARK_TEXT] = "-U";
	const char *const argv[] = {
		"mkfs.erofs", "-T0", "--all-root", "-x-1",
		uuid,         file,  stage,        NULL,
	};
	int rc;

	package_mark_make(mask, uuid + 2);
	rc = scratch_blame_disk(stage, tool_run(argv, NULL, NULL, 0));
	if (rc < 0)
		return rc;
	if (chmod(file, 0644) < 0)
		return fail_errno("change the mode of %s", file);
	return scratch_sync(file);
}

static int check_options(const struct avf_package_options *options)
{
	size_t n;

	if (!options || options->size < OLD_OPTIONS_SIZE)
		return fail(AVF_ERR_INVALID, "options: size is not set");
	if (!options->output || !*options->output)
		return fail(AVF_ERR_INVALID, "output: no file is named");
	n = options->name ? strlen(options->name) : 0;
	if (n == 0 || n > AVF_MAX_NAME)
		return fail(AVF_ERR_INVALID, "name: 1 to %u bytes",
			    AVF_MAX_NAME);
	if (!options->libraries || !options->libraries[0])
		return fail(AVF_ERR_INVALID, "libraries: none is named");
	return 0;
}

/* Moving over it would take a device, say /dev/null, from everybody. */
static int check_output(const char *output)
{
	struct stat st;

	if (lstat(output, &st) < 0)
		return errno == ENOENT ? 0 : fail_errno("output: %s", output);
	if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
		return 0;
	return fail(AVF_ERR_EXISTS,
		    "output: %s exists and is no file: name another", output);
}

int avf_package_create(const struct avf_package_options *options)
{
	CLEANUP(scratch_fini) struct scratch scratch = {""};
	char stage[PATH_MAX];
	char file[PATH_MAX];
	uint32_t mask = 0;
	int rc;

	error_clear();
	rc = check_options(options);
	if (rc < 0)
		return rc;
	rc = check_output(options->output);
	if (rc < 0)
		return rc;
	rc = scratch_init(&scratch, options->output);
	if (rc < 0)
		return rc;
	rc = make_dir(scratch.path, "stage", stage);
	if (rc < 0)
		return rc;
	rc = path_join(file, scratch.path, "package");
	if (rc < 0)
		return rc;
	rc = fill_stage(options, stage, &mask);
	if (rc < 0)
		return rc;
	rc = make_erofs(stage, file, mask);
	if (rc < 0)
		return rc;
	return scratch_publish_file(file, options->output);
}
