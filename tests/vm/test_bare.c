/* Bare-metal guests on KVM: how they run, and all the ways in which one ends.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/vm_harness.h"

static bool make(struct vmt_vm *v, const char *guest)
{
	return vmt_new(v, vmt_bare_config(guest));
}

/* --- each guest ------------------------------------------------------- */

static void hello(void)
{
	avf_config *config = vmt_bare_config("hello");
	struct vmt_vm v;
	char *text;

	CHECK_OK(avf_config_set_cmdline(config, "one two=three last"));
	if (!vmt_new(&v, config))
		return;
	CHECK(avf_vm_get_status(v.vm) == AVF_STATUS_STOPPED);
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	CHECK(v.acceleration == 0);
	CHECK(strcmp(v.events, "STARTED STOPPED ") == 0);
	text = vmt_output(&v);
	CHECK(text && vmt_contains(text, " one two=three last\n"));
	free(text);
	vmt_free(&v);
}

/* Only advice: a protected VM's memory is taken by the small page all the same,
 * also where the host has a huge one. */
static void huge_pages(void)
{
	avf_config *config = vmt_bare_config("hello");
	struct vmt_vm v;
	char *text;

	CHECK_OK(avf_config_set_hugepages(config, true));
	CHECK_OK(avf_config_set_cmdline(config, "large and small"));
	if (!vmt_new(&v, config))
		return;
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	text = vmt_output(&v);
	CHECK(text && vmt_contains(text, " large and small\n"));
	free(text);
	vmt_free(&v);
}

/* The longest command line comes out of the serial line, in order. */
static void long_console(void)
{
	avf_config *config = vmt_bare_config("hello");
	char cmdline[AVF_MAX_CMDLINE + 1];
	struct vmt_vm v;
	char *text;

	for (unsigned int i = 0; i < AVF_MAX_CMDLINE; i++)
		cmdline[i] = (char)('a' + i % 26);
	cmdline[AVF_MAX_CMDLINE] = '\0';
	CHECK_OK(avf_config_set_cmdline(config, cmdline));
	if (!vmt_new(&v, config))
		return;
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	text = vmt_output(&v);
	CHECK(text && vmt_contains(text, cmdline));
	free(text);
	vmt_free(&v);
}

static void run_to(const char *guest, int reason)
{
	struct vmt_vm v;

	if (!make(&v, guest))
		return;
	vmt_run_to(&v, reason);
	vmt_free(&v);
}

static void reset(void)
{
	run_to("reset", AVF_STOP_REASON_REBOOT);
}

static void triple_fault(void)
{
	if (vmt_has_bare("triple"))
		run_to("triple", AVF_STOP_REASON_CRASH);
	else
		vmt_skip("this architecture has no triple fault");
}

/* The number behind @word in @text. */
static unsigned long long number_after(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return at ? strtoull(at + strlen(word), NULL, 10) : 0;
}

/* The guest's own mistakes are its own affair: its vectors say which one it
 * was, and where. On arm64 the first number is the syndrome register. */
static void fault(unsigned int kind, const char *x86_64, const char *arm64)
{
	avf_config *config = vmt_bare_config("fault");
	char cmdline[32];
	struct vmt_vm v;
	char *text;

	(void)snprintf(cmdline, sizeof(cmdline), "fault=%u", kind);
	CHECK_OK(avf_config_set_cmdline(config, cmdline));
	CHECK_OK(avf_config_set_vcpus(config, 2));
	if (!vmt_new(&v, config))
		return;
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	text = vmt_output(&v);
	if (!text || !vmt_contains(text, vmt_bare_is_elf() ? x86_64 : arm64) ||
	    !vmt_contains(text, "\nFAIL: exception\n"))
		vmt_fail(__FILE__, __LINE__, "it said \"%s\"",
			 text ? text : "");
	/* all images are above the first MiB */
	CHECK(text && number_after(text, ", from ") > 1 << 20);
	if (kind > 1)
		CHECK(text && vmt_contains(text, ", address 1099511627776\n"));
	free(text);
	vmt_free(&v);
}

static void fault_instruction(void)
{
	fault(1, "exception 6, error 0, from ", "syndrome 33554432, from ");
}

static void fault_read(void)
{
	fault(2, "exception 14, error 0, from ", "syndrome 2516582404, from ");
}

static void fault_other_cpu(void)
{
	fault(3, "exception 14, error 0, from ", "syndrome 2516582404, from ");
}

