/* create, get, delete, import: each under the manager's lock, as AVF's under
 * sCreateLock; against other processes, renames and file locks decide. */
#include "manager/manager.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "config/config_text.h"

#define SHOWN_NAME 64

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* What a new VM is made of: the one or the other. */
struct source {
	const avf_config *config; /* deferred */
	const struct avf_descriptor *descriptor;
};

static void unlock_p(pthread_mutex_t **lock)
{
	(void)pthread_mutex_unlock(*lock);
}

/* Hold the manager's lock to the end of the block. */
#define LOCKED(manager)                                                \
	CLEANUP(unlock_p) pthread_mutex_t *locked_ = &(manager)->lock; \
	(void)pthread_mutex_lock(locked_)

void manager_unref(struct avf_manager *manager)
{
	bool last;

	(void)pthread_mutex_lock(&manager->lock);
	last = --manager->refs == 0;
	(void)pthread_mutex_unlock(&manager->lock);
	if (!last)
		return;
	fd_close(manager->work_fd);
	fd_close(manager->vm_fd);
	free(manager->vm_path);
	(void)pthread_mutex_destroy(&manager->lock);
	free(manager);
}

/* AVF's text, with the name made printable. */
static int check_name(const char *name)
{
	char shown[SHOWN_NAME];

	if (config_check_name(name, "name", AVF_MAX_VM_NAME) == 0)
		return 0;
	config_show_text(name ? name : "", shown, sizeof(shown));
	return fail(AVF_ERR_INVALID,
		    "Invalid VM name: %s (1 to %u bytes of UTF-8, no '/', no "
		    "control character)",
		    shown, AVF_MAX_VM_NAME);
}

static int fail_exists(const char *name)
{
	return fail(AVF_ERR_EXISTS, "virtual machine already exists: %.128s",
		    name);
}

/* The handle of a VM that was deleted keeps its name until it is freed. */
static struct named_vm *find_live(const struct avf_manager *manager,
				  const char *name)
{
	for (struct named_vm *n = manager->live; n; n = n->next)
		if (strcmp(n->name, name) == 0 && !named_vm_is_gone(n))
			return n;
	return NULL;
}

/* File systems that do not know RENAME_NOREPLACE still never replace a
 * directory that is not empty, and ours is not. */
static int publish(const struct avf_manager *manager, const char *work,
		   const char *name)
{
	int rc = renameat2(manager->work_fd, work, manager->vm_fd, name,
			   RENAME_NOREPLACE);

	if (rc < 0 && (errno == EINVAL || errno == ENOSYS))
		rc = renameat(manager->work_fd, work, manager->vm_fd, name);
	if (rc < 0 &&
	    (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR))
		return fail_exists(name);
	if (rc < 0)
		return fail_errno("make %s appear", name);
	return 0;
}

/* The files, and the configuration that they hold. */
static int fill(int dir_fd, const struct source *source,
		avf_config **ret_config)
{
	int rc = source->config ? vm_files_make(dir_fd, source->config)
				: vm_files_import(dir_fd, source->descriptor);

	return rc < 0 ? rc : vm_files_load(dir_fd, ret_config);
}

/* Fill @work, make a handle for it, and give it its name. The handle is made
 * first: after the rename nothing may fail. */
static int build(struct avf_manager *manager, const char *work,
		 const char *name, const struct source *source,
		 struct named_vm **ret_named)
{
	CLEANUP(config_free_p) avf_config *config = NULL;
	CLEANUP(named_vm_discard_p) struct named_vm *named = NULL;
	CLEANUP(close_p) int dir_fd = -1;
	int fds[2];
	int rc;

	dir_fd = openat(manager->work_fd, work, DIR_FLAGS);
	if (dir_fd < 0)
		return fail_errno("directory of the VM");
	rc = fill(dir_fd, source, &config);
	if (rc < 0)
		return rc;
	rc = file_lock(dir_fd, VM_FILE_LOCK, true, &fds[1]);
	if (rc < 0)
		return rc;
	fds[0] = take_fd(&dir_fd);
	rc = named_vm_new(manager, name, fds,
			  source->config ? source->config : config, &named);
	if (rc < 0)
		return rc;
	rc = publish(manager, work, name);
	if (rc < 0)
		return rc;
	/* it exists; that it may not survive a power cut is no failure */
	(void)!file_sync(manager->vm_fd, "the VM directory");
	*ret_named = TAKE_PTR(named);
	return 0;
}

