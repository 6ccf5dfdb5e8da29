#include <criterion/criterion.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/rpc_conn.h"
#include "rpc/rpc_wire.h"
#include "support/raw_peer.h"

static struct rpc_conn *conn;
static int peer;

static void make(bool carries_fds)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
		     0);
	conn = rpc_conn_new(fds[0], carries_fds);
	cr_assert(conn);
	peer = fds[1];
}

static void unmake(void)
{
	rpc_conn_free(conn);
	close(peer);
}

Test(conn, reads_ahead, .timeout = 60)
{
	unsigned char bytes[8];
	bool eof;

	make(false);
	raw_send(peer, "01020304 05060708 090a0b0c");
	cr_assert_eq(rpc_conn_read(conn, bytes, 4, &eof), STATUS_OK);
	cr_expect_arr_eq(bytes, "\1\2\3\4", 4);
	cr_expect_eq(conn->end - conn->start, 8, "the rest is in the buffer");
	cr_expect(rpc_conn_readable(conn));
	cr_assert_eq(rpc_conn_read(conn, bytes, 8, &eof), STATUS_OK);
	cr_expect_arr_eq(bytes, "\5\6\7\10\11\12\13\14", 8);
	cr_expect_not(rpc_conn_readable(conn));
	unmake();
}

Test(conn, the_end_between_and_within, .timeout = 60)
{
	unsigned char bytes[8];
	bool eof = true;

	make(false);
	raw_send(peer, "0102");
	cr_assert_eq(shutdown(peer, SHUT_WR), 0);
	cr_expect_eq(rpc_conn_read(conn, bytes, 4, &eof), STATUS_DEAD_OBJECT);
	cr_expect_not(eof, "in the middle");
	cr_expect_eq(rpc_conn_read(conn, bytes, 4, &eof), STATUS_DEAD_OBJECT);
	cr_expect(eof);
	unmake();
}

Test(conn, descriptors_come_with_a_header, .timeout = 60)
{
	unsigned char bytes[4];
	struct rpc_fds fds;
	bool eof;

	make(true);
	raw_send_fds(peer, "01020304", 0, 2);
	raw_send(peer, "05060708");
	cr_assert_eq(rpc_conn_read_with_fds(conn, bytes, 4, &fds, &eof),
		     STATUS_OK);
	cr_expect_eq(fds.count, 2);
	cr_expect(fcntl(fds.fds[0], F_GETFD) & FD_CLOEXEC);
	rpc_fds_fini(&fds);
	cr_assert_eq(rpc_conn_read_with_fds(conn, bytes, 4, &fds, &eof),
		     STATUS_OK);
	cr_expect_eq(fds.count, 0);
	unmake();
}

/* A few with each byte would be as many as the peer likes. */
Test(conn, descriptors_in_pieces, .timeout = 60)
{
	unsigned char bytes[4];
	struct rpc_fds fds;
	bool eof;
	int probe;

	make(true);
	raw_send_fds(peer, "01", 0, 1);
	raw_send_fds(peer, "02", 0, 1);
	raw_send_fds(peer, "0304", 0, 1);
	probe = dup(0);
	close(probe);
	cr_expect_eq(rpc_conn_read_with_fds(conn, bytes, 4, &fds, &eof),
		     STATUS_BAD_VALUE);
	cr_expect_eq(fds.count, 0);
	cr_expect_eq(dup(0), probe, "all of them are closed");
	unmake();
}

/* In a session without them, and in a body, they are dropped. */
Test(conn, descriptors_where_none_belong, .timeout = 60)
{
	unsigned char bytes[4];
	struct rpc_fds fds;
	bool eof;
	int probe = dup(0);

	close(probe);
	make(false);
	close(peer);
	rpc_conn_free(conn);
	make(false);
	raw_send_fds(peer, "01020304", 0, 3);
	cr_assert_eq(rpc_conn_read_with_fds(conn, bytes, 4, &fds, &eof),
		     STATUS_OK);
	cr_expect_eq(fds.count, 0);
	conn->carries_fds = true;
	raw_send_fds(peer, "05060708", 0, 3);
	cr_assert_eq(rpc_conn_read(conn, bytes, 4, &eof), STATUS_OK);
	unmake();
	cr_expect_eq(dup(0), probe);
}

