/*
 * Configurations that outlive their fds: those of named VMs. They know their
 * files by absolute path, and each run opens them anew, so that a package
 * that was updated in its place is seen.
 */
#include "config/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arch.h"
#include "base/cleanup.h"

/* The directory's name at this moment, for a path that has to last. */
static int base_directory(int dir_fd, const char *field, char **ret_path)
{
	char link[64];

	if (dir_fd != AT_FDCWD && dir_fd < 0)
		return fail(AVF_ERR_INVALID, "%s: must be an absolute path",
			    field);
	if (dir_fd == AT_FDCWD)
		(void)snprintf(link, sizeof(link), ".");
	else
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dir_fd);
	*ret_path = realpath(link, NULL);
	if (!*ret_path)
		return fail_errno("%s: its directory", field);
	return 0;
}

/* Not normalised: ".." and links keep their meaning when it is opened. */
int config_absolute(int dir_fd, const char *path, const char *field,
		    char **ret_path)
{
	CLEANUP(free_p) char *base = NULL;
	CLEANUP(free_p) char *absolute = NULL;
	int rc;

	if (!path || path[0] == '\0')
		return fail(AVF_ERR_INVALID, "%s: empty path", field);
	if (path[0] != '/') {
		rc = base_directory(dir_fd, field, &base);
		if (rc < 0)
			return rc;
	}
	if (asprintf(&absolute, "%s%s%s", base ? base : "", base ? "/" : "",
		     path) < 0) {
		absolute = NULL; /* its value is undefined after a failure */
		return fail(AVF_ERR_NO_MEMORY, "%s", field);
	}
	if (strlen(absolute) > VM_CONFIG_MAX_PATH)
		return fail(AVF_ERR_INVALID, "%s: longer than %u bytes", field,
			    VM_CONFIG_MAX_PATH);
	*ret_path = TAKE_PTR(absolute);
	return 0;
}

/*
 * @fd without a path was given by the application as a descriptor, and nothing
 * could open it again.
 */
static int check_path(int fd, const char *path, const char *field)
{
	if (fd < 0 || path)
		return 0;
	return fail(AVF_ERR_INVALID,
		    "%s: was given as a file descriptor; a named VM keeps "
		    "paths: give its path",
		    field);
}

static int check_paths(const avf_config *config)
{
	const struct vm_config *vm = &config->vm;
	char field[32];
	int rc;

	rc = check_path(vm->kernel_fd, config->paths[CONFIG_KERNEL], "kernel");
	if (rc < 0)
		return rc;
	rc = check_path(vm->initrd_fd, config->paths[CONFIG_INITRD], "initrd");
	if (rc < 0)
		return rc;
	rc = check_path(vm->overlay_fd, config->paths[CONFIG_OVERLAY],
			"device_tree_overlay");
	if (rc < 0)
		return rc;
	rc = check_path(vm->package_fd, config->paths[CONFIG_PACKAGE],
			"package");
	for (unsigned int i = 0; rc == 0 && i < vm->n_disks; i++) {
		(void)snprintf(field, sizeof(field), "disks[%u]", i);
		rc = check_path(vm->disks[i].fd, config->disk_paths[i], field);
	}
	return rc;
}

int config_defer(avf_config *config)
{
	struct vm_config *vm = &config->vm;
	int rc = check_paths(config);

	if (rc < 0)
		return rc;
	close_p(&vm->kernel_fd);
	close_p(&vm->initrd_fd);
	close_p(&vm->overlay_fd);
	close_p(&vm->package_fd);
	for (unsigned int i = 0; i < vm->n_disks; i++)
		close_p(&vm->disks[i].fd);
	config->deferred = true;
	return 0;
}

/* Into the copy: the original keeps its paths and no descriptors. */
static int open_disks(avf_config *config)
{
	struct vm_disk *disk;
	char field[32];
	int rc;

	for (unsigned int i = 0; i < config->vm.n_disks; i++) {
		disk = &config->vm.disks[i];
		if (disk->fd >= 0)
			continue; /* added as an fd since */
		(void)snprintf(field, sizeof(field), "disks[%u].image", i);
		rc = config_open(AT_FDCWD, config->disk_paths[i],
				 disk->writable, field, &disk->fd);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The paths are those of the copy, which setting them replaces. */
static int open_file(avf_config *config, enum config_file file)
{
	CLEANUP(free_p) char *path = TAKE_PTR(config->paths[file]);
	int rc = path ? config_set_file_at(config, file, AT_FDCWD, path) : 0;

	/* AVF's words for it */
	return rc < 0 && file == CONFIG_PACKAGE
		       ? error_prefix("Failed to open APK")
		       : rc;
}

/* setters open files only while the configuration is not deferred */
int config_resolve(const avf_config *config, avf_config **ret_config)
{
	CLEANUP(config_free_p) avf_config *copy = NULL;
	int rc = config_copy(config, &copy);

	if (rc < 0)
		return rc;
	if (copy->deferred) {
		copy->deferred = false;
		for (int i = 0; rc == 0 && i < CONFIG_N_FILES; i++)
			rc = open_file(copy, (enum config_file)i);
		if (rc == 0)
			rc = open_disks(copy);
		if (rc < 0)
			return rc;
	}
	*ret_config = TAKE_PTR(copy);
	return 0;
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* What AVF's isCompatibleWith() leaves free stays free: memory, CPUs, the
 * package's path (apkPath), huge pages, a custom image's files. Our guest
 * image is its os, and the architecture a part of that. */
bool config_is_compatible(const avf_config *a, const avf_config *b)
{
	return a->vm.kind == b->vm.kind &&
	       a->vm.debug_level == b->vm.debug_level &&
	       arch_find(a->vm.architecture) == arch_find(b->vm.architecture) &&
	       a->vm.is_protected == b->vm.is_protected &&
	       a->storage_bytes == b->storage_bytes &&
	       a->output_captured == b->output_captured &&
	       a->console_input == b->console_input &&
	       is_same_text(a->vm.payload_name, b->vm.payload_name) &&
	       is_same_text(a->vm.payload_config_path,
			    b->vm.payload_config_path) &&
	       is_same_text(a->vm.guest_image, b->vm.guest_image);
}
