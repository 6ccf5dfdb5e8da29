/* Bytes from QEMU to the host, with hosts that do not read. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "qemu/relay.h"

struct rig {
	struct loop loop;
	struct sink sink;
	struct relay relay;
	int qemu;   /* QEMU's end */
	int out[2]; /* the host's pipe */
	int ended, writable;
};

static void on_ended(void *userdata)
{
	((struct rig *)userdata)->ended++;
}

static void on_writable(void *userdata)
{
	((struct rig *)userdata)->writable++;
}

static void on_sink_ready(void *userdata)
{
	relay_resume(&((struct rig *)userdata)->relay);
}

static struct rig *rig_new(void)
{
	struct rig *r = calloc(1, sizeof(*r));
	int pair[2];

	cr_assert_neq(signal(SIGPIPE, SIG_IGN), SIG_ERR);
	cr_assert_eq(loop_init(&r->loop), 0);
	cr_assert_eq(pipe(r->out), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	r->qemu = pair[1];
	sink_init(&r->sink, r->out[1], &r->loop);
	sink_on_ready(&r->sink, on_sink_ready, r);
	cr_assert_eq(relay_init(&r->relay, pair[0], &r->loop, &r->sink), 0);
	r->relay.ended = on_ended;
	r->relay.writable = on_writable;
	r->relay.userdata = r;
	return r;
}

static void run(struct rig *r)
{
	for (int i = 0; i < 200; i++)
		cr_assert_eq(loop_run_once(&r->loop, 0), 0);
}

static void rig_free(struct rig *r)
{
	relay_fini(&r->relay);
	relay_fini(&r->relay); /* again is a no-op */
	sink_fini(&r->sink);
	fd_close(r->qemu);
	fd_close(r->out[0]);
	loop_fini(&r->loop);
	free(r);
}

/* As much as the socket takes, each byte telling its place. */
static size_t fill_socket(int fd, size_t total)
{
	unsigned char chunk[4096];
	ssize_t n;

	for (;;) {
		for (size_t i = 0; i < sizeof(chunk); i++)
			chunk[i] = (unsigned char)((total + i) % 251);
		n = send(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n < 0)
			return total;
		total += (size_t)n;
	}
}

static size_t drain_pipe(struct rig *r, size_t seen)
{
	unsigned char buf[4096];
	ssize_t n;

	cr_assert_eq(fd_set_nonblock(r->out[0], true), 0);
	for (;;) {
		n = read(r->out[0], buf, sizeof(buf));
		if (n <= 0)
			return seen;
		for (ssize_t i = 0; i < n; i++, seen++)
			cr_assert_eq(buf[i], seen % 251, "byte %zu", seen);
	}
}

Test(relay, carries)
{
	struct rig *r = rig_new();
	char got[8];

	cr_assert_eq(write(r->qemu, "hello", 5), 5);
	run(r);
	cr_assert_eq(read(r->out[0], got, sizeof(got)), 5);
	cr_expect(memcmp(got, "hello", 5) == 0 && r->relay.spoke);
	cr_expect_eq(r->ended, 0);
	rig_free(r);
}

Test(relay, reader_that_does_not_read_stops_qemu)
{
	struct rig *r = rig_new();
	size_t sent = 0, seen = 0, before;
	int rounds = 0;

	do {
		before = sent;
		sent = fill_socket(r->qemu, sent);
		run(r);
		cr_assert_lt(++rounds, 1000, "it takes without end");
	} while (sent > before);
	cr_expect_eq(r->ended, 0);
	/* it comes in order and whole, once somebody reads */
	for (int i = 0; i < 1000 && seen < sent; i++) {
		seen = drain_pipe(r, seen);
		run(r);
	}
	cr_expect_eq(seen, sent);
	rig_free(r);
}

Test(relay, all_is_carried_after_qemu_is_gone)
{
	struct rig *r = rig_new();
	size_t sent = fill_socket(r->qemu, 0), seen = 0;

	cr_assert_eq(shutdown(r->qemu, SHUT_RDWR), 0);
	run(r);
	for (int i = 0; i < 1000 && !r->ended; i++) {
		seen = drain_pipe(r, seen);
		run(r);
	}
	seen = drain_pipe(r, seen);
	cr_expect_eq(seen, sent);
	cr_expect_eq(r->ended, 1);
	cr_expect(relay_has_ended(&r->relay));
	rig_free(r);
}

/* A hang-up is reported again and again: it must not spin meanwhile. */
Test(relay, hang_up_while_the_reader_is_slow)
{
	struct rig *r = rig_new();

	cr_assert_gt(fill_socket(r->qemu, 0), 65536);
	cr_assert_eq(shutdown(r->qemu, SHUT_RDWR), 0);
	run(r);
	cr_expect_eq(r->ended, 0);
	cr_expect_eq(r->relay.source.fd, -1, "still watched");
	rig_free(r);
}

Test(relay, reader_that_is_gone)
{
	struct rig *r = rig_new();

	fd_close(r->out[0]);
	r->out[0] = -1;
	cr_assert_gt(fill_socket(r->qemu, 0), 0);
	cr_assert_eq(shutdown(r->qemu, SHUT_RDWR), 0);
	run(r);
	cr_expect_eq(r->ended, 1);
	rig_free(r);
}

Test(relay, input)
{
	struct rig *r = rig_new();
	char block[4096] = {0};
	size_t n = sizeof(block), sent = 0;

	while (n == sizeof(block)) {
		n = relay_send(&r->relay, block, sizeof(block));
		sent += n;
		cr_assert_lt(sent, 100U << 20, "it takes without end");
	}
	run(r);
	cr_expect_eq(r->writable, 0);
	while (recv(r->qemu, block, sizeof(block), MSG_DONTWAIT) > 0)
		;
	run(r);
	cr_expect_eq(r->writable, 1);
	rig_free(r);
}

Test(relay, input_for_nobody_is_thrown_away)
{
	struct rig *r = rig_new();

	cr_assert_eq(shutdown(r->qemu, SHUT_RDWR), 0);
	run(r);
	cr_expect_eq(relay_send(&r->relay, "x", 1), 1);
	rig_free(r);
}
