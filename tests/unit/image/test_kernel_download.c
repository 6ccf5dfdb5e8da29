/* With an apt of our own, which writes down what it was asked. */
#include "image/kernel.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "image/scratch.h"

static char root[PATH_MAX];
static char work[PATH_MAX];

/* Every command lands as a line in $ROOT/log. */
static const char apt_get[] = "#!/bin/sh\n"
			      "echo \"get $*\" >>$ROOT/log\n"
			      "for last; do :; done\n"
			      "case \"$*\" in\n"
			      "*update*) exit $(cat $ROOT/update) ;;\n"
			      "*) : >\"$last.deb\" ;;\n"
			      "esac\n";
static const char apt_cache[] = "#!/bin/sh\n"
				"echo \"cache $*\" >>$ROOT/log\n"
				"for last; do :; done\n"
				"while read -r name text; do\n"
				"echo \"$name\" | grep -qE -- \"$last\" &&\n"
				"echo \"$name $text\"\n"
				"done <$ROOT/list; :\n";

static const char *at(const char *name)
{
	static char path[PATH_MAX];

	cr_assert_eq(path_join(path, root, name), 0);
	return path;
}

static void put(const char *name, const char *text, mode_t mode)
{
	cr_assert_eq(scratch_write(at(name), text, strlen(text)), 0);
	cr_assert_eq(chmod(at(name), mode), 0);
}

static void setup(void)
{
	char path[PATH_MAX + 32];

	(void)snprintf(root, sizeof(root), "/tmp/avf-apt-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	cr_assert_eq(mkdir(at("bin"), 0755), 0);
	cr_assert_eq(mkdir(at("work"), 0755), 0);
	memcpy(work, at("work"), PATH_MAX);
	put("bin/apt-get", apt_get, 0755);
	put("bin/apt-cache", apt_cache, 0755);
	put("update", "0", 0644);
	(void)snprintf(path, sizeof(path), "%s/bin:/usr/bin:/bin", root);
	(void)setenv("PATH", path, 1);
	(void)setenv("ROOT", root, 1);
}

static void teardown(void)
{
	struct scratch all;

	memcpy(all.path, root, sizeof(root));
	scratch_fini(&all);
}

TestSuite(kernel_download, .init = setup, .fini = teardown);

static const char *read_log(void)
{
	static char text[16384];
	FILE *file = fopen(at("log"), "r");

	cr_assert_not_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	(void)fclose(file);
	return text;
}

/* Packages of @debian, apt's word for the architecture. */
static void list_kernels(const char *debian)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "linux-image-6.1.0-9-cloud-%s - Linux\n"
		       "linux-image-6.12.9-cloud-%s-unsigned - Linux\n"
		       "linux-image-6.12.10-cloud-%s-unsigned - Linux\n"
		       "linux-image-6.12.11-cloud-%s-dbg - Linux\n"
		       "linux-image-6.12.99-cloud-mips - Linux\n"
		       "linux-image-6.12.12-%s - Linux\n",
		       debian, debian, debian, debian, debian);
	put("list", text, 0644);
}

static const struct arch *foreign(void)
{
	return arch_at(0) == arch_host() ? arch_at(1) : arch_at(0);
}

Test(kernel_download, the_newest_of_our_series)
{
	char expected[PATH_MAX];
	char package[PATH_MAX];

	list_kernels(arch_host()->debian);
	cr_assert_eq(kernel_download(arch_host(), work, package), 0, "%s",
		     error_record()->text);
	(void)snprintf(expected, sizeof(expected),
		       "%s/linux-image-6.12.10-cloud-%s-unsigned.deb", "work",
		       arch_host()->debian);
	cr_expect_str_eq(package, at(expected));
	cr_expect_null(strstr(read_log(), "update"), "the host's own lists");
	cr_expect_null(strstr(read_log(), "-oDir"), "the host's own state");
}

Test(kernel_download, another_architecture_gets_lists_of_its_own)
{
	char expected[PATH_MAX + 64];
	char package[PATH_MAX];
	const char *log;

	list_kernels(foreign()->debian);
	cr_assert_eq(kernel_download(foreign(), work, package), 0, "%s",
		     error_record()->text);
	log = read_log();
	cr_expect_eq(strncmp(log, "get -o", 6), 0, "options come first");
	cr_expect_not_null(strstr(log, " update\n"));
	(void)snprintf(expected, sizeof(expected), "-oDir::State=%s/apt-state ",
		       work);
	for (const char *line = log; *line; line = strchr(line, '\n') + 1) {
		const char *found = strstr(line, expected);

		cr_expect(found && found < strchr(line, '\n'),
			  "the host's state in: %s", line);
	}
	(void)snprintf(expected, sizeof(expected), "-oAPT::Architecture=%s ",
		       foreign()->debian);
	cr_expect_not_null(strstr(log, expected));
	cr_expect_not_null(strstr(package, foreign()->debian));
}

/* apt takes a relative path for one below its own root. */
Test(kernel_download, a_relative_directory)
{
	char expected[PATH_MAX + 64];
	char package[PATH_MAX];

	list_kernels(foreign()->debian);
	cr_assert_eq(chdir(root), 0);
	cr_assert_eq(kernel_download(foreign(), "work", package), 0, "%s",
		     error_record()->text);
	(void)snprintf(expected, sizeof(expected), "-oDir::State=%s/apt-state ",
		       work);
	cr_expect_not_null(strstr(read_log(), expected));
}

Test(kernel_download, a_host_that_knows_both)
{
	char package[PATH_MAX];
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "linux-image-6.12.9-cloud-%s - Linux\n"
		       "linux-image-6.12.10-cloud-%s - Linux\n",
		       arch_host()->debian, foreign()->debian);
	put("list", text, 0644);
	cr_assert_eq(kernel_download(arch_host(), work, package), 0);
	cr_expect_not_null(strstr(package, "6.12.9"), "%s", package);
}

Test(kernel_download, no_kernel_and_no_lists)
{
	char package[PATH_MAX];

	list_kernels("mips");
	cr_expect_eq(kernel_download(foreign(), work, package),
		     AVF_ERR_NOT_FOUND);
	cr_expect_not_null(strstr(error_record()->text, foreign()->name));
	cr_expect_not_null(strstr(error_record()->text, "package"));
}

Test(kernel_download, lists_that_cannot_be_read)
{
	char package[PATH_MAX];

	list_kernels(foreign()->debian);
	(void)remove(at("update"));
	put("update", "100", 0644);
	cr_expect_eq(kernel_download(foreign(), work, package), AVF_ERR_IO);
	cr_expect_not_null(strstr(error_record()->text, "apt-get"));
}
