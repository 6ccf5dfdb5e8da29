#include <avf/image.h>

#include <criterion/criterion.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/scratch.h"
#include "image/tool.h"
#include "small_disk.h"

static char root[PATH_MAX];
static char output[PATH_MAX];

static const char *at(const char *name)
{
	static char path[PATH_MAX];

	cr_assert_eq(path_join(path, root, name), 0);
	return path;
}

static void setup(void)
{
	(void)snprintf(root, sizeof(root), "/tmp/avf-image-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	memcpy(output, at("image"), PATH_MAX);
}

static void teardown(void)
{
	struct scratch all;

	memcpy(all.path, root, sizeof(root));
	scratch_fini(&all);
}

TestSuite(build, .init = setup, .fini = teardown);

static int build(const char *package)
{
	struct avf_image_options options = AVF_IMAGE_OPTIONS_INIT;

	options.output = output;
	options.kernel_package = package;
	return avf_image_build(&options);
}

static void make_old_image(void)
{
	cr_assert_eq(mkdir(output, 0755), 0);
	cr_assert_eq(scratch_write(at("image/image.json"), "{}", 2), 0);
}

static unsigned int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int n = 0;

	cr_assert_not_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n - 2;
}

/* A package that has @size bytes of nothing below boot/. */
static void make_package(const char *path, const char *size)
{
	char dir[PATH_MAX];
	char kernel[PATH_MAX];
	const char *const fill[] = {"truncate", "-s", size, kernel, NULL};
	const char *const make[] = {"dpkg-deb", "-Znone", "-b",
				    dir,        path,     NULL};
	static const char control[] = "Package: x\nVersion: 1\n"
				      "Architecture: all\nMaintainer: x\n"
				      "Description: x\n";

	cr_assert_eq(mkdir(at("p"), 0755), 0);
	cr_assert_eq(mkdir(at("p/DEBIAN"), 0755), 0);
	cr_assert_eq(mkdir(at("p/boot"), 0755), 0);
	cr_assert_eq(
		scratch_write(at("p/DEBIAN/control"), control, strlen(control)),
		0);
	memcpy(kernel, at("p/boot/vmlinuz-1"), PATH_MAX);
	cr_assert_eq(tool_run(fill, NULL, NULL, 0), 0);
	memcpy(dir, at("p"), PATH_MAX);
	cr_assert_eq(tool_run(make, NULL, NULL, 0), 0, "%s",
		     error_record()->text);
}

Test(build, a_missing_package_leaves_the_old_image)
{
	make_old_image();
	cr_expect_eq(build("/nonexistent.deb"), AVF_ERR_NOT_FOUND);
	cr_expect_eq(access(at("image/image.json"), F_OK), 0);
	cr_expect_eq(count_entries(root), 1, "nothing temporary is left");
}

Test(build, a_package_without_modules)
{
	char package[PATH_MAX];

	memcpy(package, at("x.deb"), PATH_MAX);
	make_package(package, "4096");
	cr_expect_eq(build(package), AVF_ERR_FORMAT);
	cr_expect_lt(access(output, F_OK), 0);
}

static int build_with_kernel(const char *kernel, const char *package)
{
	struct avf_image_options options = AVF_IMAGE_OPTIONS_INIT;

	options.output = output;
	options.kernel = kernel;
	options.kernel_package = package;
	return avf_image_build(&options);
}

Test(build, a_kernel_that_is_none)
{
	make_old_image();
	cr_expect_eq(build_with_kernel("/nonexistent", NULL),
		     AVF_ERR_NOT_FOUND);
	cr_expect_eq(build_with_kernel("/etc/passwd", NULL), AVF_ERR_FORMAT);
	cr_expect_eq(build_with_kernel("/dev/null", NULL), AVF_ERR_INVALID);
	cr_expect_eq(build_with_kernel("/", NULL), AVF_ERR_INVALID);
	cr_expect_eq(build_with_kernel("", NULL), AVF_ERR_NOT_FOUND);
	cr_expect_eq(access(at("image/image.json"), F_OK), 0);
	cr_expect_eq(count_entries(root), 1, "nothing temporary is left");
}

Test(build, a_kernel_and_a_package)
{
	cr_expect_eq(build_with_kernel("/k", "/p.deb"), AVF_ERR_INVALID);
	cr_expect_not_null(
		strstr(error_record()->text, "kernel_package is given, too"));
}

Test(build, a_kernel_with_a_long_path)
{
	static char path[PATH_MAX + 1];

	memset(path, 'k', PATH_MAX);
	cr_expect_eq(build_with_kernel(path, NULL), AVF_ERR_LIMIT);
	path[PATH_MAX - 1] = '\0';
	cr_expect_lt(build_with_kernel(path, NULL), 0);
}

Test(build, somebody_elses_directory_stays)
{
	cr_assert_eq(mkdir(output, 0755), 0);
	cr_assert_eq(scratch_write(at("image/letters"), "x", 1), 0);
	cr_expect_eq(build("/nonexistent.deb"), AVF_ERR_EXISTS);
	cr_expect_eq(access(at("image/letters"), F_OK), 0);
}

Test(build, a_file_is_no_image)
{
	cr_assert_eq(scratch_write(output, "x", 1), 0);
	cr_expect_eq(build("/nonexistent.deb"), AVF_ERR_EXISTS);
}

Test(build, size_is_checked)
{
	const struct avf_image_options none = {0};

	cr_expect_eq(avf_image_build(&none), AVF_ERR_INVALID);
}

Test(build, full_disk_leaves_the_old_image)
{
	char package[] = "/tmp/avf-image-deb-XXXXXX";

	(void)close(mkstemp(package));
	make_package(package, "1M");
	small_disk(root, "size=256k");
	make_old_image();
	cr_expect_eq(build(package), AVF_ERR_NO_SPACE, "%s",
		     error_record()->text);
	cr_expect_eq(access(at("image/image.json"), F_OK), 0);
	cr_expect_eq(count_entries(root), 1, "nothing temporary is left");
	(void)unlink(package);
	(void)umount2(root, MNT_DETACH); /* so that teardown can remove it */
}
