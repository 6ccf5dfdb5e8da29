/*
 * A guest image is built in a directory beside its place and renamed there when
 * it is complete and synced, so an interrupted build leaves the old image as it
 * was. Steps: package, kernel, initramfs, image.json.
 */
#include <avf/image.h>

#include <dirent.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/guest_protocol.h"
#include "image/image.h"
#include "image/initramfs.h"
#include "image/kernel.h"
#include "image/scratch.h"
#include "json/json_text.h"

/* Of the first header that had this structure. */
#define OLD_OPTIONS_SIZE offsetof(struct avf_image_options, architecture)

/* What one build has in its hands. */
struct build {
	const struct avf_image_options *options; /* borrowed */
	const struct arch *arch;
	const char *guest_dir;  /* NULL: found; borrowed, as the two below */
	const char *work;       /* directory for the package */
	const char *image;      /* directory that becomes the image */
	char package[PATH_MAX]; /* or the kernel itself, when it was given */
	struct kernel_tree tree;
};

/* For a person who waits; never an error. */
static void tell(const struct build *build, const char *text)
{
	if (build->options->progress)
		build->options->progress(build->options->userdata, text);
}

static int copy_path(const char *given, char ret_path[PATH_MAX])
{
	if (strlen(given) >= PATH_MAX)
		return fail(AVF_ERR_LIMIT, "the kernel's path is too long");
	memcpy(ret_path, given, strlen(given) + 1);
	return 0;
}

/* One of the caller's own: no modules, and its release is not in its name. */
static int take_kernel(struct build *build)
{
	const char *given = build->options->kernel;
	int rc = copy_path(given, build->package);

	return rc < 0 ? rc : copy_path(given, build->tree.vmlinuz);
}

/* Given by the caller, or found and downloaded by apt. */
static int get_package(struct build *build)
{
	const char *given = build->options->kernel_package;
	int rc;

	if (given) {
		rc = copy_path(given, build->package);
		if (rc < 0)
			return rc;
	} else {
		tell(build, "downloading a kernel");
		rc = kernel_download(build->arch, build->work, build->package);
		if (rc < 0)
			return rc;
	}
	tell(build, "extracting the kernel package");
	return kernel_extract(build->package, build->work, &build->tree);
}

/* Unpacked here once, instead of at each start of a VM. */
static int make_kernel(struct build *build)
{
	CLEANUP(unpack_buffer_fini) struct unpack_buffer kernel = {0};
	char path[PATH_MAX];
	int rc;

	tell(build, "unpacking the kernel");
	rc = path_join(path, build->image, IMAGE_KERNEL);
	if (rc < 0)
		return rc;
	rc = kernel_unpack(build->arch, build->tree.vmlinuz, &kernel);
	if (rc < 0)
		return rc;
	if (build->options->kernel)
		kernel_find_release(&kernel, build->tree.release);
	return scratch_write(path, kernel.data, kernel.size);
}

static int make_initrd(const struct build *build)
{
	const struct initramfs_parts parts = {
		.arch = build->arch,
		.guest_dir = build->guest_dir,
		.modules_dir =
			build->options->kernel ? NULL : build->tree.modules,
	};
	char path[PATH_MAX];
	int rc;

	tell(build, "writing the initramfs");
	rc = path_join(path, build->image, IMAGE_INITRD);
	if (rc < 0)
		return rc;
	return initramfs_write(path, &parts);
}

/* What the image was made from, for people and for later formats. */
static int make_json(const struct build *build)
{
	CLEANUP(free_p) char *text = NULL;
	const char *name = strrchr(build->package, '/');
	char path[PATH_MAX];
	json_error_t error;
	json_t *root;
	int rc;

	rc = path_join(path, build->image, IMAGE_JSON);
	if (rc < 0)
		return rc;
	root = json_pack_ex(&error, 0, "{s:i, s:i, s:s, s:s, s:s}", "format",
			    IMAGE_FORMAT, "protocol", GUEST_PROTOCOL,
			    "kernel_version", build->tree.release, "arch",
			    build->arch->name, "built_from",
			    name ? name + 1 : build->package);
	if (!root && json_error_code(&error) == json_error_invalid_utf8)
		return fail(AVF_ERR_FORMAT,
			    "the package's name is not UTF-8 text");
	text = jtext_write(root, JSON_INDENT(2));
	json_decref(root);
	if (!text)
		return fail(AVF_ERR_NO_MEMORY, IMAGE_JSON);
	return scratch_write(path, text, strlen(text));
}

