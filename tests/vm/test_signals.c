/*
 * SIGKILL, SIGSTOP and SIGCONT for the VMM at every step of its life, and
 * for QEMU under emulation: one STOPPED with the right reason, in time; the
 * next run works; nothing remains.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/vm_harness.h"

/* avf_vm_stop() kills a VMM that does not obey after 7 s; what is above is
 * for a busy computer. */
#define STOP_LIMIT_MS (7000 + 20000)

static bool is_emulated(void)
{
	return getenv("AVF_TEST_EMULATED") != NULL;
}

static const struct {
	const char *hold;
	/* What a run that this step belongs to says when it is killed. */
	int reason;
} steps[] = {
	{"spawned", AVF_STOP_REASON_KILLED},
	{"boot: the VMM has its orders", AVF_STOP_REASON_KILLED},
	{"boot: the host was asked", AVF_STOP_REASON_KILLED},
	{"boot: the process is in its jail", AVF_STOP_REASON_KILLED},
	{"boot: the machine is built", AVF_STOP_REASON_KILLED},
	{"STARTED", AVF_STOP_REASON_KILLED},
	{"stopping", AVF_STOP_REASON_KILLED},
	/* the guest's own end was told already */
	{"STOPPED", AVF_STOP_REASON_REBOOT},
};

#define N_STEPS (sizeof(steps) / sizeof(steps[0]))

/* --- a VM that waits at a step ---------------------------------------- */

/* A guest that ends by itself. */
static bool make(struct vmt_vm *v)
{
	avf_config *config = vmt_bare_config("reset");

	CHECK_OK(avf_config_set_debug_level(config, AVF_DEBUG_LEVEL_FULL));
	return vmt_new(v, config);
}

/* The VMM writes to its standard error, which is ours, when it holds. */
static bool run_and_hold(struct vmt_vm *v)
{
	int stderr_copy = dup(STDERR_FILENO);
	bool held = false;
	int pair[2];
	char byte;

	CHECK(pipe2(pair, O_CLOEXEC) == 0);
	CHECK(dup2(pair[1], STDERR_FILENO) >= 0);
	if (vmt_run(v))
		held = vmt_wait_readable(pair[0], VMT_PATIENCE_MS) &&
		       read(pair[0], &byte, 1) == 1 && byte == 'h';
	CHECK(dup2(stderr_copy, STDERR_FILENO) >= 0);
	(void)close(stderr_copy);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return held;
}

static bool hold_at(struct vmt_vm *v, size_t step)
{
	bool held;

	if (!make(v))
		return false;
	(void)setenv("AVF_VMM", vmt_path("tests/holding_vmm"), 1);
	(void)setenv("AVF_HOLD", steps[step].hold, 1);
	held = run_and_hold(v);
	(void)unsetenv("AVF_VMM");
	(void)unsetenv("AVF_HOLD");
	if (held)
		return true;
	vmt_fail(__FILE__, __LINE__, "not at \"%s\"", steps[step].hold);
	vmt_free(v);
	return false;
}

/* One STOPPED, nothing else; then a run without a signal. */
static void expect_end(struct vmt_vm *v, size_t step, int reason)
{
	if (!vmt_wait_stopped(v))
		return;
	if (v->reason != reason)
		vmt_fail(__FILE__, __LINE__, "at \"%s\": %s (%s), not %s",
			 steps[step].hold, avf_stop_reason_name(v->reason),
			 v->text, avf_stop_reason_name(reason));
	vmt_run_to(v, AVF_STOP_REASON_REBOOT);
}

/* The state letter of proc_pid_stat(5). */
static char process_state(pid_t pid)
{
	char path[32], line[256] = "";
	const char *name_end;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return '?';
	(void)!fgets(line, sizeof(line), file);
	(void)fclose(file);
	name_end = strrchr(line, ')');
	return name_end ? name_end[2] : '?';
}

static void stop_process(pid_t pid)
{
	const uint64_t deadline = vmt_now_ms() + VMT_PATIENCE_MS;

	CHECK(kill(pid, SIGSTOP) == 0);
	while (process_state(pid) != 'T' && vmt_now_ms() < deadline)
		vmt_sleep_ms(1);
	CHECK(process_state(pid) == 'T');
}

/* --- each signal at each step ----------------------------------------- */

static void sigkill(void)
{
	struct vmt_vm v;

	for (size_t i = 0; i < N_STEPS; i++) {
		if (!hold_at(&v, i))
			continue;
		CHECK(kill(avf_vm_get_pid(v.vm), SIGKILL) == 0);
		expect_end(&v, i, steps[i].reason);
		vmt_free(&v);
	}
}

