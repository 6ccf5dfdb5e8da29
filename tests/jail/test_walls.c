/*
 * The jail of a VM that runs, seen from outside: what its processes hold, and
 * what they are not, by /proc. And that no guest runs before the last wall
 * stands: where one cannot be built, the guest has not said a word.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail/hole.h"
#include "jail/proc.h"
#include "support/vm_harness.h"

#define NOBODY    65534
#define KVM_GROUP 4321 /* any that we are not in */

static bool is_emulated(void)
{
	return getenv("AVF_TEST_EMULATED") != NULL;
}

static avf_config *make_config(const char *guest)
{
	avf_config *config = vmt_bare_config(guest);

	if (is_emulated())
		CHECK_OK(avf_config_set_acceleration(
			config, AVF_ACCELERATION_EMULATION));
	return config;
}

/* A VM with a disk that is busy, or idle, for ever. Returns its process. */
static pid_t start(struct vmt_vm *v)
{
	const struct avf_disk_options writable = {sizeof(writable), true, "w"};
	avf_config *config = make_config("spin");
	int disk = vmt_memfd(4096, 'x');

	CHECK_OK(avf_config_add_disk_fd(config, disk, &writable));
	(void)close(disk);
	if (!vmt_new(v, config))
		return 0;
	if (!vmt_run(v) || !vmt_wait_event(v, AVF_EVENT_STARTED)) {
		vmt_free(v);
		return 0;
	}
	return avf_vm_get_pid(v->vm);
}

/* /proc shows little of a process that cannot be traced. */
static bool may_look(void)
{
	if (geteuid() == 0)
		return true;
	vmt_skip("only root may look into a VMM");
	return false;
}

/* --- the VMM ------------------------------------------------------------ */

/* An fd that a VMM may have while its guest runs. A file with a path would
 * begin with "/". */
static void check_fd(pid_t pid, const char *name)
{
	static const char *const kinds[] = {
		"/dev/null", /* 0 and 1 */
		"socket:[",
		"pipe:[",
		"anon_inode:[eventpoll]",
		"anon_inode:[eventfd",
		"anon_inode:[timerfd]",
		"anon_inode:kvm-vm",
		"anon_inode:kvm-vcpu",
		"anon_inode:[pidfd]",
		"pidfd:[",
		"/memfd:" /* disk, console, memory */};
	char link[64];
	const char *target;

	(void)snprintf(link, sizeof(link), "fd/%s", name);
	target = proc_link(pid, link);
	/* what the test program has as its standard error */
	if (strcmp(name, "2") == 0 || target[0] == '\0')
		return;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strncmp(target, kinds[i], strlen(kinds[i])) == 0)
			return;
	}
	vmt_fail(__FILE__, __LINE__, "fd %s is %s", name, target);
}

static void only_needed_fds(void)
{
	struct vmt_vm v;
	pid_t pid;
	int n;

	if (!may_look() || (pid = start(&v)) == 0)
		return;
	n = proc_each(pid, "fd", check_fd);
	CHECK(n > 4 && n < 64);
	vmt_free(&v);
}

static void own_namespaces(void)
{
	static const char *const names[] = {"user", "pid", "net",
					    "ipc",  "uts", "mnt"};
	struct vmt_vm v;
	pid_t pid;

	if (!may_look() || (pid = start(&v)) == 0)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!proc_other_namespace(pid, names[i]))
			vmt_fail(__FILE__, __LINE__, "%s namespace", names[i]);
	}
	vmt_free(&v);
}

static void nothing_expected(pid_t pid, const char *name)
{
	vmt_fail(__FILE__, __LINE__, "%d has a file %s", pid, name);
}

static void empty_file_system(void)
{
	const char *mount;
	struct vmt_vm v;
	pid_t pid;

	if (!may_look() || (pid = start(&v)) == 0)
		return;
	CHECK(proc_each(pid, "root/", nothing_expected) == 0);
	mount = proc_line(pid, "mounts", "");
	CHECK(mount && strstr(mount, " / tmpfs ro,"));
	vmt_free(&v);
}

static void expect_line(pid_t pid, const char *file, const char *key,
			const char *value)
{
	const char *line = proc_line(pid, file, key);

	if (!line || strncmp(line, value, strlen(value)) != 0)
		vmt_fail(__FILE__, __LINE__, "%s of %s: %s, not %s", key, file,
			 line ? line : "nothing", value);
}

/* Of a process or of one of its threads. */
static void check_powers(pid_t pid, const char *status, bool bounded)
{
	static const char none[] = "0000000000000000";

	expect_line(pid, status, "NoNewPrivs:", "1");
	expect_line(pid, status, "Seccomp:", "2");
	expect_line(pid, status, "CapInh:", none);
	expect_line(pid, status, "CapPrm:", none);
	expect_line(pid, status, "CapEff:", none);
	expect_line(pid, status, "CapAmb:", none);
	if (bounded)
		expect_line(pid, status, "CapBnd:", none);
}

