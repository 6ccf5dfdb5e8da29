/*
 * Which disks the guest's manager hands to the payload. /sys and /dev are
 * folders of this test's, and time passes only where the manager waits: what a
 * driver makes late appears after so many waits.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "manager.h"

#define DEVICES "/sys/bus/virtio/devices"
#define DISK    "0x0002\n"

static char root[] = "/tmp/disks.XXXXXX";
static struct manager manager;

/* What comes late. */
static struct {
	unsigned int n_waits; /* so far */
	unsigned int at_wait;
	const char *dir, *file;
	uint64_t now_ns;
} late;

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
DIR *__wrap_opendir(const char *path);
DIR *__real_opendir(const char *path);
int __wrap_access(const char *path, int mode);
int __real_access(const char *path, int mode);
int __wrap_chmod(const char *path, mode_t mode);
int __real_chmod(const char *path, mode_t mode);
uint64_t __wrap_clock_now_ns(void);

/* Where @path of the guest is here; others stay what they are. */
static const char *here(const char *path)
{
	static char buf[1024];

	if (strncmp(path, "/sys/", 5) != 0 && strncmp(path, "/dev/", 5) != 0)
		return path;
	(void)snprintf(buf, sizeof(buf), "%s%s", root, path);
	return buf;
}

int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	return __real_open(here(path), flags, mode);
}

DIR *__wrap_opendir(const char *path)
{
	return __real_opendir(here(path));
}

int __wrap_access(const char *path, int mode)
{
	return __real_access(here(path), mode);
}

int __wrap_chmod(const char *path, mode_t mode)
{
	return __real_chmod(here(path), mode);
}

uint64_t __wrap_clock_now_ns(void)
{
	return late.now_ns;
}

void close_dir_p(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

/* --- folders ---------------------------------------------------------- */

static void make_dirs(const char *path)
{
	char buf[1024];

	(void)snprintf(buf, sizeof(buf), "%s", here(path));
	for (char *p = strchr(buf + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		(void)mkdir(buf, 0755);
		*p = '/';
	}
	cr_assert(mkdir(buf, 0755) == 0 || errno == EEXIST, "%s", buf);
}

static void make_file(const char *path, const char *text)
{
	FILE *file = fopen(here(path), "w");

	cr_assert_not_null(file, "%s", path);
	cr_assert(fputs(text, file) >= 0);
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(__real_chmod(here(path), 0600), 0);
}

/* A device of the bus; @kind NULL: it does not say what it is. */
static void make_device(const char *device, const char *kind)
{
	char path[512];

	(void)snprintf(path, sizeof(path), DEVICES "/%s", device);
	make_dirs(path);
	if (!kind)
		return;
	(void)snprintf(path, sizeof(path), DEVICES "/%s/device", device);
	make_file(path, kind);
}

/* Its driver's disk; @ro NULL: it does not say whether it may be written. */
static void make_disk(const char *device, const char *disk, const char *ro)
{
	char path[512];

	(void)snprintf(path, sizeof(path), DEVICES "/%s/block/%s", device,
		       disk);
	make_dirs(path);
	if (ro) {
		(void)snprintf(path, sizeof(path), DEVICES "/%s/block/%s/ro",
			       device, disk);
		make_file(path, ro);
	}
}

static void make_node(const char *disk)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/dev/%s", disk);
	make_file(path, "");
}

static unsigned int mode_of(const char *disk)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/dev/%s", disk);
	cr_assert_eq(stat(here(path), &st), 0);
	return st.st_mode & 07777;
}

void system_pause_ms(unsigned int ms)
{
	late.now_ns += ms * 1000000ULL;
	if (++late.n_waits != late.at_wait)
		return;
	if (late.dir)
		make_disk("virtio1", late.dir, "0\n");
	if (late.file)
		make_node(late.file);
}

static void setup(void)
{
	cr_assert_not_null(mkdtemp(root));
	make_dirs("/dev/");
	memset(&late, 0, sizeof(late));
}

static void teardown(void)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	cr_assert_eq(system(command), 0);
}

TestSuite(disks, .init = setup, .fini = teardown, .timeout = 60);

/* --- what is there ---------------------------------------------------- */