Test(conn, deadlines, .timeout = 60)
{
	unsigned char byte;
	uint64_t before;

	make(false);
	before = rpc_conn_set_timeout(conn, 20);
	cr_expect_eq(before, 0);
	cr_expect_eq(rpc_conn_read(conn, &byte, 1, NULL), STATUS_TIMED_OUT);
	raw_send(peer, "07");
	cr_expect_eq(rpc_conn_read(conn, &byte, 1, NULL), STATUS_OK,
		     "what is there is read");
	unmake();
}

static void *shut_down(void *unused)
{
	(void)unused;
	rpc_conn_shutdown(conn);
	return NULL;
}

Test(conn, another_thread_ends_it, .timeout = 60)
{
	unsigned char byte;
	pthread_t thread;

	make(false);
	cr_assert_eq(pthread_create(&thread, NULL, shut_down, NULL), 0);
	cr_expect_eq(rpc_conn_read(conn, &byte, 1, NULL), STATUS_DEAD_OBJECT);
	pthread_join(thread, NULL);
	unmake();
}

static int n_drained;

static binder_status_t drain(struct rpc_conn *c, void *userdata)
{
	unsigned char bytes[4];

	cr_expect_eq(userdata, &n_drained);
	n_drained++;
	/* the peer reads now, and this goes on */
	while (recv(peer, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
	return rpc_conn_read(c, bytes, 4, NULL);
}

Test(conn, a_writer_reads_while_it_has_to_wait, .timeout = 60)
{
	static unsigned char block[1 << 20];
	struct rpc_output output = {
		.parts = {{NULL, 0}, {block, sizeof(block)}},
		.n_parts = 2,
	};

	make(false);
	raw_send(peer, "01020304");
	(void)rpc_conn_set_timeout(conn, 200);
	/* more than the sockets hold, even once drained */
	cr_expect_eq(rpc_conn_write(conn, &output, drain, &n_drained),
		     STATUS_TIMED_OUT);
	cr_expect_eq(n_drained, 1);
	unmake();
}

Test(conn, at_once_or_not_at_all, .timeout = 60)
{
	static unsigned char block[1 << 16];
	struct rpc_output output;
	binder_status_t rc;
	int written = 0;

	make(false);
	do {
		output = (struct rpc_output){
			.parts = {{block, 32}},
			.n_parts = 1,
			.at_once = true,
		};
		rc = rpc_conn_write(conn, &output, NULL, NULL);
		written += rc == STATUS_OK ? 1 : 0;
	} while (rc == STATUS_OK);
	cr_expect_eq(rc, STATUS_WOULD_BLOCK);
	cr_expect_gt(written, 10);
	/* and nothing of it is there */
	for (int i = 0; i < written; i++)
		cr_assert_eq(recv(peer, block, 32, MSG_WAITALL), 32);
	cr_expect_eq(recv(peer, block, 32, MSG_DONTWAIT), -1);
	unmake();
}

/* The kernel drops descriptors for which there is no room, and says so: the
 * message is not what was sent. */
Test(conn, descriptors_that_are_lost, .timeout = 60)
{
	struct rlimit limit, before;
	unsigned char bytes[4];
	struct rpc_fds fds;
	bool eof;
	int probe;

	make(true);
	raw_send_fds(peer, "01020304", 0, 5);
	probe = dup(0);
	close(probe);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)probe + 2; /* two of five */
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_eq(rpc_conn_read_with_fds(conn, bytes, 4, &fds, &eof),
		     STATUS_DEAD_OBJECT);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	cr_expect_eq(fds.count, 0);
	cr_expect_eq(dup(0), probe, "those that came are closed");
	unmake();
}
