/*
 * AVirtualMachine. Our events have one reader at a time, and Android's
 * functions may be called by any thread: whoever waits takes what events there
 * are, under the lock, and tells the others through two eventfds that stay
 * readable.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ndk/ndk.h"

#define CONNECT_TIMEOUT_MS 30000
#define NS_PER_S           1000000000LL
/* About 31 years: more is for ever. */
#define MAX_TIMEOUT_S 1000000000LL

int ndk_vm_new(const avf_config *config, struct AVirtualMachine **ret_vm)
{
	struct AVirtualMachine *vm = calloc(1, sizeof(*vm));
	int rc;

	if (!vm)
		return AVF_ERR_NO_MEMORY;
	(void)pthread_mutex_init(&vm->lock, NULL); /* cannot fail on Linux */
	vm->started_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vm->stopped_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = vm->started_fd < 0 || vm->stopped_fd < 0
		     ? AVF_ERR_LIMIT
		     : avf_vm_new(config, &vm->vm);
	if (rc < 0) {
		AVirtualMachine_destroy(vm);
		return rc;
	}
	*ret_vm = vm;
	return 0;
}

void AVirtualMachine_destroy(AVirtualMachine *vm)
{
	if (!vm)
		return;
	avf_vm_free(vm->vm); /* kills it */
	ndk_close(vm->stopped_fd);
	ndk_close(vm->started_fd);
	(void)pthread_mutex_destroy(&vm->lock);
	free(vm);
}

/* Make @fd, an eventfd, readable for ever. */
static void ring(int fd)
{
	/* fails only when it is full, and then it is readable */
	(void)!eventfd_write(fd, 1);
}

static void set_stopped(struct AVirtualMachine *vm,
			enum AVirtualMachineStopReason reason)
{
	vm->reason = reason;
	vm->stopped = true;
	ring(vm->started_fd);
	ring(vm->stopped_fd);
}

/* Take the events that are there. Under the lock. */
static void take_events(struct AVirtualMachine *vm)
{
	struct avf_event event = AVF_EVENT_INIT;
	int rc;

	while ((rc = avf_vm_next_event(vm->vm, &event)) > 0) {
		if (event.type == AVF_EVENT_STARTED) {
			vm->started = true;
			ring(vm->started_fd);
		} else if (event.type == AVF_EVENT_STOPPED) {
			set_stopped(vm, ndk_stop_reason(event.code));
		}
	}
	if (rc < 0 && !vm->stopped) {
		/* nothing more can be learnt of it */
		(void)!avf_vm_kill(vm->vm);
		set_stopped(vm, AVIRTUAL_MACHINE_INFRASTRUCTURE_ERROR);
	}
}

static long long now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* When @timeout has passed, by now_ns(); -1 is never. */
static long long end_of(const struct timespec *timeout)
{
	long long ns;

	if (!timeout || timeout->tv_sec > MAX_TIMEOUT_S)
		return -1;
	ns = timeout->tv_sec * NS_PER_S + timeout->tv_nsec;
	return now_ns() + (timeout->tv_sec < 0 || ns < 0 ? 0 : ns);
}

/* Sleep until there may be an event, @done_fd is readable, or it is @end.
 * Returns false when it was @end before. */
static bool sleep_until(struct AVirtualMachine *vm, int done_fd, long long end)
{
	struct pollfd fds[] = {
		{.fd = avf_vm_get_fd(vm->vm), .events = POLLIN},
		{.fd = done_fd, .events = POLLIN},
	};
	struct timespec left = {0};
	long long ns = end < 0 ? 0 : end - now_ns();

	if (ns < 0)
		return false;
	left.tv_sec = (time_t)(ns / NS_PER_S);
	left.tv_nsec = (long)(ns % NS_PER_S);
	/* a signal or a false alarm only means to look again */
	(void)ppoll(fds, sizeof(fds) / sizeof(fds[0]), end < 0 ? NULL : &left,
		    NULL);
	return true;
}

static bool is_stopped(struct AVirtualMachine *vm,
		       enum AVirtualMachineStopReason *ret_reason)
{
	bool stopped;

	(void)pthread_mutex_lock(&vm->lock);
	take_events(vm);
	stopped = vm->stopped;
	if (stopped && ret_reason)
		*ret_reason = vm->reason;
	(void)pthread_mutex_unlock(&vm->lock);
	return stopped;
}

bool AVirtualMachine_waitForStop(AVirtualMachine *vm,
				 const struct timespec *timeout,
				 enum AVirtualMachineStopReason *reason)
{
	long long end = end_of(timeout);

	if (!vm)
		return false;
	do {
		if (is_stopped(vm, reason))
			return true;
	} while (sleep_until(vm, vm->stopped_fd, end));
	return false;
}

/* 1 when the guest ran, -1 when it never did, 0 as long as nobody knows. */
static int look_at_start(struct AVirtualMachine *vm)
{
	int answer = 0;

	(void)pthread_mutex_lock(&vm->lock);
	take_events(vm);
	if (vm->started)
		answer = 1;
	else if (vm->stopped)
		answer = -1;
	(void)pthread_mutex_unlock(&vm->lock);
	return answer;
}

int AVirtualMachine_start(AVirtualMachine *vm)
{
	int rc = AVF_ERR_STATE;
	int answer;

	if (!vm)
		return ndk_result(AVF_ERR_INVALID);
	(void)pthread_mutex_lock(&vm->lock);
	if (!vm->asked_to_start) {
		rc = avf_vm_run(vm->vm);
		vm->asked_to_start = rc == 0;
	}
	(void)pthread_mutex_unlock(&vm->lock);
	if (rc < 0)
		return ndk_result(AVF_ERR_IO);
	while ((answer = look_at_start(vm)) == 0)
		(void)sleep_until(vm, vm->started_fd, -1);
	return answer > 0 ? 0 : ndk_result(AVF_ERR_IO);
}

int AVirtualMachine_stop(AVirtualMachine *vm)
{
	int rc;

	if (!vm)
		return ndk_result(AVF_ERR_INVALID);
	(void)pthread_mutex_lock(&vm->lock);
	take_events(vm);
	rc = avf_vm_kill(vm->vm);
	(void)pthread_mutex_unlock(&vm->lock);
	return rc < 0 ? ndk_result(AVF_ERR_IO) : 0;
}

int AVirtualMachine_connectVsock(AVirtualMachine *vm, uint32_t port)
{
	int fd = -1;

	if (!vm)
		return ndk_result(AVF_ERR_INVALID);
	if (avf_vm_connect(vm->vm, port, CONNECT_TIMEOUT_MS, &fd) < 0)
		return ndk_result(AVF_ERR_IO);
	return fd;
}
