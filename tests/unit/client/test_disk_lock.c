/* Two VMs and one disk, in one process as in two. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "client/disk_lock.h"

static char path[] = "/tmp/avf-disk-lock-XXXXXX";
static int disk; /* as the application opened it */

static void setup(void)
{
	disk = mkstemp(path);
	cr_assert_geq(disk, 0);
}

static void teardown(void)
{
	(void)unlink(path);
	fd_close(disk);
}

TestSuite(disk_lock, .init = setup, .fini = teardown);

static const struct {
	const char *what;
	bool first, second; /* writable */
	int rc;
} rows[] = {
	{"two writers", true, true, AVF_ERR_BUSY},
	{"a reader of what is written", true, false, AVF_ERR_BUSY},
	{"a writer of what is read", false, true, AVF_ERR_BUSY},
	{"two readers", false, false, 0},
};

Test(disk_lock, one_writer_or_many_readers)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int first, second = -1;

		cr_assert_eq(
			disk_lock_open(disk, rows[i].first, "disk", &first), 0);
		/* from a duplicate too: the lock is not the fd's */
		cr_expect_eq(disk_lock_open(dup(disk), rows[i].second, "disk",
					    &second),
			     rows[i].rc, "%s", rows[i].what);
		cr_expect_eq(second >= 0, rows[i].rc == 0, "%s", rows[i].what);
		fd_close(first);
		fd_close(second);
	}
}

/* Direct I/O would let the host's disk reach memory that a protected guest
 * keeps from the host's CPUs. */
Test(disk_lock, direct_io_stays_with_the_application)
{
	int direct = open(path, O_RDWR | O_CLOEXEC | O_DIRECT);
	int own = -1;

	if (direct < 0)
		cr_skip_test("no direct I/O on the file system of %s", path);
	cr_assert(fcntl(direct, F_GETFL) & O_DIRECT);
	cr_assert_eq(disk_lock_open(direct, true, "disk", &own), 0);
	cr_expect_not(fcntl(own, F_GETFL) & O_DIRECT);
	cr_expect(fcntl(direct, F_GETFL) & O_DIRECT, "as it was");
	fd_close(own);
	fd_close(direct);
}

Test(disk_lock, it_ends_with_the_last_holder)
{
	int first, copy, second;

	cr_assert_eq(disk_lock_open(disk, true, "disk", &first), 0);
	copy = dup(first); /* as the VMM gets it */
	fd_close(first);
	cr_expect_eq(disk_lock_open(disk, true, "disk", &second), AVF_ERR_BUSY);
	fd_close(copy);
	cr_expect_eq(disk_lock_open(disk, true, "disk", &second), 0);
	fd_close(second);
}

Test(disk_lock, another_process_is_kept_out)
{
	int first, second, status;
	pid_t pid;

	cr_assert_eq(disk_lock_open(disk, true, "disk", &first), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0)
		_exit(disk_lock_open(disk, true, "disk", &second) ==
		      AVF_ERR_BUSY);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	fd_close(first);
}

Test(disk_lock, a_read_only_file_is_not_locked_for_writing)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int lock;

	cr_assert_eq(fd >= 0, true);
	/* the kernel refuses to write to a program that runs */
	cr_expect_lt(disk_lock_open(fd, true, "disk", &lock), 0);
	cr_assert_eq(disk_lock_open(fd, false, "disk", &lock), 0);
	fd_close(lock);
	fd_close(fd);
}
