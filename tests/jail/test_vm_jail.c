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

/* --- a host without namespaces ------------------------------------------ */

/* For this process and the VMMs that it starts: as in many a container. */
static bool forbid_namespaces(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	bool ok =
		ctx &&
		seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare),
				 0) == 0 &&
		seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
				 SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWPID,
					 CLONE_NEWPID)) == 0 &&
		seccomp_load(ctx) == 0;

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

static int run_without_namespaces(enum avf_jail jail)
{
	struct avf_event last;
	struct vmt_vm v;
	bool logged;
	int rc = 1;

	if (!forbid_namespaces() || !vmt_new(&v, make_config("hello", jail)))
		return 2;
	if (vmt_run(&v)) {
		logged = was_logged(v.vm, "pid_namespace", &last);
		if (jail == AVF_JAIL_DEFAULT && logged &&
		    last.code == AVF_STOP_REASON_SHUTDOWN)
			rc = 0;
		if (jail == AVF_JAIL_STRICT &&
		    last.code == AVF_STOP_REASON_START_FAILED &&
		    vmt_contains(last.text, "strict jail"))
			rc = 0;
	}
	vmt_free(&v);
	return rc;
}

/* In a child: the filter stays for ever. */
static void expect_without_namespaces(enum avf_jail jail)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(run_without_namespaces(jail));
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_missing_part_is_a_warning(void)
{
	expect_without_namespaces(AVF_JAIL_DEFAULT);
}

static void a_missing_part_fails_a_strict_vm(void)
{
	expect_without_namespaces(AVF_JAIL_STRICT);
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
