/*
 * Namespaces of the process, and a file system with nothing in it.
 *
 * The user namespace comes first: it is what lets an ordinary user make the
 * others. No id is mapped into it, so the process is nobody there; what it
 * has open stays open.
 *
 * The PID namespace is there from the first instruction, or never: a process
 * cannot move itself into one. The library starts the VMM as the first
 * process of one, and in a user namespace, where the host allows that
 * (lib/client/spawn.c). As such it cannot be killed by signals from inside,
 * and a QEMU that it starts dies with it.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
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

/* Only there is a process number 1 that is not the computer's first. */
static bool is_first_process(void)
{
	return getpid() == 1;
}

static bool is_without_users(void)
{
	CLEANUP(close_p)
	int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	char byte;

	return fd >= 0 && read(fd, &byte, 1) == 0;
}

/* Whoever is nobody in a user namespace cannot make another one, and has no
 * need to when it is its own. */
static int own_user_namespace(void)
{
	int saved;

	if (unshare(CLONE_NEWUSER) == 0)
		return 0;
	saved = errno;
	if (is_first_process() && is_without_users())
		return 0;
	errno = saved;
	return -1;
}

static void add_pid_namespace(struct sandbox_report *report)
{
	if (is_first_process())
		sandbox_add(report, "jail.pid_namespace", SANDBOX_YES,
			    "its own, with no other process of the host");
	else
		sandbox_add(report, "jail.pid_namespace", SANDBOX_NO,
			    "the caller's: it could not be started in one");
}

void sandbox_namespaces(struct sandbox_report *report)
{
	int rc;

	sandbox_add_result(report, "jail.user_namespace", own_user_namespace(),
			   "its own, with no user");
	add_pid_namespace(report);
	sandbox_add_result(report, "jail.network_namespace",
			   unshare(CLONE_NEWNET), "its own, with no network");
	sandbox_add_result(report, "jail.ipc_namespace", unshare(CLONE_NEWIPC),
			   "its own");
	sandbox_add_result(report, "jail.uts_namespace", unshare(CLONE_NEWUTS),
			   "its own");
	rc = unshare(CLONE_NEWNS);
	if (rc == 0)
		rc = empty_root();
	sandbox_add_result(report, "jail.file_system", rc,
			   "an empty one, read-only");
}
