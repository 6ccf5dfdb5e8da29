/*
 * From what is known of QEMU's end to a stop reason. What QEMU has said over
 * QMP counts most; its exit status says only how well it ended.
 */
#include "qemu/qemu_outcome.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static const struct {
	enum avf_stop_reason reason;
	const char *text;
} told[] = {
	[QMP_SHUTDOWN_NONE] = {AVF_STOP_REASON_CRASH, ""},
	[QMP_SHUTDOWN_GUEST] = {AVF_STOP_REASON_SHUTDOWN,
				"the guest powered off"},
	[QMP_SHUTDOWN_RESET] = {AVF_STOP_REASON_REBOOT,
				"the guest asked for a reset"},
	[QMP_SHUTDOWN_PANIC] = {AVF_STOP_REASON_CRASH, "the guest panicked"},
	[QMP_SHUTDOWN_HOST] = {AVF_STOP_REASON_KILLED, "QEMU was told to end"},
	[QMP_SHUTDOWN_UNKNOWN] = {AVF_STOP_REASON_UNKNOWN,
				  "QEMU ended for a reason unknown to us"},
};

static void say(struct qemu_outcome *outcome, const char *what,
		const char *last_line)
{
	(void)snprintf(outcome->text, sizeof(outcome->text), "QEMU %s%s%.180s",
		       what, last_line[0] ? ": " : "", last_line);
}

static void say_how_it_ended(struct qemu_outcome *outcome,
			     const struct qemu_end *end)
{
	const int status = end->wait_status;
	const char *name;
	char what[64];

	if (!WIFSIGNALED(status)) {
		(void)snprintf(what, sizeof(what), "exited with status %d",
			       WEXITSTATUS(status));
	} else {
		name = sigabbrev_np(WTERMSIG(status));
		(void)snprintf(what, sizeof(what),
			       "was killed by signal %d (%s)", WTERMSIG(status),
			       name ? name : "?");
	}
	say(outcome, what, end->last_line);
}

void qemu_outcome_make(const struct qemu_end *end,
		       struct qemu_outcome *ret_outcome)
{
	memset(ret_outcome, 0, sizeof(*ret_outcome));
	if (end->shutdown != QMP_SHUTDOWN_NONE) {
		ret_outcome->reason = told[end->shutdown].reason;
		(void)snprintf(ret_outcome->text, sizeof(ret_outcome->text),
			       "%s", told[end->shutdown].text);
		return;
	}
	ret_outcome->reason = end->ready ? AVF_STOP_REASON_CRASH
					 : AVF_STOP_REASON_START_FAILED;
	if (end->timed_out)
		say(ret_outcome, "did not answer", end->last_line);
	else
		say_how_it_ended(ret_outcome, end);
}
