/* The consoles and ports of QEMU, and the files of the host behind them. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "qemu/qemu_console.h"

struct rig {
	struct loop loop;
	struct qemu_console console;
	int peers[QEMU_N_PORTS];   /* QEMU's ends */
	int out[2], in[2], log[2]; /* pipes of the host */
	int ended;
};

static struct rig r;

static void on_ended(void *userdata)
{
	((struct rig *)userdata)->ended++;
}

static void run(void)
{
	for (int i = 0; i < 50; i++)
		cr_assert_eq(loop_run_once(&r.loop, 0), 0);
}

static void setup(void)
{
	struct qemu_console_files files;

	cr_assert_eq(loop_init(&r.loop), 0);
	cr_assert_eq(pipe2(r.out, O_NONBLOCK), 0);
	cr_assert_eq(pipe2(r.in, O_NONBLOCK), 0);
	cr_assert_eq(pipe2(r.log, O_NONBLOCK), 0);
	files = (struct qemu_console_files){
		.console_out = r.out[1],
		.console_in = r.in[0],
		.log = r.log[1],
		.failure = -1,
	};
	cr_assert_eq(qemu_console_init(&r.console, &files, &r.loop, r.peers),
		     0);
	r.console.ended = on_ended;
	r.console.userdata = &r;
}

static void teardown(void)
{
	qemu_console_fini(&r.console);
	qemu_console_fini(&r.console); /* again is a no-op */
	for (int i = 0; i < QEMU_N_PORTS; i++)
		fd_close(r.peers[i]);
	loop_fini(&r.loop);
}

static void put(int fd, const char *text)
{
	cr_assert_eq(fd_write_all(fd, text, strlen(text)), 0);
	run();
}

static void expect(int fd, const char *text)
{
	char got[64];
	ssize_t n;

	cr_assert_eq(fd_set_nonblock(fd, true), 0);
	n = read(fd, got, sizeof(got) - 1);
	got[n < 0 ? 0 : n] = '\0';
	cr_expect_str_eq(got, text);
}

TestSuite(qemu_console, .init = setup, .fini = teardown);

Test(qemu_console, both_consoles_go_to_one_place)
{
	put(r.peers[QEMU_PORT_SERIAL], "early ");
	put(r.peers[QEMU_PORT_CONSOLE], "late");
	put(r.peers[QEMU_PORT_LOG], "log");
	put(r.peers[QEMU_PORT_FAILURE], "for nobody");
	expect(r.out[0], "early late");
	expect(r.log[0], "log");
}

Test(qemu_console, input_goes_to_the_console_in_use)
{
	put(r.in[1], "one");
	expect(r.peers[QEMU_PORT_SERIAL], "one");
	put(r.peers[QEMU_PORT_CONSOLE], "login: ");
	put(r.in[1], "two");
	expect(r.peers[QEMU_PORT_CONSOLE], "two");
	expect(r.peers[QEMU_PORT_SERIAL], "");
}

Test(qemu_console, input_that_ends)
{
	fd_close(r.in[1]);
	run();
	cr_expect_eq(r.console.in_source.fd, -1, "still watched");
}

/* QEMU that does not read must not make us read on without end. */
Test(qemu_console, input_that_nobody_takes_waits)
{
	char block[4096] = {0};
	size_t sent = 0;

	while (write(r.in[1], block, sizeof(block)) > 0) {
		sent += sizeof(block);
		run();
		cr_assert_lt(sent, 64U << 20, "it takes without end");
	}
	for (size_t got = 0; got < sent;) {
		ssize_t n;

		cr_assert_eq(fd_set_nonblock(r.peers[QEMU_PORT_SERIAL], true),
			     0);
		n = read(r.peers[QEMU_PORT_SERIAL], block, sizeof(block));
		if (n > 0)
			got += (size_t)n;
		else
			cr_assert_eq(errno, EAGAIN);
		cr_assert_eq(loop_run_once(&r.loop, 0), 0);
	}
}

Test(qemu_console, ended_when_all_ends_are_closed)
{
	for (int i = 0; i < QEMU_N_PORTS; i++) {
		cr_expect_eq(r.ended, 0);
		cr_expect_not(qemu_console_has_ended(&r.console));
		fd_close(r.peers[i]);
		r.peers[i] = -1;
		run();
	}
	cr_expect_eq(r.ended, 1);
	cr_expect(qemu_console_has_ended(&r.console));
}

/* /dev/null cannot be waited for, and is a usual standard input. */
Test(qemu_console, input_from_dev_null)
{
	struct qemu_console_files files = {
		.console_out = -1,
		.console_in = open("/dev/null", O_RDONLY),
		.log = -1,
		.failure = -1,
	};
	static struct qemu_console other;
	int peers[QEMU_N_PORTS];

	cr_assert_eq(qemu_console_init(&other, &files, &r.loop, peers), 0);
	qemu_console_fini(&other);
	for (int i = 0; i < QEMU_N_PORTS; i++)
		fd_close(peers[i]);
	fd_close(files.console_in);
}
