/* The public edge: clear the record, check the arguments, pass on. */
#include <avf/vm.h>

#include "client/vm.h"
#include "config/config.h"

/* Every public function begins with this. */
static int enter(const void *handle, const void *result)
{
	error_clear();
	if (!handle || !result)
		return fail(AVF_ERR_INVALID, "NULL argument");
	return 0;
}

/* What reaches the VM, and not only the handle's memory. */
static int enter_vm(const avf_vm *vm, const void *result)
{
	int rc = enter(vm, result);

	return rc < 0 ? rc : vm_check_owner(vm);
}

int avf_vm_new(const avf_config *config, avf_vm **ret_vm)
{
	int rc = enter(config, ret_vm);

	if (rc < 0)
		return rc;
	rc = config_check(config);
	if (rc < 0)
		return rc;
	return vm_new(config, ret_vm);
}

void avf_vm_free(avf_vm *vm)
{
	vm_free(vm);
}

int avf_vm_run(avf_vm *vm)
{
	int rc = enter_vm(vm, vm);

	return rc < 0 ? rc : vm_run(vm);
}

int avf_vm_stop(avf_vm *vm)
{
	int rc = enter_vm(vm, vm);

	return rc < 0 ? rc : vm_stop(vm);
}

int avf_vm_kill(avf_vm *vm)
{
	int rc = enter_vm(vm, vm);

	return rc < 0 ? rc : vm_kill(vm);
}

enum avf_status avf_vm_get_status(const avf_vm *vm)
{
	return vm ? vm_get_status(vm) : AVF_STATUS_STOPPED;
}

int avf_vm_get_config(const avf_vm *vm, avf_config **ret_config)
{
	int rc = enter(vm, ret_config);

	return rc < 0 ? rc : config_copy(vm->config, ret_config);
}

int avf_vm_set_config(avf_vm *vm, const avf_config *config)
{
	int rc = enter_vm(vm, config);

	if (rc < 0)
		return rc;
	rc = config_check(config);
	return rc < 0 ? rc : vm_set_config(vm, config);
}

int avf_vm_get_console_output(avf_vm *vm, int *ret_fd)
{
	int rc = enter_vm(vm, ret_fd);

	return rc < 0 ? rc
		      : capture_get(&vm->capture, vm->config, CAPTURE_CONSOLE,
				    ret_fd);
}

int avf_vm_get_log_output(avf_vm *vm, int *ret_fd)
{
	int rc = enter_vm(vm, ret_fd);

	return rc < 0 ? rc
		      : capture_get(&vm->capture, vm->config, CAPTURE_LOG,
				    ret_fd);
}

int avf_vm_get_console_input(avf_vm *vm, int *ret_fd)
{
	int rc = enter_vm(vm, ret_fd);

	return rc < 0 ? rc
		      : capture_get(&vm->capture, vm->config, CAPTURE_INPUT,
				    ret_fd);
}

int avf_vm_get_pid(const avf_vm *vm)
{
	return vm ? (int)vm->process.pid : 0;
}

int avf_vm_get_fd(const avf_vm *vm)
{
	return vm ? vm->epoll_fd : -1;
}

static int check_event(const struct avf_event *event)
{
	/* type, the first field after the size, must have room */
	if (event->size < sizeof(event->size) + sizeof(event->type))
		return fail(AVF_ERR_INVALID,
			    "event.size is %zu: initialise the event with "
			    "AVF_EVENT_INIT",
			    event->size);
	return 0;
}

int avf_vm_next_event(avf_vm *vm, struct avf_event *ret_event)
{
	int rc = enter_vm(vm, ret_event);

	if (rc < 0)
		return rc;
	rc = check_event(ret_event);
	return rc < 0 ? rc : vm_next_event(vm, ret_event);
}

int avf_vm_wait_event(avf_vm *vm, int timeout_ms, struct avf_event *ret_event)
{
	int rc = enter_vm(vm, ret_event);

	if (rc < 0)
		return rc;
	rc = check_event(ret_event);
	return rc < 0 ? rc : vm_wait_event(vm, timeout_ms, ret_event);
}

int avf_vm_connect(avf_vm *vm, uint32_t port, int timeout_ms, int *ret_fd)
{
	int rc = enter_vm(vm, ret_fd);

	return rc < 0 ? rc : vm_connect(vm, port, timeout_ms, ret_fd);
}

int avf_vm_listen(avf_vm *vm, uint32_t port, avf_listener **ret_listener)
{
	int rc = enter_vm(vm, ret_listener);

	return rc < 0 ? rc : vm_listen(vm, port, ret_listener);
}

int avf_listener_get_fd(const avf_listener *listener)
{
	return listener ? listener->fd : -1;
}

int avf_listener_accept(avf_listener *listener, int timeout_ms, int *ret_fd)
{
	int rc = enter(listener, ret_fd);

	return rc < 0 ? rc : listener_accept(listener, timeout_ms, ret_fd);
}

void avf_listener_free(avf_listener *listener)
{
	listener_free(listener);
}
