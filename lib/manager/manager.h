/*
 * Named VMs on disk.
 *
 *	DATA/vm/NAME/       one VM: lock config instance_id instance.img
 *	                    and storage.img if it has encrypted storage
 *	DATA/vm-work/       VMs that are being made or removed, and "lock"
 *
 * A VM appears under its name, and goes from it, by one rename(2), so a
 * crash leaves it whole or not there. What a crash leaves in vm-work blocks
 * no name and is removed by the next who has that directory for itself.
 *
 * Locks are OFD locks: they end with the process, and two managers of one
 * process exclude each other like two processes.
 */
#pragma once

#include <pthread.h>
#include <sys/stat.h>

#include <avf/manager.h>

#include "client/vm.h"

/** Names of the files of a VM. */
#define VM_FILE_LOCK     "lock"
#define VM_FILE_CONFIG   "config"
#define VM_FILE_ID       "instance_id"
#define VM_FILE_INSTANCE "instance.img"
#define VM_FILE_STORAGE  "storage.img"

#define VM_DIR_MODE  0700
#define VM_FILE_MODE 0600

/* Room for a name in vm-work: a prefix and random digits. */
#define WORK_NAME_SIZE 24

/* Guarded by @lock, but for what never changes after _new: the fds. */
struct avf_manager {
	pid_t owner;          /* the process that made it */
	pthread_mutex_t lock; /* taken before any avf_vm's */
	unsigned int refs;    /* the owner, and one per named VM */
	int vm_fd;            /* owned: DATA/vm */
	int work_fd;          /* owned: DATA/vm-work */
	char *vm_path;        /* owned, absolute */
	struct named_vm *live;
};

/* The backing of a named VM's handle. Immutable but for @next and @refs,
 * which the manager's lock guards. */
struct named_vm {
	struct vm_backing base;
	struct avf_manager *manager; /* holds a reference */
	struct named_vm *next;
	struct avf_vm *vm; /* who has this backing */
	unsigned int refs; /* handles given out */
	char *name;        /* owned */
	char *path;        /* owned */
	int dir_fd;        /* owned: the VM's directory, for ever the same */
	int lock_fd;       /* owned: holds the lock */
	dev_t dev;         /* of the directory */
	ino_t ino;
};

struct avf_descriptor {
	int fds[AVF_DESCRIPTOR_STORAGE + 1]; /* owned */
};

/* manager.c */
void manager_unref(struct avf_manager *manager);
int manager_create(struct avf_manager *manager, const char *name,
		   const avf_config *config, struct avf_vm **ret_vm) MUST_CHECK;
int manager_get(struct avf_manager *manager, const char *name,
		struct avf_vm **ret_vm) MUST_CHECK;
int manager_get_or_create(struct avf_manager *manager, const char *name,
			  const avf_config *config,
			  struct avf_vm **ret_vm) MUST_CHECK;
int manager_delete(struct avf_manager *manager, const char *name) MUST_CHECK;
int manager_import(struct avf_manager *manager, const char *name,
		   const struct avf_descriptor *descriptor,
		   struct avf_vm **ret_vm) MUST_CHECK;

/* data_dir.c */
int manager_new(const char *data_dir,
		struct avf_manager **ret_manager) MUST_CHECK;

/* named_vm.c */
/**
 * A VM of @config and its backing, in the directory fds[0], locked by
 * fds[1]. Takes both, also on failure. Nobody knows of it yet.
 */
int named_vm_new(struct avf_manager *manager, const char *name, int fds[2],
		 const avf_config *config,
		 struct named_vm **ret_named) MUST_CHECK;
/** One that is not adopted, for CLEANUP. */
void named_vm_discard_p(struct named_vm **named);
/** Make it a handle of its manager, whose lock is held. Cannot fail. */
void named_vm_adopt(struct named_vm *named);
/** The backing of @vm, or NULL. */
struct named_vm *to_named_vm(const struct avf_vm *vm);
/** Whether the directory under its name is not this one any more. */
bool named_vm_is_gone(const struct named_vm *named);

/* vm_files.c */
/** Write the files of a new VM into the empty directory @dir_fd. */
int vm_files_make(int dir_fd, const avf_config *config) MUST_CHECK;
/** Write copies of the files of @descriptor. */
int vm_files_import(int dir_fd,
		    const struct avf_descriptor *descriptor) MUST_CHECK;
/** Check that the files are there and read the configuration. */
int vm_files_load(int dir_fd, avf_config **ret_config) MUST_CHECK;
/** Replace the configuration at once. */
int vm_files_store(int dir_fd, const avf_config *config) MUST_CHECK;

/* file.c */
/** Open a regular file of the directory, without waiting or following. */
int file_open(int dir_fd, const char *name, int flags, int *ret_fd) MUST_CHECK;
/** A new file of @size bytes that begins with @data; on disk on return. */
int file_write(int dir_fd, const char *name, const void *data, size_t data_size,
	       uint64_t size) MUST_CHECK;
/** Copy @size bytes of @from to a new file, keeping holes. */
int file_copy(int from, int dir_fd, const char *name, uint64_t size) MUST_CHECK;
/** fsync @fd. */
int file_sync(int fd, const char *what) MUST_CHECK;
/**
 * Lock the file @name of the directory, making it if need be, as long as
 * *@ret_fd is open. Does not wait. Errors: AVF_ERR_BUSY.
 */
int file_lock(int dir_fd, const char *name, bool exclusive,
	      int *ret_fd) MUST_CHECK;
/** Give up the lock of file_lock() and close: also when a child of ours,
 * forked meanwhile, has a copy of @fd. */
void file_unlock(int fd);
/** Remove @name and all below it, as far as it can. */
void file_remove_tree(int dir_fd, const char *name);

/* work.c */
/**
 * Begin to use vm-work; *@ret_lock is closed when done. Errors: AVF_ERR_BUSY
 * (somebody tidies for seconds), AVF_ERR_PERMISSION, AVF_ERR_IO.
 */
int work_begin(const struct avf_manager *manager, int *ret_lock) MUST_CHECK;
/** A name that nobody uses there. */
int work_name(const char *prefix, char name[WORK_NAME_SIZE]) MUST_CHECK;
/** Remove what crashes have left, unless somebody is at work there. */
void work_clean(const struct avf_manager *manager);

/* descriptor.c */
int descriptor_of(const struct named_vm *named,
		  struct avf_descriptor **ret_descriptor) MUST_CHECK;
void descriptor_free(struct avf_descriptor *descriptor);
/** For CLEANUP. */
void descriptor_free_p(struct avf_descriptor **descriptor);
int descriptor_alloc(struct avf_descriptor **ret_descriptor) MUST_CHECK;

/* descriptor_socket.c */
int descriptor_send(const struct avf_descriptor *descriptor,
		    int sock) MUST_CHECK;
int descriptor_receive(int sock,
		       struct avf_descriptor **ret_descriptor) MUST_CHECK;

/* names.c */
int names_read(int dir_fd, struct avf_names **ret_names) MUST_CHECK;
