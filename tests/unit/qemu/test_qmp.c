/* The QMP client against a QEMU that may say anything. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "qemu/qmp.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n"
#define RETURN   "{\"return\": {}}\r\n"
#define SHUTDOWN(reason)                                                     \
	"{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": " \
	"\"" reason "\"}}\r\n"

struct peer {
	struct loop loop;
	struct qmp *qmp;
	int fd; /* QEMU's end */
	int ready, shutdowns, failures, rc;
	bool free_when_ready;
};

static void on_ready(void *userdata)
{
	struct peer *p = userdata;

	p->ready++;
	if (p->free_when_ready) {
		qmp_free(p->qmp);
		p->qmp = NULL;
	}
}

static void on_shutdown(void *userdata, enum qmp_shutdown cause)
{
	(void)cause;
	((struct peer *)userdata)->shutdowns++;
}

static void on_failed(void *userdata, int rc)
{
	struct peer *p = userdata;

	p->failures++;
	p->rc = rc;
}

static const struct qmp_ops ops = {on_ready, on_shutdown, on_failed};

static void begin(struct peer *p)
{
	int pair[2];

	memset(p, 0, sizeof(*p));
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(loop_init(&p->loop), 0);
	p->fd = pair[1];
	cr_assert_eq(qmp_new(pair[0], &p->loop, &ops, p, &p->qmp), 0);
}

static void say(struct peer *p, const void *data, size_t size)
{
	cr_assert_eq(fd_write_all(p->fd, data, size), 0);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(loop_run_once(&p->loop, 0), 0);
}

static void finish(struct peer *p)
{
	qmp_free(p->qmp);
	fd_close(p->fd);
	loop_fini(&p->loop);
}

static const struct {
	const char *what;
	const char *said;
	int ready;
	enum qmp_shutdown shutdown;
	int rc; /* of failed; 0: not called */
} rows[] = {
	{"negotiates", GREETING RETURN, 1, QMP_SHUTDOWN_NONE, 0},
	{"waits for the rest of a line", GREETING "{\"return\": {", 0,
	 QMP_SHUTDOWN_NONE, 0},
	{"tells a power-off", GREETING RETURN SHUTDOWN("guest-shutdown"), 1,
	 QMP_SHUTDOWN_GUEST, 0},
	{"tells a reset", GREETING RETURN SHUTDOWN("guest-reset"), 1,
	 QMP_SHUTDOWN_RESET, 0},
	{"tells a panic", GREETING RETURN SHUTDOWN("guest-panic"), 1,
	 QMP_SHUTDOWN_PANIC, 0},
	{"a panic event is a panic, whatever follows",
	 GREETING RETURN
	 "{\"event\": \"GUEST_PANICKED\"}\n" SHUTDOWN("guest-shutdown"),
	 1, QMP_SHUTDOWN_PANIC, 0},
	{"somebody killed it", GREETING RETURN SHUTDOWN("host-signal"), 1,
	 QMP_SHUTDOWN_HOST, 0},
	{"a reason from the future", GREETING RETURN SHUTDOWN("moon"), 1,
	 QMP_SHUTDOWN_UNKNOWN, 0},
	{"a SHUTDOWN without data",
	 GREETING RETURN "{\"event\": \"SHUTDOWN\"}\n", 1, QMP_SHUTDOWN_UNKNOWN,
	 0},
	{"a reason that is a number",
	 GREETING RETURN
	 "{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": 3}}\n",
	 1, QMP_SHUTDOWN_UNKNOWN, 0},
	{"an event whose name is an object",
	 GREETING RETURN "{\"event\": {\"a\": 1}}\n", 1, QMP_SHUTDOWN_NONE, 0},
	{"another event", GREETING RETURN "{\"event\": \"STOP\"}\n", 1,
	 QMP_SHUTDOWN_NONE, 0},
	{"an event between greeting and answer",
	 GREETING "{\"event\": \"RESUME\"}\n" RETURN, 1, QMP_SHUTDOWN_NONE, 0},
	{"a late error is no failure",
	 GREETING RETURN "{\"error\": {\"desc\": \"no\"}}\n", 1,
	 QMP_SHUTDOWN_NONE, 0},
	{"no greeting", RETURN, 0, QMP_SHUTDOWN_NONE, AVF_ERR_PROTOCOL},
	{"a greeting that is a text", "{\"QMP\": \"hi\"}\n", 0,
	 QMP_SHUTDOWN_NONE, AVF_ERR_PROTOCOL},
	{"refuses to negotiate",
	 GREETING "{\"error\": {\"desc\": \"never\"}}\n", 0, QMP_SHUTDOWN_NONE,
	 AVF_ERR_PROTOCOL},
	{"not JSON", "hello\n", 0, QMP_SHUTDOWN_NONE, AVF_ERR_PROTOCOL},
	{"an empty line", "\n", 0, QMP_SHUTDOWN_NONE, AVF_ERR_PROTOCOL},
	{"an array", "[1, 2]\n", 0, QMP_SHUTDOWN_NONE, AVF_ERR_PROTOCOL},
	{"neither event nor answer", GREETING "{\"x\": 1}\n", 0,
	 QMP_SHUTDOWN_NONE, AVF_ERR_PROTOCOL},
	{"two objects on a line", GREETING "{} {}\n", 0, QMP_SHUTDOWN_NONE,
	 AVF_ERR_PROTOCOL},
	{"nothing is read after an error",
	 GREETING "x\n" RETURN SHUTDOWN("guest-shutdown"), 0, QMP_SHUTDOWN_NONE,
	 AVF_ERR_PROTOCOL},
};

