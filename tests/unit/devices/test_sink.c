#include "devices/sink.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define BIG (1U << 20)

static struct loop loop;
static struct sink sink;
static unsigned int readies;
static char big[BIG];

static void on_ready(void *userdata)
{
	(void)userdata;
	readies++;
}

static void start(int fd)
{
	(void)signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(loop_init(&loop), 0);
	sink_init(&sink, fd, &loop);
	sink_on_ready(&sink, on_ready, NULL);
}

/* Write until it takes no more or @limit is reached. Returns the total. */
static size_t fill(size_t limit)
{
	size_t total = 0;
	size_t n;

	do {
		n = sink_write(&sink, big, sizeof(big));
		total += n;
	} while (n > 0 && total < limit);
	return total;
}

static void drain(int fd)
{
	cr_assert_eq(fd_set_nonblock(fd, true), 0);
	while (read(fd, big, sizeof(big)) > 0)
		;
}

/* fds[1] is written to. Terminals: the slave's output, the master reads. */
static void open_pipe(int fds[2])
{
	cr_assert_eq(pipe(fds), 0);
}

static void open_socket(int fds[2])
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
}

static void open_tty(int fds[2])
{
	fds[0] = posix_openpt(O_RDWR | O_NOCTTY);
	cr_assert_geq(fds[0], 0);
	cr_assert_eq(grantpt(fds[0]), 0);
	cr_assert_eq(unlockpt(fds[0]), 0);
	fds[1] = open(ptsname(fds[0]), O_RDWR | O_NOCTTY);
	cr_assert_geq(fds[1], 0);
}

static const struct {
	const char *what;
	void (*open)(int fds[2]);
	enum sink_kind kind;
} kinds[] = {
	{"a pipe", open_pipe, SINK_PIPE},
	{"a socket", open_socket, SINK_SOCKET},
	{"a terminal", open_tty, SINK_TTY},
};

Test(sink, a_full_host_never_blocks_and_is_heard_of_again, .timeout = 20)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const char *what = kinds[i].what;
		int fds[2];

		readies = 0;
		kinds[i].open(fds);
		start(fds[1]);
		cr_expect_eq(sink.kind, kinds[i].kind, "%s", what);
		cr_expect_eq(sink_write(&sink, "hello", 5), 5, "%s", what);
		cr_expect_lt(fill(BIG * 8), BIG * 8, "%s is bounded", what);
		cr_expect_eq(sink_write(&sink, "x", 1), 0, "%s", what);
		cr_assert_eq(loop_run_once(&loop, 0), 0);
		cr_expect_eq(readies, 0, "%s is full, says nothing", what);
		drain(fds[0]);
		cr_assert_eq(loop_run_once(&loop, 1000), 0);
		cr_expect_eq(readies, 1, "%s has room", what);
		cr_expect_eq(sink_write(&sink, "x", 1), 1, "%s", what);
		cr_assert_eq(loop_run_once(&loop, 0), 0);
		cr_expect_eq(readies, 1, "%s: once", what);
		cr_expect_eq(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0,
			     "%s keeps the caller's flags", what);
		cr_expect_eq(sink.discarded, 0, "%s", what);
		sink_fini(&sink);
		(void)close(fds[0]);
		loop_fini(&loop);
	}
}

Test(sink, a_reader_that_left_costs_nothing, .timeout = 20)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const char *what = kinds[i].what;
		int fds[2];

		kinds[i].open(fds);
		start(fds[1]);
		(void)fill(BIG * 8);
		(void)close(fds[0]);
		readies = 0;
		cr_assert_eq(loop_run_once(&loop, 1000), 0);
		cr_expect_eq(readies, 1, "%s: what waits is called", what);
		cr_expect_eq(sink_write(&sink, big, 100), 100, "%s", what);
		cr_expect_eq(sink.kind, SINK_DISCARD, "%s", what);
		cr_expect_eq(sink.discarded, 100, "%s", what);
		cr_expect_eq(sink_write(&sink, big, BIG), SINK_MAX_WRITE,
			     "%s: one turn at most", what);
		sink_fini(&sink);
		loop_fini(&loop);
	}
}

Test(sink, a_file_takes_everything)
{
	char path[] = "/tmp/avf-sink-XXXXXX";
	int fd = mkstemp(path);
	uint64_t size;

	cr_assert_geq(fd, 0);
	(void)unlink(path);
	start(fd);
	cr_expect_eq(sink.kind, SINK_FILE);
	cr_expect_eq(sink_write(&sink, big, 1000), 1000);
	cr_expect_eq(sink_write(&sink, big, BIG), SINK_MAX_WRITE);
	cr_assert_eq(fd_file_size(fd, "file", &size), 0);
	cr_expect_eq(size, 1000 + SINK_MAX_WRITE);
	sink_fini(&sink);
}

/* What the guest of a protected VM keeps to itself: dropped, and the reader
 * gets what comes next. */
Test(sink, memory_that_cannot_be_read, .timeout = 20)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *hidden =
		mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char text[8] = "";

	cr_assert_neq(hidden, MAP_FAILED);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const char *what = kinds[i].what;
		int fds[2];

		memset(text, 0, sizeof(text));
		kinds[i].open(fds);
		start(fds[1]);
		cr_expect_eq(sink_write(&sink, hidden, page), page, "%s", what);
		cr_expect_eq(sink.discarded, page, "%s", what);
		cr_expect_eq(sink_write(&sink, "next", 4), 4, "%s", what);
		/* a terminal may hand it over in pieces */
		for (ssize_t n, got = 0; got < 4; got += n) {
			n = read(fds[0], text + got, (size_t)(4 - got));
			cr_assert_gt(n, 0, "%s", what);
		}
		cr_expect_str_eq(text, "next", "%s", what);
		cr_expect_eq(sink.discarded, page, "%s lives", what);
		sink_fini(&sink);
		(void)close(fds[0]);
		loop_fini(&loop);
	}
}

Test(sink, what_cannot_be_written_discards)
{
	static const struct {
		const char *what;
		const char *path; /* NULL: descriptor -1 */
		int flags;
	} rows[] = {
		{"no descriptor", NULL, 0},
		{"a full device", "/dev/full", O_WRONLY},
		{"a descriptor that is not open for writing", "/dev/null",
		 O_RDONLY},
		{"a directory", "/", O_RDONLY},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		start(rows[i].path ? open(rows[i].path, rows[i].flags) : -1);
		cr_expect_eq(sink_write(&sink, "abc", 3), 3, "%s",
			     rows[i].what);
		cr_expect_eq(sink.discarded, 3, "%s", rows[i].what);
		cr_expect_eq(sink_write(&sink, "abc", 0), 0, "%s",
			     rows[i].what);
		sink_fini(&sink);
		sink_fini(&sink); /* twice is harmless */
		loop_fini(&loop);
	}
}

Test(sink, is_not_called_after_fini)
{
	int fds[2];

	open_pipe(fds);
	start(fds[1]);
	(void)fill(BIG * 8);
	drain(fds[0]);
	sink_fini(&sink);
	cr_assert_eq(loop_run_once(&loop, 10), 0);
	cr_expect_eq(readies, 0);
}
