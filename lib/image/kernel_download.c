/*
 * Finding and downloading a kernel package with apt. For another architecture
 * than the host's, apt runs with lists and a state of its own, which know
 * nothing but that architecture: the host's package manager never hears of it.
 * The sources are the host's either way.
 */
#include "image/kernel.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "image/scratch.h"
#include "image/tool.h"

#define APT_OUTPUT_SIZE  65536
#define PACKAGE_MAX_NAME 127 /* bytes */
#define PATTERN_SIZE     80
#define APT_MAX_OPTIONS  8U
#define APT_OPTION_SIZE  (PATH_MAX + 32)
#define APT_MAX_WORDS    4U /* of a command, its name included */

/* How apt is called. Plain data. */
struct apt {
	unsigned int n_options; /* 0: as the host is set up */
	char options[APT_MAX_OPTIONS][APT_OPTION_SIZE];
};

static void add_option(struct apt *apt, const char *name, const char *value)
{
	(void)snprintf(apt->options[apt->n_options++], APT_OPTION_SIZE,
		       "-o%s=%s", name, value);
}

/* A command of apt's, at most APT_MAX_WORDS long, with the options. */
static int run(const struct apt *apt, const char *const command[],
	       const char *cwd, char *output)
{
	const char *argv[1 + APT_MAX_OPTIONS + APT_MAX_WORDS];
	size_t n = 0;

	argv[n++] = command[0];
	for (unsigned int i = 0; i < apt->n_options; i++)
		argv[n++] = apt->options[i];
	for (size_t i = 1; command[i]; i++)
		argv[n++] = command[i];
	argv[n] = NULL;
	return tool_run(argv, cwd, output, output ? APT_OUTPUT_SIZE : 0);
}

/* A directory below @dir that apt is told of as @option; NULL: not told.
 * Absolute, since apt has a root of its own for other paths. */
static int add_dir(struct apt *apt, const char *dir, const char *name,
		   const char *option)
{
	char absolute[PATH_MAX];
	char path[PATH_MAX];
	int rc = path_join(path, dir, name);

	if (rc < 0)
		return rc;
	if (mkdir(path, 0755) < 0 || !realpath(path, absolute))
		return fail_errno("create %s", path);
	if (option)
		add_option(apt, option, absolute);
	return 0;
}

/* Set up for @arch alone, with the lists of the host's sources. */
static int prepare_foreign(struct apt *apt, const struct arch *arch,
			   const char *dir)
{
	static const struct {
		const char *name;
		const char *option;
	} dirs[] = {
		{"apt-state", "Dir::State"},
		{"apt-state/lists", NULL},
		{"apt-state/lists/partial", NULL},
		{"apt-cache", "Dir::Cache"},
		{"apt-cache/archives", NULL},
		{"apt-cache/archives/partial", NULL},
	};
	static const char *const update[] = {"apt-get", "-q", "update", NULL};
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		rc = add_dir(apt, dir, dirs[i].name, dirs[i].option);
		if (rc < 0)
			return rc;
	}
	add_option(apt, "Dir::State::status", "/dev/null"); /* none installed */
	add_option(apt, "APT::Architecture", arch->debian);
	add_option(apt, "APT::Architectures", arch->debian);
	/* root's apt would write as a user who may not enter our directory */
	add_option(apt, "APT::Sandbox::User", "root");
	return scratch_blame_disk(dir, run(apt, update, NULL, NULL));
}

/* The series that the guest is made for is preferred; then the newest. */
static int rank(const char *name)
{
	return strncmp(name, "linux-image-6.12.", 17) == 0 ? 1 : 0;
}

/* "" is worse than everything. */
static bool is_better(const char *name, const char *than)
{
	if (!*than || rank(name) != rank(than))
		return !*than || rank(name) > rank(than);
	return strverscmp(name, than) > 0;
}

/* Cuts up @list, the output of apt-cache search. */
static void choose(char *list, char best[PACKAGE_MAX_NAME + 1])
{
	char *rest = NULL;

	for (char *line = strtok_r(list, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		line[strcspn(line, " ")] = '\0';
		if (strlen(line) > PACKAGE_MAX_NAME || !is_better(line, best))
			continue;
		memcpy(best, line, strlen(line) + 1);
	}
}

/* Signed kernels first: their names have no suffix. Where a mirror has only
 * the unsigned ones, these are the same kernels. The name has the architecture,
 * since a host may know the packages of several. */
static int find_package(const struct apt *apt, const struct arch *arch,
			char best[PACKAGE_MAX_NAME + 1])
{
	static const char *const suffixes[] = {"", "-unsigned"};
	CLEANUP(free_p) char *list = malloc(APT_OUTPUT_SIZE);
	char pattern[PATTERN_SIZE];
	const char *const search[] = {"apt-cache", "--names-only", "search",
				      pattern, NULL};
	int rc;

	if (!list)
		return fail(AVF_ERR_NO_MEMORY, "list of packages");
	best[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(suffixes) && !rank(best); i++) {
		(void)snprintf(pattern, sizeof(pattern),
			       "^linux-image-[0-9][^ ]*-cloud-%s%s$",
			       arch->debian, suffixes[i]);
		rc = run(apt, search, NULL, list);
		if (rc < 0)
			return rc;
		choose(list, best);
	}
	if (!*best)
		return fail(AVF_ERR_NOT_FOUND,
			    "apt knows no cloud kernel for %s: run apt-get "
			    "update, or give a kernel package",
			    arch->name);
	return 0;
}

int kernel_download(const struct arch *arch, const char *dir,
		    char ret_package[PATH_MAX])
{
	CLEANUP(free_p) struct apt *apt = calloc(1, sizeof(*apt));
	char name[PACKAGE_MAX_NAME + 1];
	const char *const download[] = {"apt-get", "-q", "download", name,
					NULL};
	int rc = 0;

	if (!apt)
		return fail(AVF_ERR_NO_MEMORY, "apt");
	if (arch != arch_host())
		rc = prepare_foreign(apt, arch, dir);
	if (rc < 0)
		return rc;
	rc = find_package(apt, arch, name);
	if (rc < 0)
		return rc;
	rc = scratch_blame_disk(dir, run(apt, download, dir, NULL));
	if (rc < 0)
		return rc;
	return kernel_find_file(dir, "*.deb", ret_package);
}
