/* The public edge: clear the record, refuse NULL, pass on. */
#include "base/cleanup.h"
#include "base/owner.h"
#include "manager/manager.h"

static int enter(const void *first, const void *second)
{
	error_clear();
	if (!first || !second)
		return fail(AVF_ERR_INVALID, "NULL argument");
	return 0;
}

/* After a fork() the lock may be held by a thread that the child has not. */
static int enter_manager(const avf_manager *manager, const void *result)
{
	int rc = enter(manager, result);

	return rc < 0 ? rc : owner_check(manager->owner, "manager");
}

int avf_manager_new(const char *data_dir, avf_manager **ret_manager)
{
	int rc = enter(ret_manager, ret_manager);

	return rc < 0 ? rc : manager_new(data_dir, ret_manager);
}

void avf_manager_free(avf_manager *manager)
{
	if (manager && owner_is_self(manager->owner))
		manager_unref(manager);
}

int avf_manager_create(avf_manager *manager, const char *name,
		       const avf_config *config, avf_vm **ret_vm)
{
	int rc = enter_manager(manager, ret_vm);

	if (rc == 0)
		rc = enter(name, config);
	return rc < 0 ? rc : manager_create(manager, name, config, ret_vm);
}

int avf_manager_get(avf_manager *manager, const char *name, avf_vm **ret_vm)
{
	int rc = enter_manager(manager, ret_vm);

	if (rc == 0)
		rc = enter(name, name);
	return rc < 0 ? rc : manager_get(manager, name, ret_vm);
}

int avf_manager_get_or_create(avf_manager *manager, const char *name,
			      const avf_config *config, avf_vm **ret_vm)
{
	int rc = enter_manager(manager, ret_vm);

	if (rc == 0)
		rc = enter(name, config);
	return rc < 0 ? rc
		      : manager_get_or_create(manager, name, config, ret_vm);
}

int avf_manager_delete(avf_manager *manager, const char *name)
{
	int rc = enter_manager(manager, name);

	return rc < 0 ? rc : manager_delete(manager, name);
}

int avf_manager_import(avf_manager *manager, const char *name,
		       avf_descriptor *descriptor, avf_vm **ret_vm)
{
	CLEANUP(descriptor_free_p) avf_descriptor *taken = descriptor;
	int rc = enter_manager(manager, ret_vm);

	if (rc == 0)
		rc = enter(name, taken);
	return rc < 0 ? rc : manager_import(manager, name, taken, ret_vm);
}

int avf_manager_list(avf_manager *manager, avf_names **ret_names)
{
	int rc = enter_manager(manager, ret_names);

	return rc < 0 ? rc : names_read(manager->vm_fd, ret_names);
}

const char *avf_vm_get_name(const avf_vm *vm)
{
	if (!vm)
		return NULL;
	return vm->backing ? to_named_vm(vm)->name : vm->config->vm.name;
}

const char *avf_vm_get_dir(const avf_vm *vm)
{
	return vm && vm->backing ? to_named_vm(vm)->path : NULL;
}

int avf_vm_to_descriptor(avf_vm *vm, avf_descriptor **ret_descriptor)
{
	int rc = enter(vm, ret_descriptor);

	if (rc == 0)
		rc = vm_check_owner(vm);
	if (rc == 0)
		rc = vm_check_stopped(vm);
	if (rc < 0)
		return rc;
	if (!vm->backing)
		return fail(AVF_ERR_STATE,
			    "only a VM of a manager has a descriptor");
	return descriptor_of(to_named_vm(vm), ret_descriptor);
}

int avf_descriptor_new(int config, int instance_id, int instance_image,
		       int storage, avf_descriptor **ret_descriptor)
{
	CLEANUP(descriptor_free_p) avf_descriptor *descriptor = NULL;
	const int fds[] = {config, instance_id, instance_image, storage};
	int rc = enter(ret_descriptor, ret_descriptor);

	if (rc == 0)
		rc = descriptor_alloc(&descriptor);
	if (rc < 0)
		return rc;
	for (int i = 0; i <= AVF_DESCRIPTOR_STORAGE; i++) {
		if (i == AVF_DESCRIPTOR_STORAGE && fds[i] < 0)
			break;
		descriptor->fds[i] = fd_dup(fds[i]);
		if (descriptor->fds[i] < 0)
			return fds[i] < 0 || error_record()->sys_errno == EBADF
				       ? fail_as(AVF_ERR_INVALID)
				       : descriptor->fds[i];
	}
	*ret_descriptor = TAKE_PTR(descriptor);
	return 0;
}

int avf_descriptor_get_fd(const avf_descriptor *descriptor,
			  enum avf_descriptor_file file)
{
	if (!descriptor || (int)file < AVF_DESCRIPTOR_CONFIG ||
	    (int)file > AVF_DESCRIPTOR_STORAGE)
		return -1;
	return descriptor->fds[file];
}

int avf_descriptor_send(const avf_descriptor *descriptor, int sock)
{
	int rc = enter(descriptor, descriptor);

	return rc < 0 ? rc : descriptor_send(descriptor, sock);
}

int avf_descriptor_receive(int sock, avf_descriptor **ret_descriptor)
{
	int rc = enter(ret_descriptor, ret_descriptor);

	return rc < 0 ? rc : descriptor_receive(sock, ret_descriptor);
}

void avf_descriptor_free(avf_descriptor *descriptor)
{
	descriptor_free(descriptor);
}
