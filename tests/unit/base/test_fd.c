#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

Test(fd, close_keeps_errno_and_takes_minus_one)
{
	errno = 77;
	fd_close(-1);
	fd_close(9999);
	cr_expect_eq(errno, 77);
}

Test(fd, cleanup_closes_and_take_hands_over)
{
	int kept;
	int closed;

	{
		CLEANUP(close_p) int a = open("/dev/null", O_RDONLY);
		CLEANUP(close_p) int b = open("/dev/null", O_RDONLY);

		closed = a;
		kept = take_fd(&b);
		cr_expect_eq(b, -1);
	}
	cr_expect_eq(fcntl(closed, F_GETFD), -1, "a was closed");
	cr_expect_neq(fcntl(kept, F_GETFD), -1, "b was handed over");
}

Test(fd, dup_is_close_on_exec)
{
	int copy = fd_dup(0);

	cr_assert(copy > 0);
	cr_expect(fcntl(copy, F_GETFD) & FD_CLOEXEC);
	cr_expect_eq(fd_dup(9999), AVF_ERR_IO);
}

Test(fd, whole_reads_and_writes_stop_at_the_end)
{
	char buf[8] = {0};
	int pair[2];

	cr_assert_eq(pipe(pair), 0);
	cr_expect_eq(fd_write_all(pair[1], "hello", 5), 0);
	(void)close(pair[1]);
	cr_expect_eq(fd_read_all(pair[0], buf, sizeof(buf)), 5);
	cr_expect_str_eq(buf, "hello");
	cr_expect_eq(fd_read_all(pair[0], buf, sizeof(buf)), 0);
}

Test(fd, positioned_read_is_short_at_the_end_of_the_file)
{
	char path[] = "/tmp/avf-test-XXXXXX";
	int fd = mkstemp(path);
	char buf[8];

	cr_assert(fd >= 0);
	(void)unlink(path);
	cr_expect_eq(fd_write_all(fd, "0123456789", 10), 0);
	cr_expect_eq(fd_pread_all(fd, buf, 8, 6), 4);
	cr_expect_arr_eq(buf, "6789", 4);
	cr_expect_eq(fd_pread_all(fd, buf, 8, 10), 0);
}

Test(fd, only_files_have_a_size)
{
	uint64_t size = 42;
	int pair[2];
	int dir = open("/tmp", O_RDONLY);

	cr_assert_eq(pipe(pair), 0);
	cr_expect_eq(fd_file_size(pair[0], "disks[0]", &size), AVF_ERR_INVALID);
	cr_expect(strstr(error_record()->text, "disks[0]"));
	cr_expect_eq(fd_file_size(dir, "kernel", &size), AVF_ERR_INVALID);
	cr_expect_eq(size, 42, "outputs are written on success only");
}

Test(fd, wait_times_out_and_sees_events)
{
	uint64_t before = clock_now_ns();
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_expect_eq(fd_wait(pair[0], POLLIN, 20), 0);
	cr_expect_geq(clock_now_ns() - before, 19000000U);
	cr_expect_eq(fd_write_all(pair[1], "x", 1), 0);
	cr_expect_eq(fd_wait(pair[0], POLLIN, -1), POLLIN);
}

Test(fd, nonblock_is_set_and_cleared)
{
	int pair[2];

	cr_assert_eq(pipe(pair), 0);
	cr_expect_eq(fd_set_nonblock(pair[0], true), 0);
	cr_expect(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
	cr_expect_eq(fd_set_nonblock(pair[0], false), 0);
	cr_expect_not(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
	cr_expect_eq(fd_set_nonblock(9999, true), AVF_ERR_IO);
}