Test(qmp, lines)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct peer p;

		begin(&p);
		say(&p, rows[i].said, strlen(rows[i].said));
		cr_expect_eq(p.ready, rows[i].ready, "%s", rows[i].what);
		cr_expect_eq(qmp_get_shutdown(p.qmp), rows[i].shutdown, "%s",
			     rows[i].what);
		cr_expect_eq(p.shutdowns, rows[i].shutdown ? 1 : 0, "%s",
			     rows[i].what);
		cr_expect_eq(p.rc, rows[i].rc, "%s: %d", rows[i].what, p.rc);
		cr_expect_eq(p.failures, rows[i].rc ? 1 : 0, "%s",
			     rows[i].what);
		finish(&p);
	}
}

Test(qmp, byte_by_byte)
{
	const char *said = GREETING RETURN SHUTDOWN("guest-reset");
	struct peer p;

	begin(&p);
	for (size_t i = 0; i < strlen(said); i++)
		say(&p, said + i, 1);
	cr_expect_eq(qmp_get_shutdown(p.qmp), QMP_SHUTDOWN_RESET);
	finish(&p);
}

Test(qmp, line_without_end)
{
	char *line = malloc(QMP_MAX_LINE);
	struct peer p;

	memset(line, ' ', QMP_MAX_LINE);
	begin(&p);
	say(&p, line, QMP_MAX_LINE - 1);
	cr_expect_eq(p.failures, 0);
	say(&p, line, 1);
	cr_expect_eq(p.rc, AVF_ERR_PROTOCOL);
	finish(&p);
	free(line);
}

/* Deep nesting must not eat our stack. */
Test(qmp, deep_nesting)
{
	char line[QMP_MAX_LINE - 1];
	struct peer p;

	memset(line, '[', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	begin(&p);
	say(&p, line, sizeof(line));
	cr_expect_eq(p.rc, AVF_ERR_PROTOCOL);
	finish(&p);
}

Test(qmp, closed)
{
	struct peer p;

	begin(&p);
	say(&p, GREETING RETURN, strlen(GREETING RETURN));
	cr_assert_eq(shutdown(p.fd, SHUT_RDWR), 0);
	cr_assert_eq(loop_run_once(&p.loop, 0), 0);
	cr_expect_eq(p.rc, AVF_ERR_CLOSED);
	cr_expect_eq(p.failures, 1);
	cr_expect_eq(qmp_quit(p.qmp), AVF_ERR_STATE);
	finish(&p);
}

Test(qmp, last_words_are_drained)
{
	const char *said = GREETING RETURN SHUTDOWN("guest-shutdown");
	struct peer p;

	begin(&p);
	cr_assert_eq(fd_write_all(p.fd, said, strlen(said)), 0);
	cr_assert_eq(shutdown(p.fd, SHUT_WR), 0);
	qmp_drain(p.qmp);
	cr_expect_eq(qmp_get_shutdown(p.qmp), QMP_SHUTDOWN_GUEST);
	cr_expect_eq(p.failures, 0);
	qmp_drain(p.qmp); /* again is a no-op */
	finish(&p);
}

Test(qmp, commands)
{
	char got[256];
	struct peer p;
	ssize_t n;

	begin(&p);
	cr_expect_eq(qmp_system_powerdown(p.qmp), AVF_ERR_STATE);
	say(&p, GREETING RETURN, strlen(GREETING RETURN));
	cr_expect_eq(qmp_system_powerdown(p.qmp), 0);
	n = read(p.fd, got, sizeof(got) - 1);
	cr_assert_gt(n, 0);
	got[n] = '\0';
	cr_expect_str_eq(got, "{\"execute\":\"qmp_capabilities\"}\n"
			      "{\"execute\":\"system_powerdown\"}\n");
	finish(&p);
}

Test(qmp, freed_by_its_callback)
{
	const char *said = GREETING RETURN SHUTDOWN("guest-shutdown");
	struct peer p;

	begin(&p);
	p.free_when_ready = true;
	say(&p, said, strlen(said));
	cr_expect_eq(p.ready, 1);
	cr_expect_eq(p.shutdowns, 0, "called after it was freed");
	finish(&p);
}
