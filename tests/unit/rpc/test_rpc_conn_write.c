/* Writing when the kernel has no memory, as vsock's may not: sendmsg() and
 * nanosleep() are ours. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "rpc/rpc_conn.h"
#include "rpc/rpc_wire.h"

static struct rpc_conn *conn;
static int peer;

/* What the kernel does with the connection's messages. */
static size_t fits = SIZE_MAX; /* bytes for which there is memory */
static int refuses;            /* times that even these are refused */
static int error = ENOMEM;
static size_t largest, n_sent;
static unsigned int n_pauses;
static long slept_ms;

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	size_t size = 0;

	for (size_t i = 0; conn && i < msg->msg_iovlen; i++)
		size += msg->msg_iov[i].iov_len;
	if (conn && fd == conn->fd) {
		if (size > fits || (refuses > 0 && refuses--)) {
			errno = error;
			return -1;
		}
		largest = MAX(largest, size);
		n_sent++;
	}
	return syscall(SYS_sendmsg, fd, msg, flags);
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)left;
	n_pauses++;
	slept_ms += time->tv_sec * 1000 + time->tv_nsec / 1000000;
	return 0;
}

static void set_up(void)
{
	const int size = 1 << 20;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
		     0);
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	conn = rpc_conn_new(pair[0], false);
	peer = pair[1];
}

static void tear_down(void)
{
	rpc_conn_free(conn);
	conn = NULL;
	close(peer);
}

TestSuite(write, .init = set_up, .fini = tear_down, .timeout = 60);

/* 100,000 bytes in two parts, which must arrive as they are. */
static binder_status_t write_much(bool at_once)
{
	static unsigned char bytes[100000], back[100000];
	struct rpc_output output = {
		.parts = {{bytes, 777}, {bytes + 777, sizeof(bytes) - 777}},
		.n_parts = 2,
		.at_once = at_once,
	};
	binder_status_t rc;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i % 251);
	rc = rpc_conn_write(conn, &output, NULL, NULL);
	if (rc != STATUS_OK)
		return rc;
	cr_assert_eq(recv(peer, back, sizeof(back), MSG_WAITALL), sizeof(back));
	cr_expect_arr_eq(back, bytes, sizeof(bytes));
	return rc;
}

Test(write, at_once_where_there_is_memory)
{
	cr_expect_eq(write_much(false), STATUS_OK);
	cr_expect_eq(n_sent, 1);
	cr_expect_eq(n_pauses, 0);
}

Test(write, in_smaller_pieces)
{
	static const int errors[] = {ENOMEM, ENOBUFS};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		error = errors[i];
		fits = 10000;
		largest = 0;
		cr_expect_eq(write_much(false), STATUS_OK);
		cr_expect_leq(largest, 10000);
		cr_expect_gt(largest, 5000, "half by half");
		cr_expect_eq(n_pauses, 0);
	}
}

/* Descriptors belong to the first byte, and go once. */
Test(write, descriptors_go_with_the_first_piece)
{
	static unsigned char bytes[50000];
	const int fd = 2;
	struct rpc_output output = {
		.parts = {{bytes, sizeof(bytes)}},
		.n_parts = 1,
		.fds = &fd,
		.n_fds = 1,
	};
	union rpc_control control;
	struct iovec iov = {bytes, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t n_came = 0;

	fits = 10000;
	cr_assert_eq(rpc_conn_write(conn, &output, NULL, NULL), STATUS_OK);
	cr_expect_gt(n_sent, 1);
	for (size_t done = 0; done < sizeof(bytes); done += iov.iov_len) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		cr_assert_eq(recvmsg(peer, &msg, 0), (ssize_t)iov.iov_len);
		cr_expect(done == 0 || msg.msg_controllen == 0);
		n_came += msg.msg_controllen > 0;
		iov.iov_len = done == 0 ? 999 : 1000;
	}
	cr_expect_eq(n_came, 1);
}

/* Not even a page: later, and later. */
Test(write, after_a_pause)
{
	refuses = 12;
	cr_expect_eq(write_much(false), STATUS_OK);
	cr_expect_eq(largest, 4096);
	cr_expect_gt(n_pauses, 1);
	cr_expect_lt(slept_ms, 2000);
}

Test(write, gives_up_after_half_a_minute)
{
	fits = 4095;
	cr_expect_eq(write_much(false), STATUS_NO_MEMORY);
	cr_expect_geq(slept_ms, 30000);
	cr_expect_lt(slept_ms, 32000);
	cr_expect_lt(n_pauses, 50, "they grow");
}

Test(write, a_deadline_is_a_deadline)
{
	fits = 0;
	conn->deadline_ns = 1; /* long ago */
	cr_expect_eq(write_much(false), STATUS_TIMED_OUT);
	cr_expect_eq(n_pauses, 0);
}

Test(write, who_does_not_want_to_wait)
{
	fits = 0;
	cr_expect_eq(write_much(true), STATUS_WOULD_BLOCK);
	conn->never_waits = true;
	cr_expect_eq(write_much(false), STATUS_TIMED_OUT);
	cr_expect_eq(n_pauses, 0);
}

/* Another error is the end. */
Test(write, other_errors)
{
	fits = 0;
	error = EPIPE;
	cr_expect_eq(write_much(false), STATUS_DEAD_OBJECT);
	fits = SIZE_MAX;
	refuses = 3;
	error = EINTR;
	cr_expect_eq(write_much(false), STATUS_OK, "a signal is none");
}