static int make_image(struct build *build)
{
	int rc;

	if (build->options->kernel)
		rc = take_kernel(build);
	else
		rc = get_package(build);
	if (rc < 0)
		return rc;
	rc = make_kernel(build);
	if (rc < 0)
		return rc;
	rc = make_initrd(build);
	if (rc < 0)
		return rc;
	rc = make_json(build);
	if (rc < 0)
		return rc;
	return scratch_sync(build->image);
}

/* False when it cannot be read: then nothing is replaced. */
static bool is_empty(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int n = 0;

	if (!dir)
		return false;
	while (n <= 2 && readdir(dir))
		n++;
	(void)closedir(dir); /* read-only: nothing to lose */
	return n <= 2;       /* "." and ".." */
}

/* A directory that is no image is somebody's data: it stays. */
static int check_output(const char *output)
{
	char path[PATH_MAX];
	struct stat st;
	int rc;

	if (lstat(output, &st) < 0)
		return errno == ENOENT ? 0 : fail_errno("%s", output);
	if (!S_ISDIR(st.st_mode))
		return fail(AVF_ERR_EXISTS, "%s exists and is no directory",
			    output);
	rc = path_join(path, output, IMAGE_JSON);
	if (rc < 0)
		return rc;
	if (access(path, F_OK) == 0 || is_empty(output))
		return 0;
	return fail(AVF_ERR_EXISTS, "%s exists and is no guest image", output);
}

/* All that is left of a failure is removed with @scratch. */
static int build_to(const struct avf_image_options *options, const char *output)
{
	CLEANUP(scratch_fini) struct scratch scratch = {""};
	CLEANUP(free_p) struct build *build = calloc(1, sizeof(*build));
	char work[PATH_MAX];
	char image[PATH_MAX];
	int rc;

	if (!build)
		return fail(AVF_ERR_NO_MEMORY, "image build");
	rc = scratch_init(&scratch, output);
	if (rc < 0)
		return rc;
	rc = path_join(work, scratch.path, "work");
	if (rc < 0)
		return rc;
	rc = path_join(image, scratch.path, "image");
	if (rc < 0)
		return rc;
	if (mkdir(work, 0755) < 0 || mkdir(image, 0755) < 0)
		return fail_errno("create %s", image);
	build->options = options;
	build->arch = arch_find(options->architecture);
	build->guest_dir = options->guest_dir;
	build->work = work;
	build->image = image;
	rc = make_image(build);
	if (rc < 0)
		return rc;
	return scratch_publish_dir(image, output);
}

/* The options of a caller whose header may be older. */
static int read_options(const struct avf_image_options *given,
			struct avf_image_options *ret_options)
{
	struct avf_image_options options = AVF_IMAGE_OPTIONS_INIT;

	if (given && given->size < OLD_OPTIONS_SIZE)
		return fail(AVF_ERR_INVALID, "options: size is not set");
	if (given)
		memcpy(&options, given, MIN(given->size, sizeof(options)));
	if (!arch_find(options.architecture))
		return fail(AVF_ERR_INVALID, "architecture: %d is unknown",
			    (int)options.architecture);
	if (options.guest_dir && options.guest_dir[0] == '\0')
		return fail(AVF_ERR_INVALID,
			    "guest_dir: no directory is named");
	if (options.kernel && options.kernel_package)
		return fail(AVF_ERR_INVALID,
			    "kernel: kernel_package is given, too; the image "
			    "has one kernel");
	*ret_options = options;
	return 0;
}

static int choose_output(const struct avf_image_options *options,
			 char ret_output[PATH_MAX])
{
	const char *given = options->output;

	if (!given)
		return image_default_dir(arch_find(options->architecture),
					 ret_output, PATH_MAX);
	if (given[0] == '\0')
		return fail(AVF_ERR_INVALID, "output: no directory is named");
	if (strlen(given) >= PATH_MAX)
		return fail(AVF_ERR_LIMIT, "the output's path is too long");
	memcpy(ret_output, given, strlen(given) + 1);
	return 0;
}

int avf_image_build(const struct avf_image_options *given)
{
	struct avf_image_options options;
	char output[PATH_MAX];
	int rc;

	error_clear();
	rc = read_options(given, &options);
	if (rc < 0)
		return rc;
	rc = choose_output(&options, output);
	if (rc < 0)
		return rc;
	rc = check_output(output);
	if (rc < 0)
		return rc;
	return build_to(&options, output);
}
