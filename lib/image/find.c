/*
 * Where the guest image of a payload VM is: what the configuration names, the
 * environment, the user's directory, the system's, in this order.
 */
#include "image/image.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SUBDIR "libvirtualization/microguest"

int image_default_dir(char *buf, size_t size)
{
	const char *data = secure_getenv("XDG_DATA_HOME");
	const char *home = secure_getenv("HOME");
	int n;

	/* a relative XDG_DATA_HOME is to be ignored (XDG base directories) */
	if (data && data[0] == '/')
		n = snprintf(buf, size, "%s/" SUBDIR, data);
	else if (home && home[0] == '/')
		n = snprintf(buf, size, "%s/.local/share/" SUBDIR, home);
	else
		return fail(AVF_ERR_NOT_FOUND,
			    "no home directory: name the image's directory");
	if (n < 0 || (size_t)n >= size)
		return fail(AVF_ERR_LIMIT, "the image's path is too long");
	return 0;
}

/* O_NONBLOCK: a FIFO in its place must not stop the caller. */
static int open_in(int dir_fd, const char *dir, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fail_errno("guest image %s has no readable %s", dir,
				  name);
	return fd;
}

static int open_image(const char *dir, int *ret_kernel_fd, int *ret_initrd_fd)
{
	CLEANUP(close_p) int dir_fd = -1;
	CLEANUP(close_p) int kernel_fd = -1;
	CLEANUP(close_p) int initrd_fd = -1;

	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return fail_errno("guest image %s", dir);
	kernel_fd = open_in(dir_fd, dir, IMAGE_KERNEL);
	if (kernel_fd < 0)
		return kernel_fd;
	initrd_fd = open_in(dir_fd, dir, IMAGE_INITRD);
	if (initrd_fd < 0)
		return initrd_fd;
	*ret_kernel_fd = take_fd(&kernel_fd);
	*ret_initrd_fd = take_fd(&initrd_fd);
	return 0;
}

int image_find(const char *dir, int *ret_kernel_fd, int *ret_initrd_fd)
{
	char user[PATH_MAX] = "";

	if (!dir)
		dir = secure_getenv("AVF_GUEST_IMAGE");
	if (dir && *dir)
		return open_image(dir, ret_kernel_fd, ret_initrd_fd);
	/* one that is there but broken is an error, not a reason to go on */
	if (image_default_dir(user, sizeof(user)) == 0 &&
	    access(user, F_OK) == 0)
		return open_image(user, ret_kernel_fd, ret_initrd_fd);
	if (access(IMAGE_SYSTEM_DIR, F_OK) == 0)
		return open_image(IMAGE_SYSTEM_DIR, ret_kernel_fd,
				  ret_initrd_fd);
	return fail(AVF_ERR_NOT_FOUND,
		    "no guest image: run `avf image build` (looked for %s and "
		    "%s)",
		    *user ? user : "$HOME", IMAGE_SYSTEM_DIR);
}