/* All of them at once, as each takes the whole of the limit. */
static void sigstop_then_stop(void)
{
	struct vmt_vm v[N_STEPS];
	bool held[N_STEPS];
	uint64_t start;

	for (size_t i = 0; i < N_STEPS; i++) {
		held[i] = hold_at(&v[i], i);
		if (held[i])
			stop_process(avf_vm_get_pid(v[i].vm));
	}
	start = vmt_now_ms();
	for (size_t i = 0; i < N_STEPS; i++)
		if (held[i])
			CHECK_OK(avf_vm_stop(v[i].vm));
	for (size_t i = 0; i < N_STEPS; i++) {
		if (!held[i])
			continue;
		expect_end(&v[i], i, steps[i].reason);
		vmt_free(&v[i]);
	}
	CHECK(vmt_now_ms() - start < STOP_LIMIT_MS);
}

static void sigstop_then_kill(void)
{
	struct vmt_vm v;

	for (size_t i = 0; i < N_STEPS; i++) {
		if (!hold_at(&v, i))
			continue;
		stop_process(avf_vm_get_pid(v.vm));
		CHECK_OK(avf_vm_kill(v.vm));
		expect_end(&v, i, steps[i].reason);
		vmt_free(&v);
	}
}

static void sigstop_then_free(void)
{
	struct vmt_vm v;
	pid_t pid;

	for (size_t i = 0; i < N_STEPS; i++) {
		if (!hold_at(&v, i))
			continue;
		pid = avf_vm_get_pid(v.vm);
		stop_process(pid);
		vmt_free(&v);
		CHECK(kill(pid, 0) < 0);
	}
}

/* As if nothing had been. */
static void sigstop_then_sigcont(void)
{
	struct vmt_vm v;

	for (size_t i = 0; i < N_STEPS; i++) {
		if (!hold_at(&v, i))
			continue;
		stop_process(avf_vm_get_pid(v.vm));
		CHECK(kill(avf_vm_get_pid(v.vm), SIGCONT) == 0);
		expect_end(&v, i, AVF_STOP_REASON_REBOOT);
		vmt_free(&v);
	}
}

/* Before, between and after its own steps, wherever that is. */
static void sigkill_at_any_time(void)
{
	struct vmt_vm v;

	if (!make(&v))
		return;
	for (unsigned int i = 0; i < 40; i++) {
		if (!vmt_run(&v))
			break;
		for (unsigned int step = 0; step < i / 4; step++)
			(void)vmt_event(&v, 1);
		if (v.n_stopped == 0)
			(void)kill(avf_vm_get_pid(v.vm), SIGKILL);
		if (!vmt_wait_stopped(&v))
			break;
		CHECK(v.reason == AVF_STOP_REASON_KILLED ||
		      v.reason == AVF_STOP_REASON_REBOOT);
	}
	vmt_free(&v);
}

/* --- the application dies --------------------------------------------- */

/* In a child: a VM at this step, whose process it tells; then it dies. */
static _Noreturn void die_at(size_t step, int tell)
{
	struct vmt_vm v;
	pid_t pid = 0;

	if (hold_at(&v, step))
		pid = avf_vm_get_pid(v.vm);
	(void)!write(tell, &pid, sizeof(pid));
	(void)fflush(stdout);
	_exit(0);
}

/* The VMM is nobody's child any more, and ends all the same. */
static void application_dies(void)
{
	for (size_t i = 0; i < N_STEPS; i++) {
		pid_t app, vmm = 0;
		int tell[2], end;

		CHECK(pipe2(tell, O_CLOEXEC) == 0);
		app = fork();
		if (app == 0)
			die_at(i, tell[1]);
		CHECK(read(tell[0], &vmm, sizeof(vmm)) == sizeof(vmm));
		CHECK(vmm > 0);
		end = (int)syscall(SYS_pidfd_open, vmm, 0);
		CHECK(waitpid(app, NULL, 0) == app);
		(void)kill(vmm, SIGCONT);
		if (!vmt_wait_readable(end, 20000)) {
			vmt_fail(__FILE__, __LINE__,
				 "at \"%s\": the VMM lives on", steps[i].hold);
			(void)kill(vmm, SIGKILL);
		}
		(void)close(end);
		(void)close(tell[0]);
		(void)close(tell[1]);
	}
}

/* --- emulation -------------------------------------------------------- */

