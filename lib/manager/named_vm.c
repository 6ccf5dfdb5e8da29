/* What makes a VM's handle that of a named VM. */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "manager/manager.h"

/* The lock is given back, not only closed: see file_unlock(). */
static void named_vm_free(struct named_vm *named)
{
	file_unlock(named->lock_fd);
	fd_close(named->dir_fd);
	free(named->path);
	free(named->name);
	free(named);
}

/* With the manager's lock held. */
static void unlink_live(struct avf_manager *manager,
			const struct named_vm *named)
{
	struct named_vm **at = &manager->live;

	while (*at && *at != named)
		at = &(*at)->next;
	if (*at)
		*at = named->next;
}

/* The directory is held open, so its inode is nobody else's: once it is not
 * under its name, this VM is gone for good. */
bool named_vm_is_gone(const struct named_vm *named)
{
	struct stat st;

	if (fstatat(named->manager->vm_fd, named->name, &st,
		    AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == ENOTDIR;
	if (st.st_dev != named->dev || st.st_ino != named->ino)
		return true;
	return faccessat(named->dir_fd, VM_FILE_CONFIG, F_OK, 0) < 0 &&
	       errno == ENOENT;
}

static bool is_deleted(const struct avf_vm *vm)
{
	return named_vm_is_gone(to_named_vm(vm));
}

static const char *name(const struct avf_vm *vm)
{
	return to_named_vm(vm)->name;
}

static int store(struct avf_vm *vm, const avf_config *config)
{
	return vm_files_store(to_named_vm(vm)->dir_fd, config);
}

/* The VM is stopped before its lock is let go, and under the manager's lock,
 * so that whoever asks for it next finds it free. */
static bool release(struct avf_vm *vm)
{
	struct named_vm *named = to_named_vm(vm);
	struct avf_manager *manager = named->manager;

	(void)pthread_mutex_lock(&manager->lock);
	if (--named->refs > 0) {
		(void)pthread_mutex_unlock(&manager->lock);
		return false;
	}
	vm_clear_run(vm);
	unlink_live(manager, named);
	vm->backing = NULL;
	named_vm_free(named);
	(void)pthread_mutex_unlock(&manager->lock);
	manager_unref(manager);
	return true;
}

static const struct vm_backing_ops named_vm_ops = {
	.is_deleted = is_deleted,
	.store = store,
	.name = name,
	.release = release,
};

struct named_vm *to_named_vm(const struct avf_vm *vm)
{
	if (!vm->backing || vm->backing->ops != &named_vm_ops)
		return NULL;
	return container_of(vm->backing, struct named_vm, base);
}

/* Device and inode identify the VM, also after its name is another's. */
static int init(struct named_vm *named, const char *name,
		const avf_config *config)
{
	struct stat st;

	named->name = strdup(name);
	if (!named->name)
		return fail(AVF_ERR_NO_MEMORY, "named VM");
	if (asprintf(&named->path, "%s/%s", named->manager->vm_path, name) <
	    0) {
		named->path = NULL;
		return fail(AVF_ERR_NO_MEMORY, "named VM");
	}
	if (fstat(named->dir_fd, &st) < 0)
		return fail_errno("directory of the VM");
	named->dev = st.st_dev;
	named->ino = st.st_ino;
	return vm_new(config, &named->vm);
}

int named_vm_new(struct avf_manager *manager, const char *name, int fds[2],
		 const avf_config *config, struct named_vm **ret_named)
{
	CLEANUP(close_p) int dir_fd = take_fd(&fds[0]);
	CLEANUP(close_p) int lock_fd = take_fd(&fds[1]);
	struct named_vm *named = calloc(1, sizeof(*named));
	int rc;

	if (!named)
		return fail(AVF_ERR_NO_MEMORY, "named VM");
	named->base.ops = &named_vm_ops;
	named->manager = manager;
	named->refs = 1;
	named->dir_fd = take_fd(&dir_fd);
	named->lock_fd = take_fd(&lock_fd);
	rc = init(named, name, config);
	if (rc < 0) {
		named_vm_free(named);
		return rc;
	}
	*ret_named = named;
	return 0;
}

void named_vm_adopt(struct named_vm *named)
{
	named->vm->backing = &named->base;
	named->next = named->manager->live;
	named->manager->live = named;
	named->manager->refs++;
}

void named_vm_discard_p(struct named_vm **named)
{
	if (!*named)
		return;
	vm_free((*named)->vm);
	named_vm_free(*named);
	*named = NULL;
}
