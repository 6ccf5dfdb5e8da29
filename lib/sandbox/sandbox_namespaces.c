/*
 * Namespaces of the process, and a file system with nothing in it.
 *
 * The user namespace comes first: it is what lets an ordinary user make the
 * others. No id is mapped into it, so the process is nobody there; what it
 * has open stays open.
 *
 * There is no PID namespace. unshare() would put children there, of which
 * there are none, and would forbid threads; a process cannot move itself.
 * The calls that name another process are not in the table, and Landlock
 * keeps signals inside.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/sandbox_internal.h"

/* pivot_root(2): with "." twice the old root lies over the new one until it
 * is unmounted, so no directory for it is needed. */
static int pivot(void)
{
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return -1;
	return umount2(".", MNT_DETACH);
}

/* The first root of a computer, an initramfs, cannot be pivoted away. It can
 * be covered; without capabilities nobody gets out of a chroot. */
static int cover(void)
{
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return -1;
	return chroot(".");
}

/* An empty tmpfs somewhere, for a moment, and the working directory in it. */
static int mount_empty(void)
{
	static const char *const places[] = {"/proc", "/tmp", "/dev", "/usr"};
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (mount("jail", places[i], "tmpfs", flags,
			  "size=4k,nr_inodes=1,mode=555") == 0)
			return chdir(places[i]);
	}
	return -1;
}

static int empty_root(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount_empty() < 0)
		return -1;
	if (pivot() < 0 && cover() < 0)
		return -1;
	if (chdir("/") < 0)
		return -1;
	return mount(NULL, "/", NULL,
		     MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV |
			     MS_NOEXEC,
		     NULL);
}

void sandbox_namespaces(struct sandbox_report *report)
{
	int rc;

	sandbox_add_result(report, "jail.user_namespace",
			   unshare(CLONE_NEWUSER), "its own, with no user");
	sandbox_add_result(report, "jail.network_namespace",
			   unshare(CLONE_NEWNET), "its own, with no network");
	sandbox_add_result(report, "jail.ipc_namespace", unshare(CLONE_NEWIPC),
			   "its own");
	sandbox_add_result(report, "jail.uts_namespace", unshare(CLONE_NEWUTS),
			   "its own");
	sandbox_add(report, "jail.pid_namespace", SANDBOX_LIMITED,
		    "the caller's; no call that names another process is "
		    "allowed");
	rc = unshare(CLONE_NEWNS);
	if (rc == 0)
		rc = empty_root();
	sandbox_add_result(report, "jail.file_system", rc,
			   "an empty one, read-only");
}