static void count_cpus(unsigned int n)
{
	avf_config *config = vmt_bare_config("smp");
	struct vmt_vm v;
	char expected[32];
	char *text;

	(void)snprintf(expected, sizeof(expected), "%u CPUs\n", n);
	CHECK_OK(avf_config_set_vcpus(config, n));
	if (!vmt_new(&v, config))
		return;
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	text = vmt_output(&v);
	if (!text || strcmp(text, expected) != 0)
		vmt_fail(__FILE__, __LINE__, "\"%s\", not \"%s\"", text,
			 expected);
	free(text);
	vmt_free(&v);
}

static void smp_1(void)
{
	count_cpus(1);
}

static void smp_2(void)
{
	count_cpus(2);
}

static void smp_8(void)
{
	if (getenv("AVF_LAB"))
		vmt_skip("8 vCPUs on an emulated CPU take too long");
	else
		count_cpus(8);
}

static void blk(void)
{
	static const char question[] = "sector 0 of the first disk";
	const struct avf_disk_options writable = {sizeof(writable), true,
						  "second"};
	avf_config *config = vmt_bare_config("blk");
	int first = vmt_memfd(4096, 0), second = vmt_memfd(4096, 'x');
	char sectors[3 * 512];
	struct vmt_vm v;
	char *text;

	CHECK(pwrite(first, question, sizeof(question), 0) > 0);
	CHECK_OK(avf_config_add_disk_fd(config, first, NULL));
	CHECK_OK(avf_config_add_disk_fd(config, second, &writable));
	if (!vmt_new(&v, config))
		return;
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	text = vmt_output(&v);
	CHECK(text && vmt_contains(text, question));
	CHECK(text && vmt_contains(text, "written\n"));
	CHECK(pread(second, sectors, sizeof(sectors), 0) == sizeof(sectors));
	CHECK(sectors[511] == 'x' && sectors[1024] == 'x');
	for (size_t i = 0; i < sizeof(question); i++)
		CHECK(sectors[512 + i] == question[i] + 1);
	free(text);
	vmt_free(&v);
	(void)close(first);
	(void)close(second);
}

/* The bytes differ from run to run, and so do two handles' worth of them. */
static void rng(void)
{
	char *texts[3];
	struct vmt_vm v;

	if (!make(&v, "rng"))
		return;
	for (int i = 0; i < 3; i++) {
		vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
		texts[i] = vmt_output(&v);
		CHECK(strncmp(texts[i], "random ", 7) == 0);
		CHECK(strlen(texts[i]) == 7 + 32 + 1);
	}
	CHECK(strcmp(texts[0], texts[1]) != 0);
	CHECK(strcmp(texts[1], texts[2]) != 0);
	for (int i = 0; i < 3; i++)
		free(texts[i]);
	vmt_free(&v);
}

/* --- endings from outside --------------------------------------------- */

/* A guest that prints "@guest\n" and never ends. */
static bool run_for_ever(struct vmt_vm *v, const char *guest)
{
	if (!make(v, guest))
		return false;
	if (vmt_run(v) && vmt_wait_event(v, AVF_EVENT_STARTED) &&
	    vmt_wait_output(v, guest))
		return true;
	vmt_free(v);
	return false;
}

static void kill_one(const char *guest)
{
	struct vmt_vm v;

	if (!run_for_ever(&v, guest))
		return;
	CHECK(avf_vm_get_status(v.vm) == AVF_STATUS_RUNNING);
	CHECK_OK(avf_vm_kill(v.vm));
	(void)!avf_vm_kill(v.vm); /* twice does no harm */
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_KILLED, "");
	CHECK_FAILS(avf_vm_kill(v.vm), AVF_ERR_STATE, "running");
	CHECK_FAILS(avf_vm_stop(v.vm), AVF_ERR_STATE, "running");
	vmt_free(&v);
}

static void kill_halt(void)
{
	kill_one("halt");
}

static void kill_spin(void)
{
	kill_one("spin");
}

/* Nobody in there can be asked, so it must not take the 5 s of grace. */
static void stop_one(const char *guest)
{
	struct vmt_vm v;

	if (!run_for_ever(&v, guest))
		return;
	CHECK_OK(avf_vm_stop(v.vm));
	CHECK_OK(avf_vm_stop(v.vm));
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_KILLED, "cannot be asked");
	vmt_free(&v);
}

static void stop_halt(void)
{
	stop_one("halt");
}

static void stop_spin(void)
{
	stop_one("spin");
}

static void signal_vmm(int number, int reason, const char *part)
{
	struct vmt_vm v;
	int pid;

	if (!run_for_ever(&v, "spin"))
		return;
	pid = avf_vm_get_pid(v.vm);
	CHECK(pid > 0);
	CHECK(kill(pid, number) == 0);
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, reason, part);
	vmt_free(&v);
}

static void vmm_sigkill(void)
{
	signal_vmm(SIGKILL, AVF_STOP_REASON_KILLED, "signal 9");
}