Test(disks, the_configuration_s_disks_are_the_payload_s_and_the_package_is_not)
{
	make_device("virtio0", DISK);
	make_disk("virtio0", "vda", "0\n");
	make_node("vda");
	make_device("virtio1", DISK);
	make_disk("virtio1", "vdb", "0\n");
	make_node("vdb");
	make_device("virtio2", DISK);
	make_disk("virtio2", "vdc", "1\n");
	make_node("vdc");
	cr_expect_eq(disks_share(&manager), 0, "%s", error_record()->text);
	cr_expect_eq(mode_of("vda"), 0600, "%o", mode_of("vda"));
	cr_expect_eq(mode_of("vdb"), 0666, "%o", mode_of("vdb"));
	cr_expect_eq(mode_of("vdc"), 0444, "%o", mode_of("vdc"));
	cr_expect_eq(late.n_waits, 0, "nothing was late");
}

/* Whatever has a disk below it: the device's own word counts. */
Test(disks, other_devices_are_left_alone)
{
	static const char *const kinds[] = {"0x0004\n", "0x0013\n",
					    "0x0012\n", "block\n",
					    "",         "2147483650\n"};
	char device[16], disk[16];

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		(void)snprintf(device, sizeof(device), "virtio%u", i);
		(void)snprintf(disk, sizeof(disk), "vd%c", 'b' + i);
		make_device(device, kinds[i]);
		make_disk(device, disk, "0\n");
		make_node(disk);
	}
	make_device("virtio9", NULL);
	make_disk("virtio9", "vdz", "0\n");
	make_node("vdz");
	cr_expect_eq(disks_share(&manager), 0, "%s", error_record()->text);
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		(void)snprintf(disk, sizeof(disk), "vd%c", 'b' + i);
		cr_expect_eq(mode_of(disk), 0600, "%s", kinds[i]);
	}
	cr_expect_eq(mode_of("vdz"), 0600);
}

Test(disks, no_devices)
{
	make_dirs(DEVICES);
	cr_expect_eq(disks_share(&manager), 0);
}

Test(disks, no_bus)
{
	cr_expect_eq(disks_share(&manager), AVF_ERR_NOT_FOUND, "%s",
		     error_record()->text);
	cr_expect(strstr(error_record()->text, DEVICES), "%s",
		  error_record()->text);
}

/* To write is what has to be allowed. */
Test(disks, one_that_does_not_say_is_for_reading)
{
	static const char *const words[] = {NULL, "", "1\n", "2\n", "-1\n"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		make_device("virtio1", DISK);
		make_disk("virtio1", "vdb", words[i]);
		make_node("vdb");
		cr_expect_eq(disks_share(&manager), 0);
		cr_expect_eq(mode_of("vdb"), 0444, "row %zu: %o", i,
			     mode_of("vdb"));
	}
}

/* --- what comes late, or never ---------------------------------------- */

Test(disks, a_driver_that_takes_its_time)
{
	make_device("virtio1", DISK);
	late.at_wait = 3;
	late.dir = late.file = "vdb";
	cr_expect_eq(disks_share(&manager), 0, "%s", error_record()->text);
	cr_expect_eq(late.n_waits, 3);
	cr_expect_eq(mode_of("vdb"), 0666);
}

Test(disks, a_node_that_comes_after_its_disk)
{
	make_device("virtio1", DISK);
	make_disk("virtio1", "vdb", "1\n");
	late.at_wait = 2;
	late.file = "vdb";
	cr_expect_eq(disks_share(&manager), 0, "%s", error_record()->text);
	cr_expect_eq(late.n_waits, 2);
	cr_expect_eq(mode_of("vdb"), 0444);
}

static void expect_timeout(const char *what)
{
	cr_expect_eq(disks_share(&manager), AVF_ERR_TIMEOUT, "%s", what);
	cr_expect(strstr(error_record()->text, "virtio1"), "%s: %s", what,
		  error_record()->text);
	cr_expect_geq(late.now_ns, 10000000000ULL, "%s", what);
	cr_expect_lt(late.now_ns, 11000000000ULL, "%s", what);
}

Test(disks, a_disk_that_never_comes)
{
	make_device("virtio1", DISK);
	expect_timeout("no folder");
	late.now_ns = 0;
	make_dirs(DEVICES "/virtio1/block");
	expect_timeout("an empty folder");
	late.now_ns = 0;
	make_disk("virtio1", "vdb", "0\n");
	expect_timeout("no node");
}

Test(disks, a_node_that_cannot_be_given_away)
{
	make_device("virtio1", DISK);
	make_disk("virtio1", "vdb", "0\n");
	/* a node whose mode nobody may change */
	cr_assert_eq(symlink("/proc/self/fd", here("/dev/vdb")), 0);
	cr_expect_lt(disks_share(&manager), 0);
	cr_expect(strstr(error_record()->text, "/dev/vdb"), "%s",
		  error_record()->text);
}
