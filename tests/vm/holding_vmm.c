/*
 * avf-vmm, but it waits at the step of its life that $AVF_HOLD names: the
 * text of a log line at debug level FULL, the name of an event, "spawned"
 * before it has read anything, "stopping" before the last word. It says so
 * on standard error. Between the step and what follows somebody can send it
 * signals; SIGCONT lets it go on.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <avf/vm.h>

#include "kvmprobe/kvmprobe.h"
#include "vmm/vmm.h"
#include "wire/wire.h"

/* Longer than a test needs to act. */
#define HOLD_MS 60000

int __real_wire_send(int sock, enum wire_type type, const void *body,
		     size_t size, const int *fds, unsigned int n_fds);
int __wrap_wire_send(int sock, enum wire_type type, const void *body,
		     size_t size, const int *fds, unsigned int n_fds);

static bool is_hold(const char *step)
{
	const char *hold = getenv("AVF_HOLD");

	return hold && strcmp(hold, step) == 0;
}

/* Readable once SIGCONT came, which is blocked: the jail has no return from
 * a handler for this thread. */
static int released = -1;

/* Calls that the jail allows. */
static void hold(void)
{
	struct pollfd p = {.fd = released, .events = POLLIN};

	(void)!write(STDERR_FILENO, "h", 1);
	(void)poll(&p, 1, HOLD_MS);
}

static const char *step_of(const struct wire_event *event)
{
	switch (le32_get(event->type)) {
	case AVF_EVENT_STARTED:
		return "STARTED";
	case AVF_EVENT_STOPPED:
		return "STOPPED";
	default:
		return event->text;
	}
}

int __wrap_wire_send(int sock, enum wire_type type, const void *body,
		     size_t size, const int *fds, unsigned int n_fds)
{
	int rc;

	if (type == WIRE_EVENT && strcmp(step_of(body), "STOPPED") == 0 &&
	    is_hold("stopping"))
		hold();
	rc = __real_wire_send(sock, type, body, size, fds, n_fds);
	if (type == WIRE_EVENT && is_hold(step_of(body)))
		hold();
	return rc;
}

int main(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCONT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	released = signalfd(-1, &set, SFD_CLOEXEC);
	if (is_hold("spawned"))
		hold();
	return vmm_main(3);
}
