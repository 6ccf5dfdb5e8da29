/*
 * The disks that the configuration adds to the VM are the payload's, to read
 * or to write as it says there: nobody else is here to use them. The first disk
 * is the package, and stays the manager's.
 */
#include "manager.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DEVICES       "/sys/bus/virtio/devices"
#define PACKAGE       "vda"
#define BLOCK         2 /* the kind of device, virtio 1.2, 5.2 */
#define DISK_LIMIT_NS 10000000000ULL
#define DISK_PAUSE_MS 5
#define PATH_SIZE     320
#define NAME_SIZE     256 /* of a directory entry */

/* The number in a file of sysfs, -1: there is none. */
static long read_number(const char *path)
{
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[32];
	ssize_t n = fd < 0 ? -1 : fd_read_all(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return -1;
	text[n] = '\0';
	return strtol(text, NULL, 0);
}

/* Of the only entry of @dir; false: it is empty, or not there yet. */
static bool first_entry(const char *dir, char name[NAME_SIZE])
{
	CLEANUP(close_dir_p) DIR *open_dir = opendir(dir);
	const struct dirent *entry;

	while (open_dir && (entry = readdir(open_dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, NAME_SIZE, "%s", entry->d_name);
		return true;
	}
	return false;
}

/* The driver makes the disk, and then its node, when it has asked the device,
 * which takes a while. */
static int wait_for_disk(const char *device, char name[NAME_SIZE])
{
	const uint64_t limit = clock_now_ns() + DISK_LIMIT_NS;
	char dir[PATH_SIZE], node[PATH_SIZE];

	(void)snprintf(dir, sizeof(dir), DEVICES "/%s/block", device);
	while (clock_now_ns() < limit) {
		if (first_entry(dir, name)) {
			(void)snprintf(node, sizeof(node), "/dev/%s", name);
			if (access(node, F_OK) == 0)
				return 0;
		}
		system_pause_ms(DISK_PAUSE_MS);
	}
	return fail(AVF_ERR_TIMEOUT, "disk %.32s did not appear", device);
}

static int share(const char *device)
{
	char path[2 * PATH_SIZE], name[NAME_SIZE];
	bool is_readonly;
	int rc = wait_for_disk(device, name);

	if (rc < 0)
		return rc;
	if (strcmp(name, PACKAGE) == 0)
		return 0;
	(void)snprintf(path, sizeof(path), DEVICES "/%s/block/%s/ro", device,
		       name);
	is_readonly = read_number(path) != 0;
	(void)snprintf(path, sizeof(path), "/dev/%s", name);
	if (chmod(path, is_readonly ? 0444 : 0666) < 0)
		return fail_errno("chmod %.32s", path);
	return 0;
}

int disks_share(struct manager *m)
{
	CLEANUP(close_dir_p) DIR *dir = opendir(DEVICES);
	const struct dirent *entry;
	char path[PATH_SIZE];
	int rc = 0;

	(void)m; /* every step has the same form */
	if (!dir)
		return fail_errno("open " DEVICES);
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		(void)snprintf(path, sizeof(path), DEVICES "/%s/device",
			       entry->d_name);
		if (read_number(path) == BLOCK)
			rc = share(entry->d_name);
	}
	return rc;
}