/*
 * Work happens under a name of its own in vm-work; the rename is what makes a
 * VM appear, whole, or not at all.
 */
static int make(struct avf_manager *manager, const char *name,
		const struct source *source, struct avf_vm **ret_vm)
{
	CLEANUP(close_p) int work_lock = -1;
	char work[WORK_NAME_SIZE];
	struct named_vm *named;
	int rc;

	if (faccessat(manager->vm_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return fail_exists(name);
	rc = work_begin(manager, &work_lock);
	if (rc < 0)
		return rc;
	rc = work_name("new", work);
	if (rc < 0)
		return rc;
	if (mkdirat(manager->work_fd, work, VM_DIR_MODE) < 0)
		return fail_errno("failed to create directory for VM");
	rc = build(manager, work, name, source, &named);
	if (rc < 0) {
		file_remove_tree(manager->work_fd, work);
		return rc;
	}
	named_vm_adopt(named);
	*ret_vm = named->vm;
	return 0;
}

/* With the lock held. */
static int create(struct avf_manager *manager, const char *name,
		  const avf_config *config, struct avf_vm **ret_vm)
{
	CLEANUP(config_free_p) avf_config *kept = NULL;
	struct source source = {NULL, NULL};
	int rc;

	rc = config_copy(config, &kept);
	if (rc < 0)
		return rc;
	rc = config_defer(kept);
	if (rc < 0)
		return rc;
	work_clean(manager);
	source.config = kept;
	return make(manager, name, &source, ret_vm);
}

int manager_create(struct avf_manager *manager, const char *name,
		   const avf_config *config, struct avf_vm **ret_vm)
{
	int rc = check_name(name);

	if (rc < 0)
		return rc;
	rc = config_check(config);
	if (rc < 0)
		return rc;
	LOCKED(manager);
	return create(manager, name, config, ret_vm);
}

/* O_NOFOLLOW: a link under a VM's name could lead to any directory. */
static int open_vm_dir(const struct avf_manager *manager, const char *name,
		       int *ret_fd)
{
	int fd = openat(manager->vm_fd, name, DIR_FLAGS);

	if (fd < 0 && errno == ENOENT)
		return fail(AVF_ERR_NOT_FOUND,
			    "no virtual machine has this name: %.128s", name);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return fail(AVF_ERR_FORMAT,
			    "%.128s: broken: it is not a directory; delete it",
			    name);
	if (fd < 0)
		return fail_errno("%.128s", name);
	*ret_fd = fd;
	return 0;
}

/* The directory may have gone between its opening and its locking. */
static int check_still_there(const struct avf_manager *manager,
			     const char *name, int dir_fd)
{
	struct stat here, there;

	if (fstat(dir_fd, &here) == 0 &&
	    fstatat(manager->vm_fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    here.st_dev == there.st_dev && here.st_ino == there.st_ino)
		return 0;
	return fail(AVF_ERR_NOT_FOUND,
		    "no virtual machine has this name: %.128s", name);
}

/* The lock is held as long as the handle lives: one process per VM. */
static int lock_vm(const struct avf_manager *manager, const char *name,
		   int dir_fd, int *ret_lock)
{
	int rc = file_lock(dir_fd, VM_FILE_LOCK, true, ret_lock);

	if (rc == AVF_ERR_BUSY)
		return fail(AVF_ERR_BUSY, "%.128s: in use by another process",
			    name);
	if (rc < 0)
		return error_prefix("%.128s", name);
	rc = check_still_there(manager, name, dir_fd);
	if (rc < 0)
		close_p(ret_lock);
	return rc;
}

/* From disk; get() has seen that no handle of ours is there. */
static int load(struct avf_manager *manager, const char *name,
		struct avf_vm **ret_vm)
{
	CLEANUP(config_free_p) avf_config *config = NULL;
	CLEANUP(close_p) int dir_fd = -1;
	CLEANUP(close_p) int lock_fd = -1;
	struct named_vm *named;
	int fds[2];
	int rc = open_vm_dir(manager, name, &dir_fd);

	if (rc < 0)
		return rc;
	rc = lock_vm(manager, name, dir_fd, &lock_fd);
	if (rc < 0)
		return rc;
	rc = vm_files_load(dir_fd, &config);
	if (rc < 0)
		return rc;
	fds[0] = take_fd(&dir_fd);
	fds[1] = take_fd(&lock_fd);
	rc = named_vm_new(manager, name, fds, config, &named);
	if (rc < 0)
		return rc;
	named_vm_adopt(named);
	*ret_vm = named->vm;
	return 0;
}

/* With the lock held. */
static int get(struct avf_manager *manager, const char *name,
	       struct avf_vm **ret_vm)
{
	struct named_vm *named = find_live(manager, name);

	if (!named) {
		work_clean(manager);
		return load(manager, name, ret_vm);
	}
	named->refs++;
	*ret_vm = named->vm;
	return 0;
}

int manager_get(struct avf_manager *manager, const char *name,
		struct avf_vm **ret_vm)
{
	int rc = check_name(name);

	if (rc < 0)
		return rc;
	LOCKED(manager);
	return get(manager, name, ret_vm);
}

int manager_get_or_create(struct avf_manager *manager, const char *name,
			  const avf_config *config, struct avf_vm **ret_vm)
{
	int rc = check_name(name);

	if (rc < 0)
		return rc;
	LOCKED(manager);
	rc = get(manager, name, ret_vm);
	if (rc != AVF_ERR_NOT_FOUND)
		return rc;
	rc = config_check(config);
	if (rc < 0)
		return rc;
	rc = create(manager, name, config, ret_vm);
	/* another process was faster */
	return rc == AVF_ERR_EXISTS ? get(manager, name, ret_vm) : rc;
}

/* Whoever has the lock may delete. Where there is nothing to lock, nobody
 * has it: a broken VM. */
static int lock_for_delete(const struct avf_manager *manager, const char *name,
			   int *ret_lock)
{
	CLEANUP(close_p) int dir_fd = -1;
	int rc = open_vm_dir(manager, name, &dir_fd);

	if (rc == AVF_ERR_FORMAT)
		return 0;
	if (rc < 0)
		return rc;
	rc = lock_vm(manager, name, dir_fd, ret_lock);
	return rc == AVF_ERR_FORMAT ? 0 : rc;
}

/* A live handle of ours has the lock: then its state decides. */
static int check_may_delete(const struct avf_manager *manager, const char *name,
			    int *ret_lock)
{
	const struct named_vm *named = find_live(manager, name);

	return named ? vm_check_stopped(named->vm)
		     : lock_for_delete(manager, name, ret_lock);
}

int manager_delete(struct avf_manager *manager, const char *name)
{
	CLEANUP(close_p) int work_lock = -1;
	CLEANUP(close_p) int lock_fd = -1;
	char work[WORK_NAME_SIZE];
	int rc = check_name(name);

	if (rc < 0)
		return rc;
	LOCKED(manager);
	work_clean(manager);
	rc = check_may_delete(manager, name, &lock_fd);
	if (rc < 0)
		return rc;
	rc = work_begin(manager, &work_lock);
	if (rc < 0)
		return rc;
	rc = work_name("old", work);
	if (rc < 0)
		return rc;
	if (renameat(manager->vm_fd, name, manager->work_fd, work) < 0)
		return fail_errno("delete %.128s", name);
	/* it is deleted now; what stays of it is removed by the next one */
	(void)!file_sync(manager->vm_fd, "the VM directory");
	file_remove_tree(manager->work_fd, work);
	return 0;
}

int manager_import(struct avf_manager *manager, const char *name,
		   const struct avf_descriptor *descriptor,
		   struct avf_vm **ret_vm)
{
	const struct source source = {NULL, descriptor};
	int rc = check_name(name);

	if (rc < 0)
		return rc;
	LOCKED(manager);
	work_clean(manager);
	return make(manager, name, &source, ret_vm);
}
