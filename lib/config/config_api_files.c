/* The public setters that take files: by fd, duplicated, or by path. */
#include "config/config.h"

#include <fcntl.h>

#include "base/cleanup.h"

/* The caller keeps its descriptor and may close it at once. */
static int set_fd(avf_config *config, int fd, enum config_file file)
{
	int copy;
	int rc;

	rc = config_begin(config);
	if (rc < 0)
		return rc;
	copy = fd_dup(fd);
	if (copy < 0)
		return fail_as(AVF_ERR_INVALID);
	return config_take_file(config, file, copy);
}

/* Relative to the working directory of this moment. */
static int set_path(avf_config *config, const char *path, enum config_file file)
{
	int rc = config_begin(config);

	return rc < 0 ? rc : config_set_file_at(config, file, AT_FDCWD, path);
}

int avf_config_set_kernel_fd(avf_config *config, int fd)
{
	return set_fd(config, fd, CONFIG_KERNEL);
}

int avf_config_set_kernel(avf_config *config, const char *path)
{
	return set_path(config, path, CONFIG_KERNEL);
}

int avf_config_set_initrd_fd(avf_config *config, int fd)
{
	return set_fd(config, fd, CONFIG_INITRD);
}

int avf_config_set_initrd(avf_config *config, const char *path)
{
	return set_path(config, path, CONFIG_INITRD);
}

int avf_config_set_device_tree_overlay_fd(avf_config *config, int fd)
{
	return set_fd(config, fd, CONFIG_OVERLAY);
}

int avf_config_set_device_tree_overlay(avf_config *config, const char *path)
{
	return set_path(config, path, CONFIG_OVERLAY);
}

int avf_config_set_package_fd(avf_config *config, int fd)
{
	return set_fd(config, fd, CONFIG_PACKAGE);
}

int avf_config_set_package(avf_config *config, const char *path)
{
	return set_path(config, path, CONFIG_PACKAGE);
}

int avf_config_add_disk_fd(avf_config *config, int fd,
			   const struct avf_disk_options *options)
{
	int copy;
	int rc;

	rc = config_begin(config);
	if (rc < 0)
		return rc;
	copy = fd_dup(fd);
	if (copy < 0)
		return fail_as(AVF_ERR_INVALID);
	return config_take_disk(config, copy, options);
}

int avf_config_add_disk(avf_config *config, const char *path,
			const struct avf_disk_options *options)
{
	int rc;

	rc = config_begin(config);
	if (rc < 0)
		return rc;
	return config_add_disk_at(config, AT_FDCWD, path, options);
}

/* Whether a file has been opened, which deferring would contradict. */
static bool has_file(const avf_config *config)
{
	const struct vm_config *vm = &config->vm;

	return vm->kernel_fd >= 0 || vm->initrd_fd >= 0 ||
	       vm->overlay_fd >= 0 || vm->package_fd >= 0 || vm->n_disks > 0;
}

int avf_config_defer_files(avf_config *config)
{
	int rc = config_begin(config);

	if (rc < 0)
		return rc;
	if (!config->deferred && has_file(config))
		return fail(AVF_ERR_STATE,
			    "defer_files: a file is open already; call it "
			    "first");
	config->deferred = true;
	return 0;
}

int avf_config_set_console_output(avf_config *config, int fd)
{
	int rc = config_begin(config);

	return rc < 0 ? rc
		      : config_set_sink(&config->vm.console_out_fd, fd,
					"console_output", false);
}

int avf_config_set_console_input(avf_config *config, int fd)
{
	int rc = config_begin(config);

	return rc < 0 ? rc
		      : config_set_sink(&config->vm.console_in_fd, fd,
					"console_input", true);
}

int avf_config_set_log_output(avf_config *config, int fd)
{
	int rc = config_begin(config);

	return rc < 0 ? rc
		      : config_set_sink(&config->vm.log_fd, fd, "log_output",
					false);
}
