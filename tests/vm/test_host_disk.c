/*
 * The host's files change under a running guest: a disk is truncated, made
 * read-only, on a full file system; a console's file may not grow. The guest
 * sees I/O errors, the VM and its other devices go on, and when the host has
 * made room again everything works.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/vm_harness.h"

#define DISK_BYTES (2048 * 512)

/* guest/bare/blkloop.c with @disk, which stays the caller's, as its first. */
static bool start(struct vmt_vm *v, int disk)
{
	const struct avf_disk_options writable = {sizeof(writable), true, NULL};
	avf_config *config = vmt_bare_config("blkloop");
	int other = vmt_memfd(4096, 0);

	CHECK_OK(avf_config_add_disk_fd(config, disk, &writable));
	CHECK_OK(avf_config_add_disk_fd(config, other, &writable));
	(void)close(other);
	if (!vmt_new(v, config))
		return false;
	if (vmt_run(v) && vmt_wait_output(v, "looping"))
		return true;
	vmt_free(v);
	return false;
}

static void finish(struct vmt_vm *v)
{
	CHECK(vmt_wait_stopped(v));
	vmt_check_stopped(v, AVF_STOP_REASON_SHUTDOWN, "");
	vmt_free(v);
}

static void truncated(void)
{
	int disk = vmt_memfd(DISK_BYTES, 0);
	struct vmt_vm v;

	if (start(&v, disk)) {
		CHECK(ftruncate(disk, 0) == 0);
		CHECK(vmt_wait_output(&v, "read fails"));
		CHECK(ftruncate(disk, DISK_BYTES) == 0);
		finish(&v);
	}
	(void)close(disk);
}

/* A sealed memfd is as read-only as a file can become under who has it open
 * for writing. For good: this guest does not recover. */
static void read_only(void)
{
	int disk = memfd_create("disk", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct vmt_vm v;

	CHECK(ftruncate(disk, DISK_BYTES) == 0);
	if (start(&v, disk)) {
		CHECK(fcntl(disk, F_ADD_SEALS, F_SEAL_WRITE) == 0);
		CHECK(vmt_wait_output(&v, "write fails"));
		/* it lives, and reads */
		CHECK(avf_vm_get_status(v.vm) == AVF_STATUS_RUNNING);
		CHECK_OK(avf_vm_kill(v.vm));
		CHECK(vmt_wait_stopped(&v));
		vmt_free(&v);
	}
	(void)close(disk);
}

/* --- a file system of the test's own ---------------------------------- */

/* Run @test in a child, whose mounts are nobody else's. */
static void with_mounts(void (*test)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 &&
		    unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			_exit(77);
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(77);
		test();
		(void)fflush(stdout);
		_exit(vmt_has_failed());
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		vmt_skip("this host forbids mounting in a namespace");
	else
		CHECK(status == 0);
}

static char dir[] = "/tmp/avf-disk-XXXXXX";

static void full_inside(void)
{
	char path[64];
	struct vmt_vm v;
	int disk;

	if (mount("none", dir, "tmpfs", 0, "size=64k") < 0)
		_exit(77);
	(void)snprintf(path, sizeof(path), "%s/disk", dir);
	disk = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(disk >= 0 && ftruncate(disk, DISK_BYTES) == 0);
	if (!start(&v, disk))
		return;
	CHECK(vmt_wait_output(&v, "write fails"));
	CHECK(mount("none", dir, "tmpfs", MS_REMOUNT, "size=4m") == 0);
	finish(&v);
	(void)close(disk);
}

static void full_file_system(void)
{
	CHECK(mkdtemp(dir));
	with_mounts(full_inside);
	CHECK(rmdir(dir) == 0);
}

/* --- a limit of the application's ------------------------------------- */

/* The first process of a PID namespace does not die of such a signal. */
static bool forbid_pid_namespaces(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	bool done;

	done = ctx &&
	       seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
				SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWPID,
					CLONE_NEWPID)) == 0 &&
	       seccomp_load(ctx) == 0;
	seccomp_release(ctx);
	return done;
}

/* Of writing beyond RLIMIT_FSIZE, which a VMM inherits, a process dies by
 * default. The console of this guest is cut, and that is all. */
static void limit_inside(void)
{
	const struct rlimit limit = {8, RLIM_INFINITY};
	const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	struct vmt_vm v;
	char *text;

	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK(forbid_pid_namespaces());
	if (!vmt_new(&v, vmt_bare_config("hello")))
		return;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK_OK(avf_vm_run(v.vm));
	/* what the test prints has no limit */
	CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
	if (vmt_wait_stopped(&v))
		vmt_check_stopped(&v, AVF_STOP_REASON_SHUTDOWN, "");
	text = vmt_output(&v);
	CHECK(text && strlen(text) == 8);
	free(text);
	vmt_free(&v);
}

static void console_beyond_the_limit(void)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		limit_inside();
		(void)fflush(stdout);
		_exit(vmt_has_failed());
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static const struct vmt_test tests[] = {
	{"truncated", truncated},
	{"read_only", read_only},
	{"full_file_system", full_file_system},
	{"console_beyond_the_limit", console_beyond_the_limit},
};

int main(int argc, char **argv)
{
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("no /dev/kvm that this user may use");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
