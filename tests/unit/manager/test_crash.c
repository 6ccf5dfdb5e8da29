/*
 * A process that is killed before any one of its changes to the disk leaves
 * the old state or the new one. The child is traced: at the n-th system call
 * that changes the disk it dies, for every n.
 */
#include "manager_dir.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

TestSuite(manager_crash, .init = make_dir, .fini = remove_dir, .timeout = 100);

/* More than any operation needs; a test that never ends fails. */
#define MAX_STEPS 200

/* Every system call of Linux that can change a file system, whether or not
 * the library uses it today. */
static const int changing[] = {
#ifdef SYS_open /* older architectures have these, too */
	SYS_creat,     SYS_mkdir,     SYS_rmdir,           SYS_unlink,
	SYS_rename,    SYS_link,      SYS_symlink,         SYS_chmod,
	SYS_chown,     SYS_mknod,     SYS_utimes,
#endif
	SYS_mkdirat,   SYS_unlinkat,  SYS_renameat,        SYS_renameat2,
	SYS_linkat,    SYS_symlinkat, SYS_mknodat,         SYS_fchmod,
	SYS_fchmodat,  SYS_fchown,    SYS_fchownat,        SYS_utimensat,
	SYS_setxattr,  SYS_fsetxattr, SYS_write,           SYS_writev,
	SYS_pwrite64,  SYS_pwritev,   SYS_pwritev2,        SYS_truncate,
	SYS_ftruncate, SYS_fallocate, SYS_sendfile,        SYS_splice,
	SYS_fsync,     SYS_fdatasync, SYS_sync_file_range, SYS_sync,
	SYS_syncfs,    SYS_ioctl,     SYS_copy_file_range,
};

static bool changes_disk(const struct __ptrace_syscall_info *info)
{
	const long nr = (long)info->entry.nr;

	if (nr == SYS_openat)
		return (info->entry.args[2] & (O_CREAT | O_TRUNC)) != 0;
#ifdef SYS_open
	if (nr == SYS_open)
		return (info->entry.args[1] & (O_CREAT | O_TRUNC)) != 0;
#endif
	for (size_t i = 0; i < ARRAY_SIZE(changing); i++)
		if (nr == changing[i])
			return true;
	return false;
}

static int step_into_syscall(pid_t pid, struct __ptrace_syscall_info *info)
{
	int status;

	cr_assert_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status)) {
		cr_assert_eq(WEXITSTATUS(status), 0, "the operation failed");
		return 0;
	}
	cr_assert(WIFSTOPPED(status), "status 0x%x", (unsigned int)status);
	memset(info, 0, sizeof(*info));
	cr_assert_gt(ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(*info),
			    info),
		     0);
	return 1;
}

/* Let a child do @operation and kill it before its change number @n.
 * Returns false when it made fewer changes, and so has ended well. */
