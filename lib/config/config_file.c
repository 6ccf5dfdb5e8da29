/*
 * Files of a configuration. They are opened (or duplicated) and checked when
 * they are set, so that a mistake is reported where it was made and a later
 * change of the path cannot swap the file. Deferred configurations only note
 * the path; config_path.c opens those. Descriptors given to a function named
 * take_ are closed by it also when it fails.
 */
#include "config/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/cleanup.h"
#include "config/config_text.h"

/* Paths are shown, escaped, in an error record of 256 bytes. */
#define SHOWN_PATH 128

/* EROFS: struct erofs_super_block, at 1024; its magic comes first. */
#define EROFS_SUPER_OFFSET 1024
#define EROFS_SUPER_MAGIC  0xe0f5e1e2U

/* Room for "disks[4294967295].image". */
#define DISK_FIELD 32

enum file_use {
	FILE_READ = 0,      /* a regular file */
	FILE_READ_DISK = 1, /* a block device is fine, too */
	FILE_WRITE_DISK = 2,
};

/* For errors: what it is instead of a file. */
static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a pipe";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
		return "a character device";
	case S_IFBLK:
		return "a block device";
	default:
		return "not a file";
	}
}

/* Devices and pipes have no size and no end; loaders need both. */
static int check_type(int fd, const char *what, enum file_use use)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail_errno("%s", what);
	if (S_ISREG(st.st_mode) || (use != FILE_READ && S_ISBLK(st.st_mode)))
		return 0;
	return fail(AVF_ERR_INVALID, "%s: %s, not a regular file%s", what,
		    type_name(st.st_mode),
		    use == FILE_READ ? "" : " or block device");
}

/* An fd that was opened for something else would fail later, in the VMM and
 * in the middle of the guest's work. */
static int check_access(int fd, const char *what, bool read, bool write)
{
	int flags = fcntl(fd, F_GETFL);
	int mode = flags & O_ACCMODE;

	if (flags < 0)
		return fail_errno("%s: fd %d", what, fd);
	if (flags & O_PATH)
		return fail(AVF_ERR_INVALID, "%s: opened with O_PATH", what);
	if (read && mode == O_WRONLY)
		return fail(AVF_ERR_INVALID, "%s: not open for reading", what);
	if (write && mode == O_RDONLY)
		return fail(AVF_ERR_INVALID, "%s: not open for writing", what);
	return 0;
}

/* Reading always; writing for disks that the guest may write to. */
static int check_file(int fd, const char *what, enum file_use use)
{
	int rc;

	rc = check_access(fd, what, true, use == FILE_WRITE_DISK);
	if (rc < 0)
		return rc;
	return check_type(fd, what, use);
}

/* O_NONBLOCK: opening a FIFO waits for its other end otherwise. What was
 * opened is looked at before anything is read from it. */
int config_open(int dir_fd, const char *path, bool writable, const char *field,
		int *ret_fd)
{
	const int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	CLEANUP(close_p) int fd = -1;
	char shown[SHOWN_PATH];
	struct stat st;
	int rc;

	if (!path || path[0] == '\0')
		return fail(AVF_ERR_INVALID, "%s: empty path", field);
	config_show_text(path, shown, sizeof(shown));
	fd = openat(dir_fd, path, flags | (writable ? O_RDWR : O_RDONLY));
	if (fd < 0 && (errno == EISDIR || errno == ENXIO))
		return fail(AVF_ERR_INVALID, "%s: %s: %s, not a file", field,
			    shown,
			    errno == EISDIR ? "a directory" : "a socket");
	if (fd < 0)
		return fail_errno("%s: %s", field, shown);
	if (fstat(fd, &st) < 0)
		return fail_errno("%s: %s", field, shown);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return fail(AVF_ERR_INVALID, "%s: %s: %s, not a file", field,
			    shown, type_name(st.st_mode));
	rc = fd_set_nonblock(fd, false);
	if (rc < 0)
		return rc;
	*ret_fd = take_fd(&fd);
	return 0;
}

