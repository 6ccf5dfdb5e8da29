#include "client/vm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "client/run_config.h"
#include "wire/wire.h"

/* The VMM kills a guest that does not obey within 5 s. This is for a VMM
 * that does not either. */
#define STOP_LIMIT_S 7

static int watch(struct avf_vm *vm, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN};

	if (epoll_ctl(vm->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return fail_errno("epoll_ctl");
	return 0;
}

static int init(struct avf_vm *vm, const struct vm_config *config)
{
	int rc = vm_config_copy(config, &vm->config);

	if (rc < 0)
		return rc;
	vm->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (vm->epoll_fd < 0)
		return fail_errno("epoll_create1");
	vm->stop_timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (vm->stop_timer_fd < 0)
		return fail_errno("timerfd_create");
	return watch(vm, vm->stop_timer_fd);
}

int vm_new(const struct vm_config *config, struct avf_vm **ret_vm)
{
	struct avf_vm *vm = calloc(1, sizeof(*vm));
	int rc;

	if (!vm)
		return fail(AVF_ERR_NO_MEMORY, "VM handle");
	vm_config_init(&vm->config);
	vm->epoll_fd = -1;
	vm->stop_timer_fd = -1;
	vm->process = (struct vmm_process){-1, -1, 0};
	(void)pthread_mutex_init(&vm->lock, NULL); /* cannot fail on Linux */
	rc = init(vm, config);
	if (rc < 0) {
		vm_free(vm);
		return rc;
	}
	*ret_vm = vm;
	return 0;
}

void vm_free(struct avf_vm *vm)
{
	if (!vm)
		return;
	vm_clear_run(vm);
	fd_close(vm->stop_timer_fd);
	fd_close(vm->epoll_fd);
	vm_config_fini(&vm->config);
	(void)pthread_mutex_destroy(&vm->lock);
	free(vm);
}

static void set_stop_timer(struct avf_vm *vm, time_t seconds)
{
	struct itimerspec when = {.it_value.tv_sec = seconds};

	/* fails only for a bad descriptor, which it is not */
	(void)timerfd_settime(vm->stop_timer_fd, 0, &when, NULL);
}

void vm_clear_run(struct avf_vm *vm)
{
	(void)pthread_mutex_lock(&vm->lock);
	vmm_process_fini(&vm->process);
	(void)pthread_mutex_unlock(&vm->lock);
	set_stop_timer(vm, 0);
	vm->running = false;
	vm->control_open = false;
	vm->killed = false;
	vm->ended = false;
	vm->has_last = false;
}

static int start(struct avf_vm *vm, const struct vm_config *orders)
{
	struct vmm_process process;
	int rc = vmm_process_spawn(&process);

	if (rc < 0)
		return rc;
	(void)pthread_mutex_lock(&vm->lock);
	vm->process = process;
	(void)pthread_mutex_unlock(&vm->lock);
	rc = watch(vm, process.control);
	if (rc < 0)
		return rc;
	rc = watch(vm, process.pidfd);
	if (rc < 0)
		return rc;
	return run_config_send(orders, process.control);
}

int vm_run(struct avf_vm *vm)
{
	CLEANUP(vm_config_fini) struct vm_config orders;
	int rc;

	vm_config_init(&orders);
	if (vm->running)
		return fail(AVF_ERR_STATE, "VM is not in stopped state");
	rc = run_config_make(&vm->config, &orders);
	if (rc < 0)
		return rc;
	rc = start(vm, &orders);
	if (rc < 0) {
		vm_clear_run(vm);
		return rc;
	}
	vm->control_open = true;
	vm->running = true;
	return 0;
}

int vm_stop(struct avf_vm *vm)
{
	if (!vm->running)
		return fail(AVF_ERR_STATE, "VM is not running");
	if (!vm->control_open)
		return 0; /* it is on its way down */
	if (wire_send(vm->process.control, WIRE_STOP, NULL, 0, NULL, 0) < 0)
		return vm_kill(vm);
	set_stop_timer(vm, STOP_LIMIT_S);
	return 0;
}

int vm_kill(struct avf_vm *vm)
{
	int rc = 0;

	(void)pthread_mutex_lock(&vm->lock);
	if (vm->process.pidfd < 0) {
		rc = fail(AVF_ERR_STATE, "VM is not running");
	} else {
		rc = vmm_process_kill(&vm->process);
		vm->killed = true;
	}
	(void)pthread_mutex_unlock(&vm->lock);
	return rc;
}
