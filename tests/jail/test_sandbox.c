/*
 * The jail around a process without a guest: each misdeed is tried by a
 * child, with and without its filter, as an ordinary user, and where
 * namespaces are forbidden.
 */
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail/misdeeds.h"
#include "sandbox/sandbox.h"

#define NOBODY 65534

enum {
	STOPPED = 10, /* the call failed */
	DONE = 11,    /* it did not */
	BROKEN = 12,  /* the jail could not be made */
};

static bool failed;

static void tell(bool ok, const char *what, const char *detail)
{
	(void)printf("%s %s: %s\n", ok ? "ok" : "not ok", what, detail);
	failed = failed || !ok;
}

static int run_child(int (*body)(int parent, int arg), int arg)
{
	const int parent = getpid();
	const pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(body(parent, arg));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static bool exited_with(int status, int code)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

/* --- with its filter --------------------------------------------------- */

static int filtered(enum sandbox_role role, int parent, int index)
{
	struct sandbox_report report;

	if (sandbox_enter(false, 0, &report) < 0 || sandbox_thread(role) < 0)
		return BROKEN;
	(void)misdeeds[index].attempt(parent);
	return DONE;
}

static int filtered_main(int parent, int index)
{
	return filtered(SANDBOX_MAIN, parent, index);
}

static int filtered_vcpu(int parent, int index)
{
	return filtered(SANDBOX_VCPU, parent, index);
}

static int filtered_disk(int parent, int index)
{
	return filtered(SANDBOX_DISK, parent, index);
}

static int filtered_supervisor(int parent, int index)
{
	return filtered(SANDBOX_SUPERVISOR, parent, index);
}

static void every_role_is_stopped(void)
{
	static int (*const roles[])(int parent, int index) = {
		filtered_main, filtered_vcpu, filtered_disk,
		filtered_supervisor};
	static const char *const names[] = {"main", "vcpu", "disk",
					    "supervisor"};
	char what[64];
	int status;

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		for (size_t j = 0; j < n_misdeeds; j++) {
			status = run_child(roles[i], (int)j);
			(void)snprintf(what, sizeof(what), "%s.%s", names[i],
				       misdeeds[j].call ? misdeeds[j].call
							: "other_abi");
			tell(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
			     what, "dies by SIGSYS");
		}
	}
}

/* --- without: the second line of defence ------------------------------- */

static int unfiltered(int parent, int index)
{
	struct sandbox_report report;

	if (sandbox_enter(false, 0, &report) < 0)
		return BROKEN;
	return misdeeds[index].attempt(parent) < 0 ? STOPPED : DONE;
}

/* What needs no filter to be harmless or impossible. */
static void walls_hold_without_filters(void)
{
	static const char *const calls[] = {
		"openat",           "connect", "execve", "ptrace",
		"process_vm_readv", "mount",   "kill",   "tgkill"};

	for (size_t i = 0; i < n_misdeeds; i++) {
		for (size_t j = 0; j < sizeof(calls) / sizeof(calls[0]); j++) {
			if (misdeeds[i].call &&
			    strcmp(misdeeds[i].call, calls[j]) == 0)
				tell(exited_with(run_child(unfiltered, (int)i),
						 STOPPED),
				     calls[j], "fails without a filter, too");
		}
	}
}

/* --- other hosts ------------------------------------------------------- */

static bool become_nobody(void)
{
	return setgroups(0, NULL) == 0 &&
	       setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	       setresuid(NOBODY, NOBODY, NOBODY) == 0 &&
	       prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static bool forbid_unshare(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	bool ok = ctx &&
		  seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
				   SCMP_SYS(unshare), 0) == 0 &&
		  seccomp_load(ctx) == 0;

	seccomp_release(ctx);
	return ok;
}

static int whole(int parent)
{
	struct sandbox_report report;
	char text[256];

	if (sandbox_enter(false, 0, &report) < 0)
		return BROKEN;
	if (sandbox_say_lacking(&report, text, sizeof(text)) > 0) {
		(void)fprintf(stderr, "lacking: %s\n", text);
		return DONE;
	}
	return misdeeds[0].attempt(parent) < 0 ? STOPPED : DONE;
}

/* The library starts a VMM in these two namespaces. */
static int as_nobody(int parent, int arg)
{
	int status;
	pid_t pid;

	(void)arg;
	if (geteuid() == 0 && !become_nobody())
		return BROKEN;
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD,
			     0, 0, 0, 0);
	if (pid == 0)
		_exit(whole(parent));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return BROKEN;
	return WEXITSTATUS(status);
}

/* Only the rows about namespaces say no; Landlock and the filters hold. */
static int without_namespaces(int parent, int arg)
{
	static const char *const lost[] = {
		"jail.user_namespace", "jail.network_namespace",
		"jail.ipc_namespace",  "jail.uts_namespace",
		"jail.pid_namespace",  "jail.file_system"};
	static const char *const kept[] = {"jail.privileges", "jail.limits",
					   "jail.capabilities", "jail.filters"};
	struct sandbox_report report;

	if (!forbid_unshare() || sandbox_enter(false, 0, &report) < 0)
		return BROKEN;
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		if (!sandbox_lacks(&report, lost[i]))
			return DONE;
	}
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (sandbox_lacks(&report, kept[i]))
			return DONE;
	}
	if (!sandbox_lacks(&report, "jail.landlock") &&
	    misdeeds[0].attempt(parent) >= 0)
		return DONE;
	if (sandbox_thread(SANDBOX_MAIN) < 0)
		return BROKEN;
	(void)misdeeds[arg].attempt(parent);
	return DONE;
}

static bool has_whole_jail(void)
{
	return exited_with(run_child(as_nobody, 0), STOPPED);
}

int main(void)
{
	int status;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	every_role_is_stopped();
	status = run_child(without_namespaces, 0);
	tell(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
	     "without_namespaces", "the rest of the jail holds");
	if (has_whole_jail()) {
		tell(true, "ordinary_user", "has the whole jail");
		walls_hold_without_filters();
	} else {
		(void)printf("skip ordinary_user: this host forbids a part\n");
	}
	return failed;
}
