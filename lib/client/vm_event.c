/*
 * What the VMM process says, and its end, as events.
 *
 * The last event is made here in every case, when the process is gone: from
 * the VMM's own STOPPED message if there was one, else from the way in which
 * the process ended. So there is exactly one per run, whatever happens.
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "client/vm.h"
#include "wire/wire.h"

/* Fill the fields that the caller's struct has room for. */
static void deliver(const struct avf_event *event, struct avf_event *ret_event)
{
	size_t size = MIN(ret_event->size, sizeof(*event));
	size_t keep = ret_event->size;

	memcpy(ret_event, event, size);
	ret_event->size = keep;
}

/* Returns 1 with *@ret_event, 0 for a STOPPED that is kept for later. */
static int take_message(struct avf_vm *vm, const struct wire_message *m,
			struct avf_event *ret_event)
{
	struct wire_event w;
	int rc;

	if (m->type != WIRE_EVENT)
		return fail(AVF_ERR_PROTOCOL, "message %d from the VMM",
			    m->type);
	rc = wire_body(m, &w, sizeof(w));
	if (rc < 0)
		return rc;
	wire_text_clean(w.text);
	memset(ret_event, 0, sizeof(*ret_event));
	ret_event->type = (int)le32_get(w.type);
	ret_event->code = (int)le32_get(w.code);
	ret_event->time_ns = le64_get(w.time_ns);
	(void)snprintf(ret_event->text, sizeof(ret_event->text), "%s", w.text);
	if (ret_event->type != AVF_EVENT_STOPPED)
		return 1;
	vm->last = *ret_event;
	vm->has_last = true;
	return 0;
}

/* No more messages: from here on only the process matters, and it has to end
 * soon. */
static void close_control(struct avf_vm *vm)
{
	(void)epoll_ctl(vm->epoll_fd, EPOLL_CTL_DEL, vm->process.control, NULL);
	vm->control_open = false;
	vm_limit_end(vm);
}

/* The last word when the VMM has not spoken it, or cannot be believed. */
static void blame_vmm(struct avf_vm *vm, const char *text)
{
	if (vm->has_last)
		return;
	memset(&vm->last, 0, sizeof(vm->last));
	vm->last.type = AVF_EVENT_STOPPED;
	vm->last.code = AVF_STOP_REASON_INFRASTRUCTURE_ERROR;
	vm->last.time_ns = clock_now_ns();
	(void)snprintf(vm->last.text, sizeof(vm->last.text), "%s", text);
	vm->has_last = true;
}

static int next_message(struct avf_vm *vm, struct avf_event *ret_event)
{
	struct wire_message m;
	int rc = 0;

	while (vm->control_open && rc == 0) {
		rc = wire_receive(vm->process.control, &m);
		if (rc == 0)
			return 0;
		if (rc > 0) {
			wire_message_fini(&m);
			rc = take_message(vm, &m, ret_event);
		}
		/* nothing follows the VMM's last word */
		if (rc < 0 || vm->has_last)
			close_control(vm);
		if (rc < 0 && rc != AVF_ERR_CLOSED) {
			/* it is not to be trusted any more */
			blame_vmm(vm, error_record()->text);
			(void)!vmm_process_kill(&vm->process);
		}
		rc = MAX(rc, 0);
	}
	return rc;
}

static bool was_killed(struct avf_vm *vm)
{
	bool killed;

	(void)pthread_mutex_lock(&vm->lock);
	killed = vm->killed;
	(void)pthread_mutex_unlock(&vm->lock);
	return killed;
}

static void explain_exit(struct avf_vm *vm, struct avf_event *event)
{
	const struct vmm_exit *e = &vm->exit;

	if (was_killed(vm)) {
		event->code = AVF_STOP_REASON_KILLED;
		(void)snprintf(event->text, sizeof(event->text),
			       "the host killed the VM");
	} else if (e->known && e->signal_number != 0) {
		event->code = e->signal_number == SIGKILL ||
					      e->signal_number == SIGTERM
				      ? AVF_STOP_REASON_KILLED
				      : AVF_STOP_REASON_CRASH;
		(void)snprintf(event->text, sizeof(event->text),
			       "the VMM was killed by signal %d (%s)",
			       e->signal_number,
			       sigdescr_np(e->signal_number)
				       ? sigdescr_np(e->signal_number)
				       : "?");
	} else {
		event->code = AVF_STOP_REASON_INFRASTRUCTURE_ERROR;
		(void)snprintf(event->text, sizeof(event->text),
			       e->known
				       ? "the VMM exited with code %d"
				       : "the VMM ended; the application reaps "
					 "its children by itself",
			       e->exit_code);
	}
}

static void finish(struct avf_vm *vm, struct avf_event *ret_event)
{
	memset(ret_event, 0, sizeof(*ret_event));
	ret_event->type = AVF_EVENT_STOPPED;
	if (vm->has_last) {
		*ret_event = vm->last;
	} else {
		ret_event->time_ns = clock_now_ns();
		explain_exit(vm, ret_event);
	}
	vm_clear_run(vm);
}

static void check_stop_timer(struct avf_vm *vm)
{
	uint64_t expirations;

	if (read(vm->stop_timer_fd, &expirations, sizeof(expirations)) <= 0)
		return;
	if (!vm->control_open)
		blame_vmm(vm, "the VMM hung up, but did not end");
	(void)!vm_kill(vm);
}

int vm_next_event(struct avf_vm *vm, struct avf_event *ret_event)
{
	struct avf_event event;
	int rc;

	if (!vm->running)
		return 0;
	check_stop_timer(vm);
	rc = next_message(vm, &event);
	if (rc == 0 && !vm->ended)
		vm->ended = vmm_process_reap(&vm->process, &vm->exit);
	if (rc == 0 && vm->ended) {
		/* what it said between our last look and its end */
		rc = next_message(vm, &event);
		if (rc == 0) {
			finish(vm, &event);
			rc = 1;
		}
	}
	if (rc > 0)
		deliver(&event, ret_event);
	return rc;
}

int vm_wait_event(struct avf_vm *vm, int timeout_ms,
		  struct avf_event *ret_event)
{
	uint64_t deadline = clock_now_ns() / 1000000 + (uint64_t)timeout_ms;
	uint64_t now;
	int left = timeout_ms;
	int rc;

	for (;;) {
		rc = vm_next_event(vm, ret_event);
		if (rc != 0 || !vm->running)
			return rc;
		rc = fd_wait(vm->epoll_fd, POLLIN, left);
		if (rc < 0)
			return rc;
		if (timeout_ms < 0)
			continue;
		now = clock_now_ns() / 1000000;
		if (rc == 0 || now >= deadline)
			return vm_next_event(vm, ret_event);
		left = (int)(deadline - now);
	}
}
