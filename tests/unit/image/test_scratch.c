#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/scratch.h"

static char root[PATH_MAX];

static void setup(void)
{
	(void)snprintf(root, sizeof(root), "/tmp/avf-scratch-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
}

static void teardown(void)
{
	struct scratch all;

	memcpy(all.path, root, sizeof(root));
	scratch_fini(&all);
}

TestSuite(scratch, .init = setup, .fini = teardown);

static const char *at(const char *name)
{
	static char path[PATH_MAX];

	cr_assert_eq(path_join(path, root, name), 0);
	return path;
}

Test(scratch, parents_are_made_and_fini_removes_the_rest)
{
	struct scratch scratch;
	char file[PATH_MAX];

	cr_assert_eq(scratch_init(&scratch, at("a/b/target")), 0);
	cr_expect_eq(strncmp(scratch.path, at("a/b/target.tmp-"),
			     strlen(at("a/b/target.tmp-"))),
		     0);
	cr_assert_eq(path_join(file, scratch.path, "x"), 0);
	cr_assert_eq(scratch_write(file, "x", 1), 0);
	cr_expect_lt(scratch_write(file, "x", 1), 0, "never over a file");
	scratch_fini(&scratch);
	cr_expect_lt(access(file, F_OK), 0);
	cr_expect_eq(access(at("a/b"), F_OK), 0);
	scratch_fini(&scratch); /* a second time is a no-op */
}

Test(scratch, links_are_not_followed_when_removing)
{
	struct scratch scratch;
	char link[PATH_MAX];

	cr_assert_eq(scratch_write(at("precious"), "x", 1), 0);
	cr_assert_eq(mkdir(at("precious.d"), 0755), 0);
	cr_assert_eq(scratch_write(at("precious.d/x"), "x", 1), 0);
	cr_assert_eq(scratch_init(&scratch, at("target")), 0);
	cr_assert_eq(path_join(link, scratch.path, "link"), 0);
	cr_assert_eq(symlink(at("precious.d"), link), 0);
	scratch_fini(&scratch);
	cr_expect_eq(access(at("precious.d/x"), F_OK), 0);
}

Test(scratch, a_directory_is_exchanged_whole)
{
	char made[PATH_MAX];
	char target[PATH_MAX];

	memcpy(made, at("made"), PATH_MAX);
	memcpy(target, at("target"), PATH_MAX);
	cr_assert_eq(mkdir(made, 0755), 0);
	cr_assert_eq(scratch_write(at("made/new"), "n", 1), 0);
	cr_assert_eq(mkdir(target, 0755), 0);
	cr_assert_eq(scratch_write(at("target/old"), "o", 1), 0);
	cr_assert_eq(scratch_publish_dir(made, target), 0);
	cr_expect_eq(access(at("target/new"), F_OK), 0);
	cr_expect_lt(access(at("target/old"), F_OK), 0);
	cr_expect_eq(access(at("made/old"), F_OK), 0, "for the caller");
}

Test(scratch, too_long_a_path)
{
	static char path[PATH_MAX];
	struct scratch scratch;

	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	cr_expect_lt(scratch_init(&scratch, path), 0);
	cr_expect_str_empty(scratch.path);
}

Test(scratch, mapping_what_is_no_file)
{
	struct mapped_file file;

	cr_expect_eq(mapped_file_init(&file, root), AVF_ERR_INVALID, "dir");
	cr_expect_eq(mapped_file_init(&file, "/dev/null"), AVF_ERR_INVALID);
	cr_expect_eq(mapped_file_init(&file, at("none")), AVF_ERR_NOT_FOUND);
	cr_assert_eq(scratch_write(at("empty"), "", 0), 0);
	cr_expect_eq(mapped_file_init(&file, at("empty")), 0);
	cr_expect_eq(file.size, 0);
	mapped_file_fini(&file);
}
