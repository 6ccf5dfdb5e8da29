/*
 * When the VMM gives up its rights, and what it says about a jail that is
 * incomplete. lib/sandbox does the work; here is the policy: with a strict jail
 * a missing part ends the run, otherwise it is logged. Each thread filters
 * itself, since a filter holds for the thread that installs it.
 */
#include "vmm/jail.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/sandbox.h"
#include "vmm/vmm_internal.h"

/*
 * A call that the table does not have. Runs on the thread that made it,
 * maybe inside of malloc(): only what is async-signal-safe. The handler has
 * no pointer to the VMM, so the socket's number is fixed.
 */
static void on_violation(int signal_number, siginfo_t *info, void *context)
{
	struct wire_event event = {
		.type = le32_make(AVF_EVENT_LOG),
		.code = le32_make(LOG_LEVEL_ERROR),
		.time_ns = le64_make(clock_now_ns()),
	};

	(void)signal_number;
	(void)context;
	(void)snprintf(event.text, sizeof(event.text),
		       "the jail forbids system call %d (%s): the VMM is "
		       "killed",
		       info->si_syscall, sandbox_call_name(info->si_syscall));
	(void)!wire_send(VMM_CONTROL_FD, WIRE_EVENT, &event, sizeof(event),
			 NULL, 0);
	/* SIGSYS is blocked here, so the next violation kills by it */
	(void)syscall(SYS_ptrace, 0, 0, 0, 0);
	__builtin_trap();
}

/* Before any thread filters itself: its violation should leave a word. */
static int watch_violations(void)
{
	struct sigaction action = {
		.sa_sigaction = on_violation,
		.sa_flags = SA_SIGINFO,
	};

	(void)sigemptyset(&action.sa_mask);
	if (sigaction(SIGSYS, &action, NULL) < 0)
		return fail_errno("sigaction");
	return 0;
}

/* What the host could not give. */
static int judge(struct vmm *vmm, const struct sandbox_report *report)
{
	char lacking[WIRE_TEXT];

	if (sandbox_say_lacking(report, lacking, sizeof(lacking)) == 0)
		return 0;
	if (vmm->config.jail == AVF_JAIL_STRICT)
		return fail(AVF_ERR_UNSUPPORTED, "strict jail: no %s", lacking);
	log_warn(&vmm->log, "the jail has no %s", lacking);
	return 0;
}

int jail_enter(struct vmm *vmm, bool child)
{
	struct sandbox_report report;
	int rc = sandbox_enter(child, vm_config_locked_bytes(&vmm->config),
			       &report);

	if (rc < 0)
		return rc;
	vmm->has_filters = !sandbox_lacks(&report, "jail.filters");
	rc = judge(vmm, &report);
	if (rc < 0)
		return rc;
	return watch_violations();
}

int jail_main_thread(struct vmm *vmm, bool child)
{
	if (!vmm->has_filters)
		return 0;
	return sandbox_thread(child ? SANDBOX_SUPERVISOR : SANDBOX_MAIN);
}

static int vcpu_thread(void)
{
	return sandbox_thread(SANDBOX_VCPU);
}

static int disk_thread(void)
{
	return sandbox_thread(SANDBOX_DISK);
}

jail_thread_fn *jail_vcpu_thread(const struct vmm *vmm)
{
	return vmm->has_filters ? vcpu_thread : NULL;
}

jail_thread_fn *jail_disk_thread(const struct vmm *vmm)
{
	return vmm->has_filters ? disk_thread : NULL;
}

/* The next step for the reader of `avf info`; empty when there is none. */
static const char *hint(const struct sandbox_row *row)
{
	const char *what = row->what;

	if (row->state != SANDBOX_NO || strstr(row->reason, "sanitizer"))
		return "";
	if (strstr(what, "_namespace") || strstr(what, "file_system"))
		return "allow user namespaces: see user_namespaces";
	if (strcmp(what, "jail.landlock") == 0)
		return "add landlock to the kernel's lsm= parameter";
	return "";
}

int jail_probe_main(int out_fd)
{
	/* the words of avf_probe_state_name() */
	static const char *const names[] = {"yes", "limited", "no"};
	struct sandbox_report report;
	int rc = sandbox_enter(false, 0, &report);

	for (unsigned int i = 0; rc == 0 && i < report.n_rows; i++) {
		const struct sandbox_row *row = &report.rows[i];
		char line[512];
		int n = snprintf(line, sizeof(line), "%s\t%s\t%s\t%s\n",
				 row->what, names[row->state], row->reason,
				 hint(row));

		rc = fd_write_all(out_fd, line, (size_t)n);
	}
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
