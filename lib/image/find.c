/*
 * Where the guest image of a payload VM is: what the configuration names, the
 * environment, the user's directory, the system's, in this order.
 */
#include "image/image.h"

#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/guest_protocol.h"
#include "base/text.h"
#include "json/json_read.h"

#define SUBDIR        "libvirtualization/microguest"
#define JSON_MAX_SIZE 4096 /* bytes of an image.json */
#define SHOWN_NAME    17   /* of what it says, NUL included */

/* The image for @arch below @base, a directory of data files. */
static int image_dir(const char *base, const char *below,
		     const struct arch *arch, char *buf, size_t size)
{
	const bool own = arch == arch_host();
	int n = snprintf(buf, size, "%s%s/" SUBDIR "%s%s", base, below,
			 own ? "" : "-", own ? "" : arch->name);

	if (n < 0 || (size_t)n >= size)
		return fail(AVF_ERR_LIMIT, "the image's path is too long");
	return 0;
}

int image_default_dir(const struct arch *arch, char *buf, size_t size)
{
	const char *data = secure_getenv("XDG_DATA_HOME");
	const char *home = secure_getenv("HOME");

	/* a relative XDG_DATA_HOME is to be ignored (XDG base directories) */
	if (data && data[0] == '/')
		return image_dir(data, "", arch, buf, size);
	if (home && home[0] == '/')
		return image_dir(home, "/.local/share", arch, buf, size);
	return fail(AVF_ERR_NOT_FOUND,
		    "no home directory: name the image's directory");
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

static void json_unref_p(json_t **json)
{
	json_decref(*json);
}

static int check_arch(const char *name, const struct arch *arch,
		      const char *dir)
{
	char shown[SHOWN_NAME];

	if (strcmp(name, arch->name) == 0)
		return 0;
	text_sanitise(shown, sizeof(shown), name, strlen(name));
	return fail(AVF_ERR_FORMAT,
		    "guest image %s is for %s, the VM for %s: build one "
		    "with `avf image build --arch %s`",
		    dir, shown, arch->name, arch->name);
}

/* Else the VM would start, and end when its manager says what this build does
 * not understand. One that names no protocol is older than the first. */
static int check_protocol(const json_t *root, const char *dir)
{
	json_int_t number =
		json_integer_value(json_object_get(root, "protocol"));

	if (number == GUEST_PROTOCOL)
		return 0;
	return fail(AVF_ERR_FORMAT,
		    "guest image %s is of another build: its manager speaks "
		    "version %" JSON_INTEGER_FORMAT
		    " of the protocol, this library version %d; make it again "
		    "with `avf image build`",
		    dir, number, GUEST_PROTOCOL);
}

/* What image.json says, which may be anything. */
static int check_json(const char *text, size_t size, const struct arch *arch,
		      const char *dir)
{
	CLEANUP(json_unref_p) json_t *root = NULL;
	const char *name;
	int rc = jtext_read(text, size, &root);

	if (rc == AVF_ERR_NO_MEMORY)
		return rc;
	name = rc < 0 ? NULL : json_string_value(json_object_get(root, "arch"));
	if (!name)
		return fail(AVF_ERR_FORMAT,
			    "guest image %s: " IMAGE_JSON
			    " does not name an architecture",
			    dir);
	rc = check_arch(name, arch, dir);
	return rc < 0 ? rc : check_protocol(root, dir);
}

/* Images that somebody made by hand may be without the file: then the VM's
 * loader finds out. */
static int check_image(int dir_fd, const char *dir, const struct arch *arch)
{
	CLEANUP(close_p)
	int fd = openat(dir_fd, IMAGE_JSON, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char text[JSON_MAX_SIZE];
	ssize_t size;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return fail_errno("guest image %s: " IMAGE_JSON, dir);
	size = fd_read_all(fd, text, sizeof(text));
	if (size < 0)
		return (int)size;
	return check_json(text, (size_t)size, arch, dir);
}

static int open_image(const struct arch *arch, const char *dir,
		      struct image_files *ret_files)
{
	CLEANUP(close_p) int dir_fd = -1;
	CLEANUP(close_p) int kernel_fd = -1;
	CLEANUP(close_p) int initrd_fd = -1;
	int rc;

	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return fail_errno("guest image %s", dir);
	kernel_fd = open_in(dir_fd, dir, IMAGE_KERNEL);
	if (kernel_fd < 0)
		return kernel_fd;
	initrd_fd = open_in(dir_fd, dir, IMAGE_INITRD);
	if (initrd_fd < 0)
		return initrd_fd;
	rc = check_image(dir_fd, dir, arch);
	if (rc < 0)
		return rc;
	ret_files->kernel_fd = take_fd(&kernel_fd);
	ret_files->initrd_fd = take_fd(&initrd_fd);
	return 0;
}

int image_find(const struct arch *arch, const char *dir,
	       struct image_files *ret_files)
{
	const bool own = arch == arch_host();
	char user[PATH_MAX] = "";
	char system[PATH_MAX];
	int rc;

	if (!dir)
		dir = secure_getenv("AVF_GUEST_IMAGE");
	if (dir && *dir)
		return open_image(arch, dir, ret_files);
	/* one that is there but broken is an error, not a reason to go on */
	if (image_default_dir(arch, user, sizeof(user)) == 0 &&
	    access(user, F_OK) == 0)
		return open_image(arch, user, ret_files);
	rc = image_dir(IMAGE_SYSTEM_DIR, "", arch, system, sizeof(system));
	if (rc < 0)
		return rc;
	if (access(system, F_OK) == 0)
		return open_image(arch, system, ret_files);
	return fail(AVF_ERR_NOT_FOUND,
		    "no guest image: run `avf image build%s%s` (looked for %s "
		    "and %s)",
		    own ? "" : " --arch ", own ? "" : arch->name,
		    *user ? user : "$HOME", system);
}