/* KVM's own, "kvm-nx-lpage-recovery", which some kernels put into the process
 * of the VM: it is held like the others, and never in user mode. */
static int n_kernel_threads;

static void check_thread(pid_t pid, const char *name)
{
	char file[64];
	const char *comm;

	(void)snprintf(file, sizeof(file), "task/%s/status", name);
	check_powers(pid, file, true);
	(void)snprintf(file, sizeof(file), "task/%s/comm", name);
	comm = proc_line(pid, file, "");
	n_kernel_threads += comm && strncmp(comm, "kvm-", 4) == 0;
}

/* The main thread, the vCPU's and the disk's; beside QEMU the first only. */
static void no_power_in_any_thread(void)
{
	struct vmt_vm v;
	pid_t pid = start(&v);
	int n;

	if (pid == 0)
		return;
	n_kernel_threads = 0;
	n = proc_each(pid, "task", check_thread) - n_kernel_threads;
	if (n != (is_emulated() ? 1 : 3))
		vmt_fail(__FILE__, __LINE__, "%d threads of ours", n);
	vmt_free(&v);
}

static void limits(void)
{
	struct vmt_vm v;
	pid_t pid = start(&v);

	if (pid == 0)
		return;
	expect_line(pid, "limits", "Max core file size", "0 ");
	expect_line(pid, "limits", "Max locked memory", "0 ");
	expect_line(pid, "limits", "Max msgqueue size", "0 ");
	expect_line(pid, "limits", "Max open files", "4096 ");
	vmt_free(&v);
}

/* Nothing that may be seen is missing (the command itself: tests/cli). */
static void info_shows_the_walls(void)
{
	char command[512], line[256];
	struct vmt_vm v;
	pid_t pid;
	FILE *info;
	int n = 0;

	if (access(vmt_path("bin/avf"), X_OK) < 0) {
		vmt_skip("this build has no avf");
		return;
	}
	if (!may_look() || (pid = start(&v)) == 0)
		return;
	(void)snprintf(command, sizeof(command), "%s info --jail %d",
		       vmt_path("bin/avf"), pid);
	info = popen(command, "re");
	CHECK(info != NULL);
	while (info && fgets(line, sizeof(line), info)) {
		n++;
		if (!strstr(line, " yes ") && !strstr(line, "jail.landlock"))
			vmt_fail(__FILE__, __LINE__, "%s", line);
	}
	CHECK(info && pclose(info) == 0);
	CHECK(n == 11);
	vmt_free(&v);
}

/* --- QEMU ------------------------------------------------------------------
 */

static void qemu_is_held_as_far_as_it_goes(void)
{
	static const char *const names[] = {"user", "pid", "net", "ipc", "uts"};
	struct vmt_vm v;
	pid_t pid, qemu;

	if (!may_look() || (pid = start(&v)) == 0)
		return;
	qemu = proc_child(pid);
	CHECK(qemu > 0);
	check_powers(qemu, "status", false);
	expect_line(qemu, "limits", "Max core file size", "0 ");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!proc_other_namespace(qemu, names[i]))
			vmt_fail(__FILE__, __LINE__, "%s namespace of QEMU",
				 names[i]);
	}
	CHECK(avf_vm_kill(v.vm) == 0 && vmt_wait_stopped(&v));
	/* its supervisor was number 1 of its PID namespace */
	CHECK(kill(qemu, 0) < 0 && errno == ESRCH);
	vmt_free(&v);
}

/* --- before the guest --------------------------------------------------------
 */

static void refuse(enum sandbox_role role)
{
	char number[16], *output;
	avf_config *config;
	struct vmt_vm v;
	int disk;

	(void)snprintf(number, sizeof(number), "%d", role);
	(void)setenv(REFUSAL_VARIABLE, number, 1);
	config = make_config("hello");
	disk = vmt_memfd(4096, 'x');
	CHECK_OK(avf_config_add_disk_fd(config, disk, NULL));
	(void)close(disk);
	if (vmt_new(&v, config)) {
		vmt_run_to(&v, AVF_STOP_REASON_START_FAILED);
		output = vmt_output(&v);
		if (!output || output[0] != '\0' || v.acceleration >= 0)
			vmt_fail(__FILE__, __LINE__,
				 "role %d: the guest ran: %s", role, output);
		CHECK(vmt_contains(v.text, "refused"));
		free(output);
		vmt_free(&v);
	}
	(void)unsetenv(REFUSAL_VARIABLE);
}

