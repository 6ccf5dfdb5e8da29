/* VMs in their jail: how the guest fares, what is said where a host forbids
 * a part, and how a VMM ends that does what it must not. */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail/misdeeds.h"
#include "support/vm_harness.h"

#define FIRST_PORT 2000U

static bool has_whole_jail(void)
{
	avf_probe *probe = NULL;
	bool whole = true;

	CHECK_OK(avf_probe_new_jail(&probe));
	for (size_t i = 0; i < avf_probe_count(probe); i++)
		whole = whole &&
			avf_probe_get_state(probe, i) <= AVF_PROBE_LIMITED;
	avf_probe_free(probe);
	return whole;
}

static avf_config *make_config(const char *guest, enum avf_jail jail)
{
	avf_config *config = vmt_bare_config(guest);

	CHECK_OK(avf_config_set_jail(config, jail));
	return config;
}

static void strict_runs_where_it_can(void)
{
	struct vmt_vm v;

	if (!has_whole_jail()) {
		vmt_skip("this host forbids a part of the jail");
		return;
	}
	if (!vmt_new(&v, make_config("hello", AVF_JAIL_STRICT)))
		return;
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	vmt_free(&v);
}

/* --- hosts that forbid a part ------------------------------------------- */

#define NO_SYSCALL (-1)

/* As in many a container, or on an old kernel: what the call fails with, and
 * the row that says so. */
static const struct host {
	const char *lacks;
	int calls[2];
	uint64_t flags; /* of the first argument; 0: whatever it is */
	int error;
} hosts[] = {
	{"network_namespace", {SCMP_SYS(unshare), NO_SYSCALL}, 0, EPERM},
	{"pid_namespace", {SCMP_SYS(clone), NO_SYSCALL}, CLONE_NEWPID, EPERM},
	{"user_namespace",
	 {SCMP_SYS(clone), SCMP_SYS(unshare)},
	 CLONE_NEWUSER,
	 EPERM},
	{"file_system", {SCMP_SYS(mount), SCMP_SYS(pivot_root)}, 0, EPERM},
	{"landlock",
	 {SCMP_SYS(landlock_create_ruleset), NO_SYSCALL},
	 0,
	 ENOSYS},
	{"capabilities", {SCMP_SYS(capset), NO_SYSCALL}, 0, EPERM},
};

/* For this process and the VMMs that it starts. */
static bool forbid(const struct host *host)
{
	const struct scmp_arg_cmp flags =
		SCMP_A0(SCMP_CMP_MASKED_EQ, host->flags, host->flags);
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	bool ok = ctx != NULL;

	for (size_t i = 0; i < 2 && ok; i++) {
		if (host->calls[i] != NO_SYSCALL)
			ok = seccomp_rule_add_array(
				     ctx, SCMP_ACT_ERRNO((uint32_t)host->error),
				     host->calls[i], host->flags ? 1 : 0,
				     &flags) == 0;
	}
	ok = ok && seccomp_load(ctx) == 0;
	seccomp_release(ctx);
	return ok;
}

/* Take events until STOPPED; whether a LOG had @part in its text. */
static bool was_logged(avf_vm *vm, const char *part, struct avf_event *last)
{
	bool found = false;

	*last = (struct avf_event)AVF_EVENT_INIT;
	while (avf_vm_wait_event(vm, VMT_PATIENCE_MS, last) == 1 &&
	       last->type != AVF_EVENT_STOPPED) {
		if (last->type == AVF_EVENT_LOG &&
		    vmt_contains(last->text, part))
			found = true;
	}
	return found;
}

static int run_on(const struct host *host, enum avf_jail jail)
{
	struct avf_event last;
	struct vmt_vm v;
	bool logged;
	int rc = 1;

	if (!forbid(host) || !vmt_new(&v, make_config("hello", jail)))
		return 2;
	if (vmt_run(&v)) {
		logged = was_logged(v.vm, host->lacks, &last);
		if (jail == AVF_JAIL_DEFAULT && logged &&
		    last.code == AVF_STOP_REASON_SHUTDOWN)
			rc = 0;
		if (jail == AVF_JAIL_STRICT &&
		    last.code == AVF_STOP_REASON_START_FAILED &&
		    vmt_contains(last.text, "strict jail") &&
		    vmt_contains(last.text, host->lacks))
			rc = 0;
	}
	vmt_free(&v);
	return rc;
}

/* In children: a filter stays for ever. */
static void expect_on_each_host(enum avf_jail jail)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		pid_t pid = fork();
		int status = -1;

		if (pid == 0)
			_exit(run_on(&hosts[i], jail));
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
		if (status != 0)
			vmt_fail(__FILE__, __LINE__, "without %s: status %#x",
				 hosts[i].lacks, status);
	}
}

static void a_missing_part_is_a_warning(void)
{
	expect_on_each_host(AVF_JAIL_DEFAULT);
}

static void a_missing_part_fails_a_strict_vm(void)
{
	expect_on_each_host(AVF_JAIL_STRICT);
}

/* --- a VMM that misbehaves ---------------------------------------------- */

static void expect_stopped(size_t index)
{
	const char *call = misdeeds[index].call;
	avf_listener *listener = NULL;
	struct avf_event last;
	struct vmt_vm v;
	char part[64];
	bool logged;

	(void)snprintf(part, sizeof(part), "(%s)", call ? call : "");
	if (!vmt_new(&v, make_config("spin", AVF_JAIL_DEFAULT)))
		return;
	if (vmt_run(&v) && vmt_wait_event(&v, AVF_EVENT_STARTED)) {
		CHECK(avf_vm_listen(v.vm, FIRST_PORT + (uint32_t)index,
				    &listener) < 0);
		logged = was_logged(v.vm, part, &last);
		if (call && !logged)
			vmt_fail(__FILE__, __LINE__, "no log of %s", call);
		if (last.code != AVF_STOP_REASON_CRASH ||
		    !vmt_contains(last.text, "Bad system call"))
			vmt_fail(__FILE__, __LINE__, "%s: %d, %s", part,
				 last.code, last.text);
	}
	vmt_free(&v);
}

static void every_misdeed_ends_the_vm(void)
{
	(void)setenv("AVF_VMM", vmt_path("tests/rogue_vmm"), 1);
	for (size_t i = 0; i < n_misdeeds; i++)
		expect_stopped(i);
	(void)unsetenv("AVF_VMM");
}

static const struct vmt_test tests[] = {
	{"strict_runs_where_it_can", strict_runs_where_it_can},
	{"a_missing_part_is_a_warning", a_missing_part_is_a_warning},
	{"a_missing_part_fails_a_strict_vm", a_missing_part_fails_a_strict_vm},
	{"every_misdeed_ends_the_vm", every_misdeed_ends_the_vm},
};

int main(int argc, char **argv)
{
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("there is no usable /dev/kvm");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