/* Whether the process is number 1 in a PID namespace of its own. */
static bool is_first_process(int pid)
{
	char path[64], line[256];
	bool first = false;
	FILE *status;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "r");
	CHECK(status != NULL);
	while (status && fgets(line, sizeof(line), status)) {
		if (vmt_contains(line, "NSpid:") && vmt_contains(line, "\t1\n"))
			first = true;
	}
	if (status)
		(void)fclose(status);
	return first;
}

/* A first process is spared the signals that it has no handler for. */
static void vmm_sigterm(void)
{
	struct vmt_vm v;
	bool first;
	int pid;

	if (!run_for_ever(&v, "spin"))
		return;
	pid = avf_vm_get_pid(v.vm);
	first = is_first_process(pid);
	CHECK(kill(pid, SIGTERM) == 0);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_KILLED,
			  first ? "signal 9" : "signal 15");
	vmt_free(&v);
}

static void free_running(void)
{
	struct vmt_vm v;
	int pid;

	if (!run_for_ever(&v, "spin"))
		return;
	pid = avf_vm_get_pid(v.vm);
	vmt_free(&v);
	CHECK(kill(pid, 0) < 0);
}

static void free_at_once(void)
{
	struct vmt_vm v;

	if (!make(&v, "spin"))
		return;
	CHECK(vmt_run(&v));
	vmt_free(&v);
}

static void kill_at_once(void)
{
	struct vmt_vm v;

	if (!make(&v, "spin"))
		return;
	CHECK(vmt_run(&v));
	CHECK_OK(avf_vm_kill(v.vm));
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_KILLED, "");
	vmt_free(&v);
}

/* --- several ---------------------------------------------------------- */

static void same_twice(void)
{
	struct vmt_vm v;

	if (!make(&v, "hello"))
		return;
	CHECK(vmt_run(&v));
	CHECK_FAILS(avf_vm_run(v.vm), AVF_ERR_STATE, "not in stopped state");
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_SHUTDOWN, "");
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	CHECK(strcmp(v.events, "STARTED STOPPED ") == 0);
	vmt_free(&v);
}

/* Takes what each one has, without waiting, until both have stopped. */
static void poll_both(struct vmt_vm *v)
{
	const uint64_t deadline = vmt_now_ms() + VMT_PATIENCE_MS;
	struct pollfd fds[2];

	for (int i = 0; i < 2; i++)
		fds[i] = (struct pollfd){.fd = avf_vm_get_fd(v[i].vm),
					 .events = POLLIN};
	while (v[0].n_stopped + v[1].n_stopped < 2 && vmt_now_ms() < deadline) {
		if (poll(fds, 2, 1000) < 0)
			continue;
		for (int i = 0; i < 2; i++) {
			while (fds[i].revents && vmt_event(&v[i], 0) >= 0)
				;
		}
	}
	/* nothing more to say: the descriptors are silent */
	CHECK(poll(fds, 2, 0) == 0);
}

static void two_in_one_loop(void)
{
	struct vmt_vm v[2];

	if (!make(&v[0], "hello") || !make(&v[1], "reset"))
		return;
	CHECK(vmt_run(&v[0]) && vmt_run(&v[1]));
	poll_both(v);
	vmt_check_stopped(&v[0], AVF_STOP_REASON_SHUTDOWN, "");
	vmt_check_stopped(&v[1], AVF_STOP_REASON_REBOOT, "");
	vmt_free(&v[0]);
	vmt_free(&v[1]);
}

static const struct vmt_test tests[] = {
	{"hello", hello},
	{"huge_pages", huge_pages},
	{"long_console", long_console},
	{"reset", reset},
	{"triple_fault", triple_fault},
	{"fault_instruction", fault_instruction},
	{"fault_read", fault_read},
	{"fault_other_cpu", fault_other_cpu},
	{"smp_1", smp_1},
	{"smp_2", smp_2},
	{"smp_8", smp_8},
	{"blk", blk},
	{"rng", rng},
	{"kill_halt", kill_halt},
	{"kill_spin", kill_spin},
	{"stop_halt", stop_halt},
	{"stop_spin", stop_spin},
	{"vmm_sigkill", vmm_sigkill},
	{"vmm_sigterm", vmm_sigterm},
	{"free_running", free_running},
	{"free_at_once", free_at_once},
	{"kill_at_once", kill_at_once},
	{"same_twice", same_twice},
	{"two_in_one_loop", two_in_one_loop},
};

int main(int argc, char **argv)
{
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("no /dev/kvm that this user may use");
	if (vmt_wants_protected() && !vmt_can_protect())
		vmt_skip_all("no protected VMs on this host's KVM");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