/* Each thread's filter stands before the first instruction. */
static void no_guest_without_every_filter(void)
{
	(void)setenv("AVF_VMM", vmt_path("tests/rogue_vmm"), 1);
	if (is_emulated()) {
		refuse(SANDBOX_SUPERVISOR);
	} else {
		refuse(SANDBOX_MAIN);
		refuse(SANDBOX_VCPU);
		refuse(SANDBOX_DISK);
	}
	(void)unsetenv("AVF_VMM");
}

/* --- an ordinary user
 * ---------------------------------------------------------- */

/* A /dev/kvm for group KVM_GROUP, in a mount namespace of ours. */
static bool give_kvm_to_group(void)
{
	char dir[] = "/tmp/avf-walls-XXXXXX", node[64];
	struct stat st;
	bool ok;

	if (!mkdtemp(dir) || stat("/dev/kvm", &st) < 0 ||
	    unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	(void)snprintf(node, sizeof(node), "%s/kvm", dir);
	ok = mount("kvm", dir, "tmpfs", 0, NULL) == 0 &&
	     mknod(node, S_IFCHR | 0660, st.st_rdev) == 0 &&
	     chown(node, 0, KVM_GROUP) == 0 && chmod(node, 0660) == 0 &&
	     mount(node, "/dev/kvm", NULL, MS_BIND, NULL) == 0;
	/* the device stays where it is bound to */
	(void)umount2(dir, MNT_DETACH);
	(void)rmdir(dir);
	return ok;
}

static bool become_nobody(bool in_group)
{
	const gid_t group = KVM_GROUP;

	return setgroups(in_group ? 1 : 0, &group) == 0 &&
	       setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	       setresuid(NOBODY, NOBODY, NOBODY) == 0 &&
	       prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

enum {
	RAN = 10,
	DENIED,
	UNFIT, /* this computer cannot have the test */
	WRONG,
};

static int run_as_nobody(bool in_group)
{
	struct vmt_vm v;
	avf_config *config;
	int rc = WRONG;

	if (!give_kvm_to_group() || !become_nobody(in_group))
		return UNFIT;
	if (access(vmt_path("libexec/libvirtualization/avf-vmm"), X_OK) < 0)
		return UNFIT;
	config = make_config("hello");
	CHECK_OK(avf_config_set_jail(config, AVF_JAIL_STRICT));
	if (!vmt_new(&v, config) || !vmt_run(&v) || !vmt_wait_stopped(&v))
		return WRONG;
	if (v.reason == AVF_STOP_REASON_SHUTDOWN && v.n_log == 0)
		rc = RAN;
	else if (v.reason == AVF_STOP_REASON_START_FAILED &&
		 vmt_contains(v.text, "/dev/kvm"))
		rc = DENIED;
	else
		(void)printf("    %d: %s\n", v.reason, v.text);
	vmt_free(&v);
	return rc;
}

static void expect_as_nobody(bool in_group, int want)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run_as_nobody(in_group));
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == UNFIT)
		vmt_skip("root cannot make a /dev/kvm for a group here, or "
			 "others cannot reach the build tree");
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != want)
		vmt_fail(__FILE__, __LINE__, "status %#x, not %d", status,
			 want);
}

static void a_user_of_the_kvm_group_has_the_whole_jail(void)
{
	if (may_look())
		expect_as_nobody(true, RAN);
}

static void another_user_has_no_vm(void)
{
	if (may_look())
		expect_as_nobody(false, DENIED);
}

int main(int argc, char **argv)
{
	static const struct vmt_test on_qemu[] = {
		{"only_needed_fds", only_needed_fds},
		{"own_namespaces", own_namespaces},
		{"empty_file_system", empty_file_system},
		{"no_power_in_any_thread", no_power_in_any_thread},
		{"limits", limits},
		{"info_shows_the_walls", info_shows_the_walls},
		{"no_guest_without_every_filter",
		 no_guest_without_every_filter},
		{"qemu_is_held_as_far_as_it_goes",
		 qemu_is_held_as_far_as_it_goes},
	};
	static const struct vmt_test on_kvm[] = {
		{"only_needed_fds", only_needed_fds},
		{"own_namespaces", own_namespaces},
		{"empty_file_system", empty_file_system},
		{"no_power_in_any_thread", no_power_in_any_thread},
		{"limits", limits},
		{"info_shows_the_walls", info_shows_the_walls},
		{"no_guest_without_every_filter",
		 no_guest_without_every_filter},
		{"a_user_of_the_kvm_group_has_the_whole_jail",
		 a_user_of_the_kvm_group_has_the_whole_jail},
		{"another_user_has_no_vm", another_user_has_no_vm},
	};

	if (is_emulated())
		return vmt_main(argc, argv, on_qemu, ARRAY_SIZE(on_qemu));
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("there is no usable /dev/kvm");
	return vmt_main(argc, argv, on_kvm, ARRAY_SIZE(on_kvm));
}
