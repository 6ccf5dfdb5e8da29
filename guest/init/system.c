#include "manager.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/module.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"

#define MODULES_LIST     "/etc/modules"
#define MODULES_MAX_LIST 4096 /* bytes */

#ifndef MODULE_INIT_COMPRESSED_FILE
#define MODULE_INIT_COMPRESSED_FILE 4
#endif

struct fs {
	const char *type;
	const char *target;
	unsigned long flags;
	const char *options;
};

static const struct fs file_systems[] = {
	{"devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=0755"},
	{"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=2"},
	{"sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
	{"tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777"},
	{"tmpfs", "/data", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	 "mode=1777,size=128m"},
	{"tmpfs", "/run", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	 "mode=0755,size=1m"},
};

/* Without a console the kernel starts us with no descriptors at all; any
 * that we open later must not become 0, 1 or 2. */
static int fill_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return fail_errno("open /dev/null");
	} while (fd < STDERR_FILENO);
	if (fd > STDERR_FILENO)
		fd_close(fd);
	return 0;
}

int system_mount(struct manager *m)
{
	const struct fs *fs;

	(void)m; /* every step has the same form */
	for (size_t i = 0; i < ARRAY_SIZE(file_systems); i++) {
		fs = &file_systems[i];
		if (mount(fs->type, fs->target, fs->type, fs->flags,
			  fs->options) < 0)
			return fail_errno("mount %s on %s", fs->type,
					  fs->target);
	}
	/* the kernel's root directory is everybody's until somebody says */
	if (chmod("/", 0755) < 0)
		return fail_errno("chmod /");
	/* as AVF's system partition; of the mount, since it is the initramfs */
	if (mount(NULL, "/", NULL,
		  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOATIME, NULL) < 0)
		return fail_errno("make / read-only");
	return fill_standard_fds();
}

static bool has_suffix(const char *text, const char *suffix)
{
	const size_t n = strlen(text);
	const size_t n_suffix = strlen(suffix);

	return n >= n_suffix && strcmp(text + n - n_suffix, suffix) == 0;
}

static int load_module(const char *path)
{
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);
	int flags = 0;

	if (fd < 0)
		return fail_errno("open %s", path);
	if (has_suffix(path, ".xz") || has_suffix(path, ".zst"))
		flags = MODULE_INIT_COMPRESSED_FILE;
	if (syscall(SYS_finit_module, fd, "", flags) < 0 && errno != EEXIST)
		return fail_errno("load %s", path);
	return 0;
}

void close_dir_p(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir); /* read-only: nothing to lose */
}

int system_load_modules(struct manager *m)
{
	CLEANUP(close_p) int fd = open(MODULES_LIST, O_RDONLY | O_CLOEXEC);
	char list[MODULES_MAX_LIST + 1];
	char *rest = NULL;
	ssize_t size;
	int rc;

	(void)m; /* every step has the same form */
	if (fd < 0)
		return fail_errno("open " MODULES_LIST);
	size = fd_read_all(fd, list, MODULES_MAX_LIST);
	if (size < 0)
		return (int)size;
	list[size] = '\0';
	for (char *path = strtok_r(list, "\n", &rest); path;
	     path = strtok_r(NULL, "\n", &rest)) {
		rc = load_module(path);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void system_pause_ms(unsigned int ms)
{
	const struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000L};

	(void)nanosleep(&time, NULL); /* a shorter pause does no harm */
}

void system_power_off(void)
{
	(void)kill(-1, SIGKILL); /* nobody left is fine */
	sync();
	(void)reboot(RB_POWER_OFF);
	/* No power-off on this machine: the VMM ends the VM on a reset too.
	 * When that fails, dying makes the kernel panic and reset. */
	(void)reboot(RB_AUTOBOOT);
	_exit(1);
}
