/* An application that forks: whatever the child does, its parent's VMs go on
 * as if there were none. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/vm_harness.h"

/* --- a child ---------------------------------------------------------- */

/* Run @act in a child; what it says of failures is on standard output. */
static void in_child(void (*act)(struct vmt_vm *v), struct vmt_vm *v)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		(void)alarm(60);
		act(v);
		(void)fflush(stdout);
		_exit(vmt_has_failed());
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	if (status != 0)
		vmt_fail(__FILE__, __LINE__, "the child ended with 0x%x",
			 (unsigned int)status);
}

/* A child that lives until it is told to go. */
static pid_t stay(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)alarm(120);
		for (;;)
			(void)pause();
	}
	return pid;
}

static void go(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

/* --- a VM of the fake VMM --------------------------------------------- */

static avf_config *fake_config(const char *scenario)
{
	avf_config *config = NULL;
	int kernel = vmt_memfd(512, 0);

	CHECK_OK(avf_config_new(AVF_CONFIG_RAW, &config));
	CHECK_OK(avf_config_set_kernel_fd(config, kernel));
	CHECK_OK(avf_config_set_name(config, scenario));
	(void)close(kernel);
	return config;
}

static bool start(struct vmt_vm *v, const char *scenario)
{
	if (!vmt_new(v, fake_config(scenario)))
		return false;
	if (vmt_run(v) && vmt_wait_event(v, AVF_EVENT_STARTED))
		return true;
	vmt_free(v);
	return false;
}

/* It still answers, hears, and can be run again. */
static void expect_well(struct vmt_vm *v)
{
	char answer[4] = "";
	int fd = -1;

	CHECK(avf_vm_get_status(v->vm) == AVF_STATUS_RUNNING);
	CHECK_OK(avf_vm_connect(v->vm, 5000, 10000, &fd));
	CHECK(vmt_send(fd, "abcd", 4) && vmt_recv(fd, answer, 4));
	(void)close(fd);
	CHECK_OK(avf_vm_stop(v->vm));
	CHECK(vmt_wait_stopped(v));
	vmt_check_stopped(v, AVF_STOP_REASON_SHUTDOWN, "as asked");
	CHECK(vmt_run(v) && vmt_wait_event(v, AVF_EVENT_STARTED));
	CHECK_OK(avf_vm_stop(v->vm));
	CHECK(vmt_wait_stopped(v));
}

static void do_nothing(struct vmt_vm *v)
{
	(void)v;
}

static void do_free(struct vmt_vm *v)
{
	avf_vm_free(v->vm);
}

static void do_exec(struct vmt_vm *v)
{
	(void)v;
	(void)execl("/bin/sh", "sh", "-c", "exit 0", NULL);
}

/* Each call that would reach the VM is an error that names the reason. */
static void do_calls(struct vmt_vm *v)
{
	struct avf_event event = AVF_EVENT_INIT;
	avf_listener *listener = NULL;
	avf_config *config = NULL;
	int fd = -1;

	CHECK_FAILS(avf_vm_run(v->vm), AVF_ERR_STATE, "fork");
	CHECK_FAILS(avf_vm_stop(v->vm), AVF_ERR_STATE, "fork");
	CHECK_FAILS(avf_vm_kill(v->vm), AVF_ERR_STATE, "fork");
	CHECK_FAILS(avf_vm_next_event(v->vm, &event), AVF_ERR_STATE, "fork");
	CHECK_FAILS(avf_vm_wait_event(v->vm, 0, &event), AVF_ERR_STATE, "fork");
	CHECK_FAILS(avf_vm_connect(v->vm, 5000, 0, &fd), AVF_ERR_STATE, "fork");
	CHECK_FAILS(avf_vm_listen(v->vm, 5000, &listener), AVF_ERR_STATE,
		    "fork");
	CHECK_OK(avf_vm_get_config(v->vm, &config)); /* only memory */
	CHECK_FAILS(avf_vm_set_config(v->vm, config), AVF_ERR_STATE, "fork");
	avf_config_free(config);
	CHECK(avf_vm_get_status(v->vm) == AVF_STATUS_RUNNING);
}

/* The library itself works in a child, with handles of its own. */
static void do_own_vm(struct vmt_vm *v)
{
	struct vmt_vm mine;

	(void)v;
	if (!start(&mine, "serve_echo"))
		return;
	expect_well(&mine);
	vmt_free(&mine);
}

static void child(void (*act)(struct vmt_vm *v))
{
	struct vmt_vm v;

	if (!start(&v, "serve_echo"))
		return;
	in_child(act, &v);
	expect_well(&v);
	vmt_free(&v);
}

static void child_exits(void)
{
	child(do_nothing);
}

static void child_frees(void)
{
	child(do_free);
}

static void child_execs(void)
{
	child(do_exec);
}

static void child_calls(void)
{
	child(do_calls);
}

static void child_has_its_own(void)
{
	child(do_own_vm);
}

/* Its copies of our descriptors keep nothing alive and nothing locked. */
static void child_stays(void)
{
	struct vmt_vm v;
	pid_t pid;
	int vmm;

	if (!start(&v, "serve_echo"))
		return;
	pid = stay();
	expect_well(&v);
	CHECK(vmt_run(&v));
	vmm = avf_vm_get_pid(v.vm);
	vmt_free(&v);
	CHECK(kill(vmm, 0) < 0);
	go(pid);
}

/* --- connections ------------------------------------------------------ */

static void listener_of_the_parent(void)
{
	avf_listener *listener = NULL;
	char answer[4] = "";
	struct vmt_vm v;
	int status = -1;
	int fd = -1;
	pid_t pid;

	if (!start(&v, "serve_echo"))
		return;
	CHECK_OK(avf_vm_listen(v.vm, 5000, &listener));
	pid = fork();
	if (pid == 0) {
		CHECK_FAILS(avf_listener_accept(listener, 5000, &fd),
			    AVF_ERR_STATE, "fork");
		avf_listener_free(listener);
		(void)fflush(stdout);
		_exit(vmt_has_failed());
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK_OK(avf_listener_accept(listener, 10000, &fd));
	CHECK(vmt_send(fd, "abcd", 4) && vmt_recv(fd, answer, 4));
	(void)close(fd);
	avf_listener_free(listener);
	vmt_free(&v);
}

/* --- named VMs -------------------------------------------------------- */

static char data[] = "/tmp/avf-fork-XXXXXX";

static avf_manager *make_manager(void)
{
	avf_manager *manager = NULL;

	(void)strcpy(data + strlen(data) - 6, "XXXXXX");
	CHECK(mkdtemp(data));
	CHECK_OK(avf_manager_new(data, &manager));
	return manager;
}

static void remove_data(void)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -rf %s", data);
	CHECK(system(command) == 0);
}

static avf_vm *make_named(avf_manager *manager)
{
	avf_config *config = NULL;
	avf_vm *vm = NULL;

	CHECK_OK(avf_config_new(AVF_CONFIG_RAW, &config));
	CHECK_OK(avf_config_set_kernel(config,
				       vmt_path("guest/bare/hello.elf")));
	CHECK_OK(avf_manager_create(manager, "one", config, &vm));
	avf_config_free(config);
	return vm;
}

static void named_calls(avf_manager *manager, avf_vm *vm)
{
	avf_descriptor *descriptor = NULL;
	avf_names *names = NULL;
	avf_vm *got = NULL;

	CHECK_FAILS(avf_manager_get(manager, "one", &got), AVF_ERR_STATE,
		    "fork");
	CHECK_FAILS(avf_manager_delete(manager, "one"), AVF_ERR_STATE, "fork");
	CHECK_FAILS(avf_manager_list(manager, &names), AVF_ERR_STATE, "fork");
	CHECK_FAILS(avf_vm_to_descriptor(vm, &descriptor), AVF_ERR_STATE,
		    "fork");
	avf_vm_free(vm);
	avf_manager_free(manager);
}

static void child_of_a_manager(void)
{
	avf_manager *manager = make_manager();
	avf_vm *vm = make_named(manager);
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		named_calls(manager, vm);
		(void)fflush(stdout);
		_exit(vmt_has_failed());
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK_OK(avf_vm_run(vm));
	CHECK(avf_vm_get_status(vm) == AVF_STATUS_RUNNING);
	avf_vm_free(vm);
	avf_manager_free(manager);
	remove_data();
}

/* The lock of a VM is its process's, not that of every child which came to
 * have a copy of the descriptor. */
static void lock_of_the_parent(void)
{
	avf_manager *manager = make_manager();
	avf_vm *vm = make_named(manager);
	pid_t pid = stay();

	avf_vm_free(vm);
	vm = NULL;
	CHECK_OK(avf_manager_get(manager, "one", &vm));
	avf_vm_free(vm);
	CHECK_OK(avf_manager_delete(manager, "one"));
	go(pid);
	avf_manager_free(manager);
	remove_data();
}

/* --- exec ------------------------------------------------------------- */

/* How many descriptors a program would get that is executed now. */
static unsigned int count_inherited(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	unsigned int n = 0;
	int flags;

	while ((entry = readdir(dir))) {
		flags = fcntl((int)strtol(entry->d_name, NULL, 10), F_GETFD);
		n += flags >= 0 && !(flags & FD_CLOEXEC);
	}
	(void)closedir(dir);
	return n;
}

static void descriptors_end_at_exec(void)
{
	unsigned int inherited = count_inherited();
	avf_config *config = fake_config("serve_echo");
	avf_listener *listener = NULL;
	avf_manager *manager;
	struct vmt_vm v;
	int fds[2] = {-1, -1};
	avf_vm *named;

	CHECK_OK(avf_config_set_debug_level(config, AVF_DEBUG_LEVEL_FULL));
	CHECK_OK(avf_config_set_vm_output_captured(config, true));
	if (!vmt_new(&v, config))
		return;
	CHECK(vmt_run(&v) && vmt_wait_event(&v, AVF_EVENT_STARTED));
	CHECK_OK(avf_vm_get_log_output(v.vm, &fds[0]));
	CHECK_OK(avf_vm_connect(v.vm, 5000, 10000, &fds[1]));
	CHECK(vmt_send(fds[1], "abcd", 4));
	CHECK_OK(avf_vm_listen(v.vm, 5000, &listener));
	manager = make_manager();
	named = make_named(manager);
	CHECK(count_inherited() == inherited);
	avf_vm_free(named);
	avf_manager_free(manager);
	remove_data();
	avf_listener_free(listener);
	(void)close(fds[0]);
	(void)close(fds[1]);
	vmt_free(&v);
}

/* --- the parent dies, its child lives --------------------------------- */

/* In a process of its own: start a VM and a child that stays, tell both
 * numbers, and wait to be killed. */
static _Noreturn void be_parent(int tell)
{
	struct vmt_vm v;
	pid_t pids[2] = {0};

	(void)unsetenv("AVF_VMM");
	if (vmt_new(&v, vmt_bare_config("spin")) && vmt_run(&v) &&
	    vmt_wait_event(&v, AVF_EVENT_STARTED)) {
		pids[0] = avf_vm_get_pid(v.vm);
		pids[1] = stay();
	}
	(void)fflush(stdout);
	(void)!write(tell, pids, sizeof(pids));
	for (;;)
		(void)pause();
}

/* The child has a copy of the control socket, so its end says nothing. */
static void parent_dies(void)
{
	pid_t pids[2] = {0};
	int tell[2];
	int pidfd;
	pid_t parent;

	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		vmt_skip("no /dev/kvm that this user may use");
		return;
	}
	/* its children are ours when it is dead */
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	CHECK(pipe2(tell, O_CLOEXEC) == 0);
	parent = fork();
	if (parent == 0)
		be_parent(tell[1]);
	CHECK(read(tell[0], pids, sizeof(pids)) == sizeof(pids));
	CHECK(pids[0] > 0);
	pidfd = (int)syscall(SYS_pidfd_open, pids[0], 0);
	CHECK(pidfd >= 0);
	go(parent);
	if (!vmt_wait_readable(pidfd, 20000)) {
		vmt_fail(__FILE__, __LINE__, "the VMM lives on");
		(void)kill(pids[0], SIGKILL);
	}
	CHECK(waitpid(pids[0], NULL, 0) == pids[0]);
	go(pids[1]);
	(void)close(pidfd);
	(void)close(tell[0]);
	(void)close(tell[1]);
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
}

static const struct vmt_test tests[] = {
	{"child_exits", child_exits},
	{"child_frees", child_frees},
	{"child_execs", child_execs},
	{"child_calls", child_calls},
	{"child_has_its_own", child_has_its_own},
	{"child_stays", child_stays},
	{"listener_of_the_parent", listener_of_the_parent},
	{"child_of_a_manager", child_of_a_manager},
	{"lock_of_the_parent", lock_of_the_parent},
	{"descriptors_end_at_exec", descriptors_end_at_exec},
	{"parent_dies", parent_dies},
};

int main(int argc, char **argv)
{
	(void)setenv("AVF_VMM", vmt_path("tests/fake_vmm"), 1);
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