/* The old file is closed only when the new one has passed its checks. */
static void replace_fd(int *target, int *fd)
{
	fd_close(*target);
	*target = take_fd(fd);
}

/* Not a verification: it catches the wrong file early, with a hint. */
static int check_erofs(int fd)
{
	ssize_t n;
	le32 magic;

	n = fd_pread_all(fd, &magic, sizeof(magic), EROFS_SUPER_OFFSET);
	if (n < 0)
		return (int)n;
	if (n != sizeof(magic) || le32_get(magic) != EROFS_SUPER_MAGIC)
		return fail(AVF_ERR_FORMAT,
			    "package: not an EROFS image; make one with "
			    "`avf package create`");
	return 0;
}

static const struct {
	const char *field;
	enum avf_config_kind kind;
} files[] = {
	[CONFIG_KERNEL] = {"kernel", AVF_CONFIG_RAW},
	[CONFIG_INITRD] = {"initrd", AVF_CONFIG_RAW},
	[CONFIG_OVERLAY] = {"device_tree_overlay", AVF_CONFIG_RAW},
	[CONFIG_PACKAGE] = {"package", AVF_CONFIG_PAYLOAD},
};

/* Where the descriptor is kept; -1 in it is none. */
static int *file_slot(struct vm_config *vm, enum config_file file)
{
	switch (file) {
	case CONFIG_KERNEL:
		return &vm->kernel_fd;
	case CONFIG_INITRD:
		return &vm->initrd_fd;
	case CONFIG_OVERLAY:
		return &vm->overlay_fd;
	default:
		return &vm->package_fd;
	}
}

/*
 * A setter of the other kind is a wrong state, not a wrong value: JSON turns
 * that into an invalid text (read_keys()).
 */
static int check_kind(const avf_config *config, enum config_file file)
{
	if (config->vm.kind == files[file].kind)
		return 0;
	return fail(AVF_ERR_STATE, "%s: only for a %s VM", files[file].field,
		    files[file].kind == AVF_CONFIG_RAW ? "raw" : "payload");
}

/* Takes @path; NULL forgets what a descriptor was opened from. */
static void set_path(char **target, char *path)
{
	free(*target);
	*target = path;
}

int config_take_file(avf_config *config, enum config_file file, int fd)
{
	CLEANUP(close_p) int owned = fd;
	int rc = check_kind(config, file);

	if (rc < 0)
		return rc;
	rc = check_file(owned, files[file].field, FILE_READ);
	if (rc < 0)
		return rc;
	if (file == CONFIG_PACKAGE) {
		rc = check_erofs(owned);
		if (rc < 0)
			return rc;
	}
	/* last: what was set before stays until the new file has passed */
	replace_fd(file_slot(&config->vm, file), &owned);
	set_path(&config->paths[file], NULL);
	return 0;
}

int config_set_file_at(avf_config *config, enum config_file file, int dir_fd,
		       const char *path)
{
	CLEANUP(free_p) char *absolute = NULL;
	int fd;
	int rc = check_kind(config, file);

	if (rc < 0)
		return rc;
	rc = config_absolute(dir_fd, path, files[file].field, &absolute);
	if (rc < 0)
		return rc;
	if (!config->deferred) {
		rc = config_open(dir_fd, path, false, files[file].field, &fd);
		if (rc < 0)
			return rc;
		rc = config_take_file(config, file, fd);
		if (rc < 0)
			return rc;
	}
	set_path(&config->paths[file], TAKE_PTR(absolute));
	return 0;
}

/* An older caller's struct is shorter than ours only if we have added fields
 * since; a newer caller's extra bytes must be zero: options we do not know. */
static int read_options(const struct avf_disk_options *from,
			struct avf_disk_options *ret_options)
{
	const unsigned char *bytes = (const unsigned char *)from;

