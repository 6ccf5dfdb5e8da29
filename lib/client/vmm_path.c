#include "client/vmm_path.h"

#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RELATIVE "../libexec/libvirtualization/avf-vmm"

static int set(char *buf, size_t size, const char *path)
{
	int n = snprintf(buf, size, "%s", path);

	if (n < 0 || (size_t)n >= size)
		return fail(AVF_ERR_LIMIT, "the path of avf-vmm is too long");
	return 0;
}

/* The file that this code was loaded from: the .so or the program. */
static int own_file(char ret_path[PATH_MAX])
{
	Dl_info info;

	if (dladdr((void *)(uintptr_t)vmm_path_find, &info) == 0 ||
	    !info.dli_fname)
		return fail(AVF_ERR_NOT_FOUND, "dladdr knows no file");
	/* in a program without PIE it may be a bare argv[0] */
	if (!strchr(info.dli_fname, '/')) {
		if (!realpath("/proc/self/exe", ret_path))
			return fail_errno("/proc/self/exe");
		return 0;
	}
	if (!realpath(info.dli_fname, ret_path))
		return fail_errno("%s", info.dli_fname);
	return 0;
}

static int beside_library(char *buf, size_t size)
{
	char file[PATH_MAX], path[PATH_MAX + sizeof(RELATIVE) + 1];
	int rc = own_file(file);

	if (rc < 0)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/%s", dirname(file), RELATIVE);
	if (access(path, X_OK) < 0)
		return fail_errno("%s", path);
	return set(buf, size, path);
}

int vmm_path_find(char *buf, size_t size)
{
	const char *given = secure_getenv("AVF_VMM");

	if (given && *given) {
		if (access(given, X_OK) < 0)
			return fail_errno("AVF_VMM: %s", given);
		return set(buf, size, given);
	}
	if (beside_library(buf, size) == 0)
		return 0;
	if (access(AVF_INSTALLED_VMM, X_OK) == 0)
		return set(buf, size, AVF_INSTALLED_VMM);
	return fail(AVF_ERR_NOT_FOUND,
		    "avf-vmm is neither beside the library nor at %s; install "
		    "it or set AVF_VMM to its path",
		    AVF_INSTALLED_VMM);
}
