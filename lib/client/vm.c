/*
 * The handle of a VM: one run at a time, each in a process of its own. The
 * epoll descriptor that the application waits on collects the control socket,
 * the process and the stop timer; vm_event.c makes events of them. One thread
 * at a time uses a handle, except for vm_kill() and the channels: what those
 * use (process, killed) is guarded by @lock.
 *
 * A handle belongs to the process that made it. After a fork the child may only
 * free it, see abandon().
 */
#include "client/vm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/owner.h"
#include "client/run_config.h"
#include "config/config_text.h"
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

static int init(struct avf_vm *vm, const avf_config *config)
{
	int rc = config_copy(config, &vm->config);

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

int vm_new(const avf_config *config, struct avf_vm **ret_vm)
{
	struct avf_vm *vm = calloc(1, sizeof(*vm));
	int rc;

	if (!vm)
		return fail(AVF_ERR_NO_MEMORY, "VM handle");
	vm->owner = owner_self();
	capture_init(&vm->capture);
	vm->epoll_fd = -1;
	vm->stop_timer_fd = -1;
	vm->process = VMM_PROCESS_EMPTY;
	(void)pthread_mutex_init(&vm->lock, NULL); /* cannot fail on Linux */
	rc = init(vm, config);
	if (rc < 0) {
		vm_free(vm);
		return rc;
	}
	*ret_vm = vm;
	return 0;
}

int vm_check_owner(const struct avf_vm *vm)
{
	return owner_check(vm->owner, "VM");
}

/* In a child: let our copies of the parent's descriptors go, and nothing
 * else. Its lock may have been held by a thread that is not here. What a
 * manager counts the handles of stays as it is. */
static void abandon(struct avf_vm *vm)
{
	if (vm->backing)
		return;
	fd_close(vm->process.control);
	fd_close(vm->process.self);
	fd_close(vm->process.pidfd);
	capture_fini(&vm->capture);
	fd_close(vm->stop_timer_fd);
	fd_close(vm->epoll_fd);
	config_free(vm->config);
	free(vm);
}

void vm_free(struct avf_vm *vm)
{
	if (vm && !owner_is_self(vm->owner)) {
		abandon(vm);
		return;
	}
	if (!vm || (vm->backing && !vm->backing->ops->release(vm)))
		return;
	vm_clear_run(vm);
	capture_fini(&vm->capture);
	fd_close(vm->stop_timer_fd);
	fd_close(vm->epoll_fd);
	config_free(vm->config);
	(void)pthread_mutex_destroy(&vm->lock);
	free(vm);
}

/* 0 switches it off. */
static void set_stop_timer(struct avf_vm *vm, time_t seconds)
{
	struct itimerspec when = {.it_value.tv_sec = seconds};

	/* fails only for a bad descriptor, which it is not */
	(void)timerfd_settime(vm->stop_timer_fd, 0, &when, NULL);
}

void vm_limit_end(struct avf_vm *vm)
{
	set_stop_timer(vm, STOP_LIMIT_S);
}

/* Back to the state before a run; kills the VMM if it still lives. */
void vm_clear_run(struct avf_vm *vm)
{
	(void)pthread_mutex_lock(&vm->lock);
	vmm_process_fini(&vm->process);
	vm->killed = false;
	(void)pthread_mutex_unlock(&vm->lock);
	set_stop_timer(vm, 0);
	vm->running = false;
	vm->control_open = false;
	vm->ended = false;
	vm->has_last = false;
}

/*
 * From the first line on the process is in the handle, so vm_clear_run() cleans
 * up after every failure.
 */
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
	rc = vmm_process_allow_locking(&process,
				       vm_config_locked_bytes(orders));
	if (rc < 0)
		return rc;
	rc = run_config_send(orders, process.control);
	return rc < 0 ? rc : vmm_process_tell_owner(&vm->process);
}

enum avf_status vm_get_status(const struct avf_vm *vm)
{
	if (vm->running)
		return AVF_STATUS_RUNNING;
	return vm->backing && vm->backing->ops->is_deleted(vm)
		       ? AVF_STATUS_DELETED
		       : AVF_STATUS_STOPPED;
}

int vm_check_stopped(const struct avf_vm *vm)
{
	switch (vm_get_status(vm)) {
	case AVF_STATUS_RUNNING:
		return fail(AVF_ERR_STATE, "VM is not in stopped state");
	case AVF_STATUS_DELETED:
		return fail(AVF_ERR_STATE, "VM has been deleted");
	default:
		return 0;
	}
}

/*
 * Only a configuration that AVF calls compatible: the guest's data must keep
 * its meaning. Stored first, taken over then.
 */
int vm_set_config(struct avf_vm *vm, const avf_config *config)
{
	avf_config *copy;
	int rc = vm_check_stopped(vm);

	if (rc < 0)
		return rc;
	if (!config_is_compatible(vm->config, config))
		return fail(AVF_ERR_INVALID, "incompatible config");
	rc = config_copy(config, &copy);
	if (rc < 0)
		return rc;
	if (vm->backing) {
		rc = config_defer(copy);
		if (rc == 0)
			rc = vm->backing->ops->store(vm, copy);
	}
	if (rc < 0) {
		config_free(copy);
		return rc;
	}
	config_free(vm->config);
	vm->config = copy;
	return 0;
}

/* A named VM runs under its own name, of which a VMM takes only so much. */
static int name_orders(const struct avf_vm *vm, struct vm_config *orders)
{
	const char *name = vm->backing->ops->name(vm);

	free(orders->name);
	orders->name = strndup(name, config_fit_text(name, AVF_MAX_NAME));
	return orders->name ? 0 : fail(AVF_ERR_NO_MEMORY, "name of the VM");
}

/* The orders of a run: the configuration with its files open, the pipes of
 * captured output, what the start of a run looks up. */
static int make_orders(struct avf_vm *vm, struct vm_config *ret_orders)
{
	CLEANUP(config_free_p) avf_config *open = NULL;
	int rc;

	if (vm->config->storage_bytes != 0)
		return fail(AVF_ERR_UNSUPPORTED,
			    "encrypted storage is not supported yet: its key "
			    "needs the VM's identity");
	rc = config_resolve(vm->config, &open);
	if (rc < 0)
		return rc;
	rc = capture_attach(&vm->capture, open);
	if (rc < 0)
		return rc;
	rc = run_config_make(config_vm(open), ret_orders);
	if (rc < 0)
		return rc;
	return vm->backing ? name_orders(vm, ret_orders) : 0;
}

int vm_run(struct avf_vm *vm)
{
	CLEANUP(vm_config_fini) struct vm_config orders;
	int rc;

	vm_config_init(&orders);
	rc = vm_check_stopped(vm);
	if (rc < 0)
		return rc;
	rc = make_orders(vm, &orders);
	if (rc < 0)
		return rc;
	rc = start(vm, &orders);
	if (rc < 0) {
		vm_clear_run(vm);
		return rc;
	}
	capture_started(&vm->capture);
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
	vm_limit_end(vm);
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
