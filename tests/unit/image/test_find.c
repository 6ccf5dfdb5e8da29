#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image.h"
#include "image/scratch.h"

static char root[PATH_MAX];

static void setup(void)
{
	(void)snprintf(root, sizeof(root), "/tmp/avf-find-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	(void)unsetenv("AVF_GUEST_IMAGE");
	(void)unsetenv("XDG_DATA_HOME");
	(void)setenv("HOME", root, 1);
}

static void teardown(void)
{
	struct scratch all;

	memcpy(all.path, root, sizeof(root));
	scratch_fini(&all);
}

TestSuite(find, .init = setup, .fini = teardown);

static void add(const char *name)
{
	char path[PATH_MAX];

	cr_assert_eq(path_join(path, root, name), 0);
	cr_assert_eq(scratch_write(path, name, strlen(name)), 0);
}

static int find(const char *dir)
{
	int kernel_fd = -1;
	int initrd_fd = -1;
	int rc = image_find(dir, &kernel_fd, &initrd_fd);

	if (rc == 0) {
		cr_expect_geq(kernel_fd, 0);
		cr_expect_geq(initrd_fd, 0);
	} else {
		cr_expect_eq(kernel_fd, -1, "no output on failure");
		cr_expect_eq(initrd_fd, -1, "no output on failure");
	}
	return rc;
}

Test(find, the_default_is_the_users)
{
	char buf[PATH_MAX];

	(void)setenv("HOME", "/home/x", 1);
	cr_expect_eq(image_default_dir(buf, sizeof(buf)), 0);
	cr_expect_str_eq(buf,
			 "/home/x/.local/share/libvirtualization/microguest");
	(void)setenv("XDG_DATA_HOME", "relative", 1);
	cr_expect_eq(image_default_dir(buf, sizeof(buf)), 0);
	cr_expect_str_eq(buf,
			 "/home/x/.local/share/libvirtualization/microguest");
	(void)setenv("XDG_DATA_HOME", "/data", 1);
	cr_expect_eq(image_default_dir(buf, sizeof(buf)), 0);
	cr_expect_str_eq(buf, "/data/libvirtualization/microguest");
	cr_expect_eq(image_default_dir(buf, 8), AVF_ERR_LIMIT);
	(void)unsetenv("XDG_DATA_HOME");
	(void)unsetenv("HOME");
	cr_expect_eq(image_default_dir(buf, sizeof(buf)), AVF_ERR_NOT_FOUND);
}

Test(find, a_given_directory_must_be_whole)
{
	cr_expect_eq(find("/nonexistent"), AVF_ERR_NOT_FOUND);
	cr_expect_eq(find(root), AVF_ERR_NOT_FOUND, "nothing in it");
	add("kernel");
	cr_expect_eq(find(root), AVF_ERR_NOT_FOUND, "no initramfs");
	add("initrd");
	cr_expect_eq(find(root), 0);
}

Test(find, environment_comes_next)
{
	add("kernel");
	add("initrd");
	(void)setenv("AVF_GUEST_IMAGE", root, 1);
	cr_expect_eq(find(NULL), 0);
	cr_expect_eq(find("/nonexistent"), AVF_ERR_NOT_FOUND, "given wins");
	(void)setenv("AVF_GUEST_IMAGE", "/nonexistent", 1);
	cr_expect_eq(find(NULL), AVF_ERR_NOT_FOUND, "no silent way round");
}

Test(find, the_error_says_what_to_do)
{
	if (access(IMAGE_SYSTEM_DIR, F_OK) == 0)
		cr_skip_test("this host has an image of the system");
	cr_expect_eq(find(NULL), AVF_ERR_NOT_FOUND);
	cr_expect_not_null(strstr(error_record()->text, "avf image build"));
}
