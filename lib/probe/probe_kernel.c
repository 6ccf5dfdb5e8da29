#include "probe/probe.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"

/* In Linux 5.11 and later; the headers that we build with may be older. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

/* The first line of a small file, "" when there is none. */
static void read_line(const struct probe_env *env, const char *name, char *line,
		      size_t size)
{
	CLEANUP(close_p) int fd = -1;
	char path[PATH_MAX];
	ssize_t n = -1;

	(void)snprintf(path, sizeof(path), "%s%s", env->root, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = fd_read_all(fd, line, size - 1);
	line[n < 0 ? 0 : n] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

static void ask_vhost_vsock(struct avf_probe *probe,
			    const struct probe_env *env)
{
	CLEANUP(close_p) int fd = -1;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/dev/vhost-vsock", env->root);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		probe_add(probe, "vhost_vsock", AVF_PROBE_YES, "",
			  "%s can be opened", path);
	else /* nothing to do: we bring a vsock of our own */
		probe_add(probe, "vhost_vsock", AVF_PROBE_NO, "",
			  "open %s: %s; not needed", path,
			  strerrordesc_np(errno));
}

static void ask_huge_pages(struct avf_probe *probe, const struct probe_env *env)
{
	char line[128];

	read_line(env, "/sys/kernel/mm/transparent_hugepage/enabled", line,
		  sizeof(line));
	if (line[0] == '\0')
		probe_add(probe, "huge_pages", AVF_PROBE_NO, "",
			  "this kernel has no transparent huge pages");
	else if (strstr(line, "[never]"))
		probe_add(probe, "huge_pages", AVF_PROBE_NO,
			  "echo madvise | sudo tee "
			  "/sys/kernel/mm/transparent_hugepage/enabled",
			  "transparent huge pages are switched off");
	else
		probe_add(probe, "huge_pages", AVF_PROBE_YES, "",
			  "transparent huge pages: %.100s", line);
}

static void ask_landlock(struct avf_probe *probe)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);

	if (abi > 0)
		probe_add(probe, "landlock", AVF_PROBE_YES, "", "ABI %ld", abi);
	else
		probe_add(probe, "landlock", AVF_PROBE_NO,
			  "add landlock to the kernel's lsm= parameter",
			  "landlock_create_ruleset: %s",
			  strerrordesc_np(errno));
}

static void ask_io_uring(struct avf_probe *probe)
{
	struct io_uring_params params;
	CLEANUP(close_p) int fd = -1;

	memset(&params, 0, sizeof(params));
	fd = (int)syscall(SYS_io_uring_setup, 1, &params);
	if (fd >= 0)
		probe_add(probe, "io_uring", AVF_PROBE_YES, "",
			  "a ring can be made");
	else
		probe_add(probe, "io_uring", AVF_PROBE_NO,
			  "see kernel.io_uring_disabled", "io_uring_setup: %s",
			  strerrordesc_np(errno));
}

static void ask_userfaultfd(struct avf_probe *probe)
{
	CLEANUP(close_p)
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd >= 0) {
		probe_add(probe, "userfaultfd", AVF_PROBE_YES, "",
			  "faults of the kernel included");
		return;
	}
	fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (fd >= 0)
		probe_add(probe, "userfaultfd", AVF_PROBE_LIMITED,
			  "see vm.unprivileged_userfaultfd",
			  "faults of user space only");
	else
		probe_add(probe, "userfaultfd", AVF_PROBE_NO, "",
			  "userfaultfd: %s", strerrordesc_np(errno));
}

/*
 * Not tried: it takes a process of its own, and the files are what the
 * kernel itself goes by.
 */
static void ask_user_namespaces(struct avf_probe *probe,
				const struct probe_env *env)
{
	static const struct {
		const char *file, *bad, *hint;
	} gates[] = {
		{"/proc/sys/kernel/unprivileged_userns_clone", "0",
		 "sudo sysctl kernel.unprivileged_userns_clone=1"},
		{"/proc/sys/user/max_user_namespaces", "0",
		 "sudo sysctl user.max_user_namespaces=10000"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
		 "give the program an AppArmor profile that allows userns"},
	};
	char line[64];

	read_line(env, "/proc/self/uid_map", line, sizeof(line));
	if (line[0] == '\0') {
		probe_add(probe, "user_namespaces", AVF_PROBE_NO, "",
			  "this kernel has none");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(gates); i++) {
		read_line(env, gates[i].file, line, sizeof(line));
		if (strcmp(line, gates[i].bad) != 0)
			continue;
		probe_add(probe, "user_namespaces", AVF_PROBE_NO, gates[i].hint,
			  "%s is %s", gates[i].file, line);
		return;
	}
	probe_add(probe, "user_namespaces", AVF_PROBE_YES, "",
		  "nothing forbids them");
}

void probe_ask_kernel(struct avf_probe *probe, const struct probe_env *env)
{
	ask_vhost_vsock(probe, env);
	ask_huge_pages(probe, env);
	ask_landlock(probe);
	ask_io_uring(probe);
	ask_userfaultfd(probe);
	ask_user_namespaces(probe, env);
}
