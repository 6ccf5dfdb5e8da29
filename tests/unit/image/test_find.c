#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "base/guest_protocol.h"
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

static int find_for(const struct arch *arch, const char *dir)
{
	struct image_files files = {-1, -1};
	int rc = image_find(arch, dir, &files);

	if (rc == 0) {
		cr_expect_geq(files.kernel_fd, 0);
		cr_expect_geq(files.initrd_fd, 0);
		fd_close(files.kernel_fd);
		fd_close(files.initrd_fd);
	} else {
		cr_expect_eq(files.kernel_fd, -1, "no output on failure");
		cr_expect_eq(files.initrd_fd, -1, "no output on failure");
	}
	return rc;
}

static int find(const char *dir)
{
	return find_for(arch_host(), dir);
}

/* Another architecture than the host's. */
static const struct arch *foreign(void)
{
	return arch_at(0) == arch_host() ? arch_at(1) : arch_at(0);
}

static void write_json(const char *text)
{
	char path[PATH_MAX];

	cr_assert_eq(path_join(path, root, IMAGE_JSON), 0);
	(void)unlink(path);
	cr_assert_eq(scratch_write(path, text, strlen(text)), 0);
}

Test(find, the_default_is_the_users)
{
	char buf[PATH_MAX];

	(void)setenv("HOME", "/home/x", 1);
	cr_expect_eq(image_default_dir(arch_host(), buf, sizeof(buf)), 0);
	cr_expect_str_eq(buf,
			 "/home/x/.local/share/libvirtualization/microguest");
	(void)setenv("XDG_DATA_HOME", "relative", 1);
	cr_expect_eq(image_default_dir(arch_host(), buf, sizeof(buf)), 0);
	cr_expect_str_eq(buf,
			 "/home/x/.local/share/libvirtualization/microguest");
	(void)setenv("XDG_DATA_HOME", "/data", 1);
	cr_expect_eq(image_default_dir(arch_host(), buf, sizeof(buf)), 0);
	cr_expect_str_eq(buf, "/data/libvirtualization/microguest");
	cr_expect_eq(image_default_dir(arch_host(), buf, 8), AVF_ERR_LIMIT);
	(void)unsetenv("XDG_DATA_HOME");
	(void)unsetenv("HOME");
	cr_expect_eq(image_default_dir(arch_host(), buf, sizeof(buf)),
		     AVF_ERR_NOT_FOUND);
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
	if (access(IMAGE_SYSTEM_DIR "/libvirtualization", F_OK) == 0)
		cr_skip_test("this host has an image of the system");
	cr_expect_eq(find(NULL), AVF_ERR_NOT_FOUND);
	cr_expect_not_null(strstr(error_record()->text, "avf image build"));
}

Test(find, another_architecture_has_a_directory_of_its_own)
{
	char expected[PATH_MAX];
	char buf[PATH_MAX];

	(void)setenv("XDG_DATA_HOME", "/data", 1);
	(void)snprintf(expected, sizeof(expected),
		       "/data/libvirtualization/microguest-%s",
		       foreign()->name);
	cr_expect_eq(image_default_dir(foreign(), buf, sizeof(buf)), 0);
	cr_expect_str_eq(buf, expected);
	cr_expect_eq(find_for(foreign(), NULL), AVF_ERR_NOT_FOUND);
	cr_expect_not_null(strstr(error_record()->text, "--arch"));
	cr_expect_not_null(strstr(error_record()->text, foreign()->name));
}

Test(find, the_image_says_what_it_is_for)
{
	char text[64];

	add("kernel");
	add("initrd");
	(void)snprintf(text, sizeof(text),
		       "{\"protocol\": %d, \"arch\": \"%s\"}", GUEST_PROTOCOL,
		       foreign()->name);
	write_json(text);
	cr_expect_eq(find(root), AVF_ERR_FORMAT);
	cr_expect_not_null(strstr(error_record()->text, foreign()->name));
	cr_expect_not_null(strstr(error_record()->text, arch_host()->name));
	cr_expect_eq(find_for(foreign(), root), 0);
}

Test(find, the_image_is_of_a_build_that_speaks_our_protocol)
{
	static const struct {
		const char *what, *protocol, *shown;
	} rows[] = {
		{"the next one", ", \"protocol\": 2", "version 2 of"},
		{"none: an older build", "", "version 0 of"},
		{"a text", ", \"protocol\": \"1\"", "version 0 of"},
		{"a number that is none of ours",
		 ", \"protocol\": -9223372036854775808",
		 "version -9223372036854775808 of"},
	};
	char text[128], ours[32];

	_Static_assert(GUEST_PROTOCOL == 1, "the rows");
	add("kernel");
	add("initrd");
	(void)snprintf(ours, sizeof(ours), "this library version %d;",
		       GUEST_PROTOCOL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)snprintf(text, sizeof(text), "{\"arch\": \"%s\"%s}",
			       arch_host()->name, rows[i].protocol);
		write_json(text);
		cr_expect_eq(find(root), AVF_ERR_FORMAT, "%s", rows[i].what);
		cr_expect_not_null(strstr(error_record()->text, rows[i].shown),
				   "%s: %s", rows[i].what,
				   error_record()->text);
		cr_expect_not_null(strstr(error_record()->text, ours));
		cr_expect_not_null(
			strstr(error_record()->text, "avf image build"));
	}
}

/* The text of the file is nobody's we know: it may be shown to a terminal. */
Test(find, what_the_image_says_is_shown_safely)
{
	add("kernel");
	add("initrd");
	write_json("{\"arch\": \"\\u001b[2J\"}");
	cr_expect_eq(find(root), AVF_ERR_FORMAT);
	cr_expect_not_null(strstr(error_record()->text, "is for \\x1b[2J, "),
			   "%s", error_record()->text);
	/* cut between two characters */
	write_json("{\"arch\": \"a\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		   "\xc3\xa4\xc3\xa4\xc3\xa4\"}");
	cr_expect_eq(find(root), AVF_ERR_FORMAT);
	cr_expect_not_null(strstr(error_record()->text, "\xc3\xa4, the VM"),
			   "%s", error_record()->text);
}

Test(find, bad_descriptions)
{
	static const struct {
		const char *what;
		const char *text;
	} rows[] = {
		{"nothing", ""},
		{"no object", "[]"},
		{"no JSON", "arch"},
		{"no architecture", "{}"},
		{"a number", "{\"arch\": 64}"},
		{"an empty name", "{\"arch\": \"\"}"},
		{"one that no guest has", "{\"arch\": \"riscv64\"}"},
		{"another word for it", "{\"arch\": \"X86_64\"}"},
		{"cut off", "{\"arch\": \"x86_64\""},
	};
	char large[8192];

	add("kernel");
	add("initrd");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		write_json(rows[i].text);
		cr_expect_eq(find(root), AVF_ERR_FORMAT, "%s", rows[i].what);
	}
	memset(large, ' ', sizeof(large));
	(void)snprintf(large + sizeof(large) - 32, 32, "{\"arch\": \"%s\"}",
		       arch_host()->name);
	write_json(large);
	cr_expect_eq(find(root), AVF_ERR_FORMAT, "longer than any");
}