/* The child of @parent, which has one. */
static pid_t find_child(pid_t parent)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	pid_t found = 0;

	while (dir && (entry = readdir(dir)) && found == 0) {
		char path[300], state;
		int pid, above;
		FILE *file;

		(void)snprintf(path, sizeof(path), "/proc/%s/stat",
			       entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fscanf(file, "%d (%*[^)]) %c %d", &pid, &state, &above) ==
			    3 &&
		    above == parent)
			found = pid;
		(void)fclose(file);
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

struct emulated {
	struct vmt_vm v;
	pid_t qemu;
	int qemu_end; /* pidfd */
};

/* A guest that spins in QEMU. */
static bool start_emulated(struct emulated *e)
{
	avf_config *config = vmt_bare_config("spin");

	CHECK_OK(avf_config_set_memory_mib(config, 32));
	CHECK_OK(avf_config_set_acceleration(config,
					     AVF_ACCELERATION_EMULATION));
	if (!vmt_new(&e->v, config))
		return false;
	if (!vmt_run(&e->v) || !vmt_wait_event(&e->v, AVF_EVENT_STARTED)) {
		vmt_free(&e->v);
		return false;
	}
	e->qemu = find_child(avf_vm_get_pid(e->v.vm));
	CHECK(e->qemu > 0);
	e->qemu_end = (int)syscall(SYS_pidfd_open, e->qemu, 0);
	CHECK(e->qemu_end >= 0);
	return true;
}

/* One STOPPED, no QEMU, and the same again. */
static void finish_emulated(struct emulated *e, int reason, const char *part)
{
	CHECK(vmt_wait_stopped(&e->v));
	vmt_check_stopped(&e->v, reason, part);
	if (!vmt_wait_readable(e->qemu_end, 20000))
		vmt_fail(__FILE__, __LINE__, "QEMU lives on");
	(void)close(e->qemu_end);
	CHECK(vmt_run(&e->v) && vmt_wait_event(&e->v, AVF_EVENT_STARTED));
	CHECK_OK(avf_vm_kill(e->v.vm));
	CHECK(vmt_wait_stopped(&e->v));
	vmt_free(&e->v);
}

static void supervisor_sigkill(void)
{
	struct emulated e;

	if (!start_emulated(&e))
		return;
	CHECK(kill(avf_vm_get_pid(e.v.vm), SIGKILL) == 0);
	finish_emulated(&e, AVF_STOP_REASON_KILLED, "signal 9");
}

static void supervisor_sigstop(void)
{
	struct emulated e;
	uint64_t start;

	if (!start_emulated(&e))
		return;
	stop_process(avf_vm_get_pid(e.v.vm));
	start = vmt_now_ms();
	CHECK_OK(avf_vm_stop(e.v.vm));
	finish_emulated(&e, AVF_STOP_REASON_KILLED, "killed");
	CHECK(vmt_now_ms() - start < STOP_LIMIT_MS + VMT_PATIENCE_MS);
}

static void supervisor_sigcont(void)
{
	struct emulated e;

	if (!start_emulated(&e))
		return;
	stop_process(avf_vm_get_pid(e.v.vm));
	CHECK(kill(avf_vm_get_pid(e.v.vm), SIGCONT) == 0);
	CHECK_OK(avf_vm_stop(e.v.vm));
	finish_emulated(&e, AVF_STOP_REASON_KILLED, "");
}

static void qemu_sigkill(void)
{
	struct emulated e;

	if (!start_emulated(&e))
		return;
	CHECK(kill(e.qemu, SIGKILL) == 0);
	finish_emulated(&e, AVF_STOP_REASON_CRASH, "signal 9");
}

static void qemu_sigstop(void)
{
	struct emulated e;

	if (!start_emulated(&e))
		return;
	stop_process(e.qemu);
	CHECK_OK(avf_vm_stop(e.v.vm));
	finish_emulated(&e, AVF_STOP_REASON_KILLED, "5 s");
}

static void qemu_sigcont(void)
{
	struct emulated e;

	if (!start_emulated(&e))
		return;
	stop_process(e.qemu);
	CHECK(kill(e.qemu, SIGCONT) == 0);
	CHECK(avf_vm_get_status(e.v.vm) == AVF_STATUS_RUNNING);
	CHECK_OK(avf_vm_kill(e.v.vm));
	finish_emulated(&e, AVF_STOP_REASON_KILLED, "");
}

static const struct vmt_test tests[] = {
	{"sigkill", sigkill},
	{"sigstop_then_stop", sigstop_then_stop},
	{"sigstop_then_kill", sigstop_then_kill},
	{"sigstop_then_free", sigstop_then_free},
	{"sigstop_then_sigcont", sigstop_then_sigcont},
	{"sigkill_at_any_time", sigkill_at_any_time},
	{"application_dies", application_dies},
};

static const struct vmt_test emulated_tests[] = {
	{"supervisor_sigkill", supervisor_sigkill},
	{"supervisor_sigstop", supervisor_sigstop},
	{"supervisor_sigcont", supervisor_sigcont},
	{"qemu_sigkill", qemu_sigkill},
	{"qemu_sigstop", qemu_sigstop},
	{"qemu_sigcont", qemu_sigcont},
};

int main(int argc, char **argv)
{
	if (is_emulated())
		return vmt_main(argc, argv, emulated_tests,
				sizeof(emulated_tests) /
					sizeof(emulated_tests[0]));
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("no /dev/kvm that this user may use");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
