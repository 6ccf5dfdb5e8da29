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
#include <unistd.h>

#include <avf/vm.h>

#include "kvmprobe/kvmprobe.h"
#include "vmm/vmm.h"
#include "wire/wire.h"

/* Longer than a test needs to act. */
#define HOLD_MS 60000
#define TURN_MS 20

int __real_wire_send(int sock, enum wire_type type, const void *body,
		     size_t size, const int *fds, unsigned int n_fds);
int __wrap_wire_send(int sock, enum wire_type type, const void *body,
		     size_t size, const int *fds, unsigned int n_fds);

static volatile sig_atomic_t released;

static void go_on(int signal_number)
{
	(void)signal_number;
	released = 1;
}

static bool is_hold(const char *step)
{
	const char *hold = getenv("AVF_HOLD");

	return hold && strcmp(hold, step) == 0;
}

/* Calls that the jail allows. */
static void hold(void)
{
	(void)!write(STDERR_FILENO, "h", 1);
	/* SIGCONT may come before the wait */
	for (int waited = 0; !released && waited < HOLD_MS; waited += TURN_MS)
		(void)poll(NULL, 0, TURN_MS);
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
	const struct sigaction action = {.sa_handler = go_on};

	(void)sigaction(SIGCONT, &action, NULL);
	if (is_hold("spawned"))
		hold();
	return vmm_main(3);
}