	if (!from)
		return 0;
	if (from->size < sizeof(*from) || from->size > 4096)
		return fail(AVF_ERR_INVALID,
			    "disk options: size %zu; use the INIT macro",
			    from->size);
	for (size_t i = sizeof(*from); i < from->size; i++)
		if (bytes[i] != 0)
			return fail(AVF_ERR_UNSUPPORTED,
				    "disk options: set by a newer header");
	*ret_options = *from;
	return 0;
}

/* The id becomes the serial number of the disk in the guest. */
static int copy_disk_id(const char *id, unsigned int index, char **ret_id)
{
	char *copy;

	if (!id)
		return 0;
	if (id[0] == '\0' || strlen(id) > VM_CONFIG_MAX_DISK_ID ||
	    config_has_control(id))
		return fail(AVF_ERR_INVALID,
			    "disks[%u].id: not 1 to %u bytes without control "
			    "characters",
			    index, VM_CONFIG_MAX_DISK_ID);
	copy = strdup(id);
	if (!copy)
		return fail(AVF_ERR_NO_MEMORY, "disks[%u].id", index);
	*ret_id = copy;
	return 0;
}

/* @options are read; @fd is -1 in a deferred configuration. Takes @fd. */
static int append_disk(avf_config *config, int fd,
		       const struct avf_disk_options *options)
{
	unsigned int index = config->vm.n_disks;
	CLEANUP(close_p) int owned = fd;
	CLEANUP(free_p) char *id = NULL;
	char field[DISK_FIELD];
	int rc;

	if (index == AVF_MAX_DISKS)
		return fail(AVF_ERR_LIMIT, "disks: more than %u",
			    AVF_MAX_DISKS);
	(void)snprintf(field, sizeof(field), "disks[%u].image", index);
	if (owned >= 0 || !config->deferred) {
		rc = check_file(owned, field,
				options->writable ? FILE_WRITE_DISK
						  : FILE_READ_DISK);
		if (rc < 0)
			return rc;
	}
	rc = copy_disk_id(options->id, index, &id);
	if (rc < 0)
		return rc;
	config->vm.disks[index] = (struct vm_disk){
		take_fd(&owned), options->writable, TAKE_PTR(id)};
	config->vm.n_disks++;
	return 0;
}

int config_take_disk(avf_config *config, int fd,
		     const struct avf_disk_options *options)
{
	struct avf_disk_options known = AVF_DISK_OPTIONS_INIT;
	CLEANUP(close_p) int owned = fd;
	int rc = read_options(options, &known);

	if (rc < 0)
		return rc;
	return append_disk(config, take_fd(&owned), &known);
}

int config_add_disk_at(avf_config *config, int dir_fd, const char *path,
		       const struct avf_disk_options *options)
{
	struct avf_disk_options known = AVF_DISK_OPTIONS_INIT;
	unsigned int index = config->vm.n_disks;
	CLEANUP(free_p) char *absolute = NULL;
	char field[DISK_FIELD];
	int fd = -1;
	int rc;

	rc = read_options(options, &known);
	if (rc < 0)
		return rc;
	(void)snprintf(field, sizeof(field), "disks[%u].image", index);
	rc = config_absolute(dir_fd, path, field, &absolute);
	if (rc < 0)
		return rc;
	if (!config->deferred) {
		rc = config_open(dir_fd, path, known.writable, field, &fd);
		if (rc < 0)
			return rc;
	}
	rc = append_disk(config, fd, &known);
	if (rc < 0)
		return rc;
	set_path(&config->disk_paths[index], TAKE_PTR(absolute));
	return 0;
}

/* @fd is borrowed and may be -1, which takes the sink away. */
int config_set_sink(int *target, int fd, const char *field, bool is_input)
{
	CLEANUP(close_p) int owned = -1;
	int rc;

	if (fd >= 0) {
		rc = check_access(fd, field, is_input, !is_input);
		if (rc < 0)
			return rc;
		owned = fd_dup(fd);
		if (owned < 0)
			return owned;
	}
	replace_fd(target, &owned);
	return 0;
}