static bool run_until(int (*operation)(void), int n)
{
	struct __ptrace_syscall_info info;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)raise(SIGSTOP);
		_exit(operation());
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSTOPPED(status));
	cr_assert_eq(
		ptrace(PTRACE_SETOPTIONS, pid, NULL,
		       (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
		0);
	while (step_into_syscall(pid, &info)) {
		if (info.op != PTRACE_SYSCALL_INFO_ENTRY ||
		    !changes_disk(&info) || --n > 0)
			continue;
		cr_assert_eq(kill(pid, SIGKILL), 0);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		return true;
	}
	return false;
}

/* Each child has a manager of its own: its parent's is not for it. */

static int child_create(void)
{
	avf_manager *mine = NULL;
	avf_vm *vm = NULL;

	return avf_manager_new(dir, &mine) < 0 ||
	       avf_manager_create(mine, "one", config, &vm) < 0;
}

static int child_delete(void)
{
	avf_manager *mine = NULL;

	return avf_manager_new(dir, &mine) < 0 ||
	       avf_manager_delete(mine, "one") < 0;
}

static int child_set_config(void)
{
	avf_manager *mine = NULL;
	avf_vm *vm = NULL;

	return avf_manager_new(dir, &mine) < 0 ||
	       avf_config_set_memory_mib(config, 99) < 0 ||
	       avf_manager_get(mine, "one", &vm) < 0 ||
	       avf_vm_set_config(vm, config) < 0;
}

static int child_import(void)
{
	avf_descriptor *descriptor = NULL;
	avf_manager *mine = NULL;
	avf_vm *vm = NULL;

	return avf_manager_new(dir, &mine) < 0 ||
	       avf_manager_get(mine, "one", &vm) < 0 ||
	       avf_vm_to_descriptor(vm, &descriptor) < 0 ||
	       avf_manager_import(mine, "two", descriptor, &vm) < 0;
}

/* @name is there and whole, or not there; and the name can be used. Returns
 * whether it was there. */
static bool expect_whole_or_nothing(const char *name, int step)
{
	avf_vm *vm = NULL;
	int rc = avf_manager_get(manager, name, &vm);
	bool was_there = rc == 0;

	cr_assert(rc == 0 || rc == AVF_ERR_NOT_FOUND, "step %d: %s", step,
		  avf_last_error()->text);
	/* the lock, if it came so far */
	cr_expect_leq(count_entries(path_of("vm-work")), 1,
		      "step %d: what the crash left is gone", step);
	if (rc < 0)
		vm = create(name);
	cr_assert_eq(avf_manager_delete(manager, name), 0, "step %d: %s", step,
		     avf_last_error()->text);
	avf_vm_free(vm);
	return was_there;
}

Test(manager_crash, create)
{
	int n = 1;
	int old = 0;

	while (run_until(child_create, n)) {
		cr_assert_lt(n, MAX_STEPS);
		old += !expect_whole_or_nothing("one", n++);
	}
	cr_expect(expect_whole_or_nothing("one", n), "it has ended well");
	cr_expect_gt(old, 15, "it was killed at %d places before", old);
	cr_expect_gt(n - 1, old, "and at one behind the rename");
}

Test(manager_crash, delete)
{
	int n = 1;
	int gone = 0;

	for (;; n++) {
		bool killed;

		cr_assert_lt(n, MAX_STEPS);
		avf_vm_free(create("one"));
		killed = run_until(child_delete, n);
		gone += !expect_whole_or_nothing("one", n);
		if (!killed)
			break;
	}
	cr_expect_gt(n, 6);
	cr_expect_gt(gone, 5, "killed between the rename and the last file");
}

Test(manager_crash, set_config)
{
	avf_config *got;
	avf_vm *vm;
	int news = 0;
	int n;

	avf_vm_free(create("one"));
	for (n = 1; run_until(child_set_config, n); n++) {
		cr_assert_lt(n, MAX_STEPS);
		cr_assert_eq(avf_manager_get(manager, "one", &vm), 0,
			     "step %d: %s", n, avf_last_error()->text);
		cr_assert_eq(avf_vm_get_config(vm, &got), 0);
		news += avf_config_get_memory_mib(got) == 99;
		cr_expect(avf_config_get_memory_mib(got) == 99 ||
			  avf_config_get_memory_mib(got) == 256);
		avf_config_free(got);
		avf_vm_free(vm);
		cr_assert_eq(avf_manager_delete(manager, "one"), 0);
		avf_vm_free(create("one"));
	}
	cr_expect_gt(n, 4);
	cr_expect_gt(news, 0);
}

Test(manager_crash, import)
{
	int n = 1;

	avf_vm_free(create("one"));
	while (run_until(child_import, n)) {
		cr_assert_lt(n, MAX_STEPS);
		(void)expect_whole_or_nothing("two", n++);
	}
	cr_expect(expect_whole_or_nothing("two", n), "it has ended well");
	cr_expect_gt(n, 15);
}
