/*
 * A VMM that runs no guest: $AVF_VMM of tests of the application's side. It
 * plays the scenario that is the name of the VM.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <avf/vm.h>

#include "base/fd.h"
#include "config/vm_config.h"
#include "wire/wire.h"

#define CONTROL 3
#define N_FLOOD 20000

static void event(int type, int code, const char *text)
{
	struct wire_event e = {.type = le32_make((uint32_t)type),
			       .code = le32_make((uint32_t)code),
			       .time_ns = le64_make(clock_now_ns())};
	int rc;

	wire_text_set(e.text, text);
	do {
		rc = wire_send(CONTROL, WIRE_EVENT, &e, sizeof(e), NULL, 0);
		if (rc == AVF_ERR_BUSY)
			(void)!fd_wait(CONTROL, POLLOUT, -1);
	} while (rc == AVF_ERR_BUSY);
}

static void stopped(int reason, const char *text)
{
	event(AVF_EVENT_STOPPED, reason, text);
}

static void sleep_for_ever(void)
{
	for (;;)
		(void)pause();
}

/* --- what the guest does ---------------------------------------------- */

static void good(void)
{
	event(AVF_EVENT_STARTED, 0, "nothing");
	stopped(AVF_STOP_REASON_SHUTDOWN, "bye");
}

static void payload(void)
{
	event(AVF_EVENT_STARTED, 1, "nothing");
	event(AVF_EVENT_PAYLOAD_STARTED, 0, "");
	event(AVF_EVENT_PAYLOAD_READY, 0, "");
	event(AVF_EVENT_LOG, 2, "a line");
	event(AVF_EVENT_ERROR, AVF_ERROR_PAYLOAD_CHANGED, "words");
	event(AVF_EVENT_PAYLOAD_FINISHED, 5, "");
	stopped(AVF_STOP_REASON_MICRODROID_PAYLOAD_HAS_CHANGED, "changed");
}

static void two_stops(void)
{
	stopped(AVF_STOP_REASON_SHUTDOWN, "the first");
	stopped(AVF_STOP_REASON_CRASH, "the second");
	event(AVF_EVENT_STARTED, 0, "");
}

/* The lifecycle's words arrive behind any number of lines. */
static void flood(void)
{
	event(AVF_EVENT_STARTED, 0, "");
	for (int i = 0; i < N_FLOOD; i++)
		event(AVF_EVENT_LOG, 1, "line");
	stopped(AVF_STOP_REASON_SHUTDOWN, "");
}

static void stop_and_live(void)
{
	stopped(AVF_STOP_REASON_SHUTDOWN, "but I stay");
	(void)close(CONTROL);
	sleep_for_ever();
}

/* --- how the process ends --------------------------------------------- */

static void mute(void)
{
}

static void exit_7(void)
{
	_exit(7);
}

/* As the first process of its PID namespace it has no other signal from
 * inside than a fault. No sanitizer has a handler for this one. */
static void die_by_trap(void)
{
	event(AVF_EVENT_STARTED, 0, "");
	__builtin_trap();
}

static void die_after_stopped(void)
{
	stopped(AVF_STOP_REASON_REBOOT, "my word");
	__builtin_trap();
}

static void start_and_live(void)
{
	event(AVF_EVENT_STARTED, 0, "");
	sleep_for_ever();
}

static void hang_up_and_live(void)
{
	event(AVF_EVENT_STARTED, 0, "");
	(void)close(CONTROL);
	sleep_for_ever();
}

/* --- a VMM that is out of its mind ------------------------------------ */

static void send_raw(const void *data, size_t size)
{
	(void)send(CONTROL, data, size, MSG_NOSIGNAL);
	sleep_for_ever();
}

static void garbage(void)
{
	send_raw("this is no message", 18);
}

static void oversized(void)
{
	static const char zeros[WIRE_MAX_BODY * 2];

	send_raw(zeros, sizeof(zeros));
}

static void short_event(void)
{
	(void)!wire_send(CONTROL, WIRE_EVENT, "abc", 3, NULL, 0);
	sleep_for_ever();
}

static void wrong_message(void)
{
	(void)!wire_send(CONTROL, WIRE_RUN, NULL, 0, NULL, 0);
	sleep_for_ever();
}

static void dirty_text(void)
{
	struct wire_event e = {.type = le32_make(AVF_EVENT_STOPPED),
			       .code = le32_make(AVF_STOP_REASON_SHUTDOWN)};

	memset(e.text, '\033', sizeof(e.text));
	(void)!wire_send(CONTROL, WIRE_EVENT, &e, sizeof(e), NULL, 0);
}

static void gifts(void)
{
	struct wire_event e = {.type = le32_make(AVF_EVENT_STARTED)};
	const int fds[3] = {0, 1, 2};

	for (int i = 0; i < 10; i++)
		(void)!wire_send(CONTROL, WIRE_EVENT, &e, sizeof(e), fds, 3);
	stopped(AVF_STOP_REASON_SHUTDOWN, "");
}

/* --- requests --------------------------------------------------------- */

enum answer {
	ANSWER_STOP, /* stop when asked; answer nothing else */
	ANSWER_NOTHING,
	ANSWER_HANG_UP,
	ANSWER_REFUSE,
	ANSWER_ECHO,
	ANSWER_NO_FD, /* a connection on a listener that is none */
};

/* One message's worth of echo. */
static void echo_once(int fd)
{
	char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	if (n > 0)
		(void)send(fd, buf, (size_t)n, MSG_NOSIGNAL);
}

static void answer_connect(struct wire_message *m, enum answer how)
{
	int channel = wire_take_fd(m, 0), reply = wire_take_fd(m, 1);

	if (how == ANSWER_NOTHING)
		return; /* both stay open */
	if (how == ANSWER_REFUSE)
		(void)!wire_send_reply(reply, fail(AVF_ERR_REFUSED, "no"));
	if (how == ANSWER_ECHO) {
		(void)!wire_send_reply(reply, 0);
		echo_once(channel);
	}
	fd_close(reply);
	fd_close(channel);
}

static void answer_listen(struct wire_message *m, enum answer how)
{
	const struct wire_port port = {.port = le32_make(5000)};
	int listener = wire_take_fd(m, 0);
	int pair[2];

	(void)!wire_send_reply(listener, 0);
	if (how == ANSWER_NO_FD)
		(void)!wire_send(listener, WIRE_ACCEPTED, &port, sizeof(port),
				 NULL, 0);
	if (how == ANSWER_ECHO &&
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0) {
		(void)!wire_send(listener, WIRE_ACCEPTED, &port, sizeof(port),
				 pair, 1);
		fd_close(pair[0]);
		echo_once(pair[1]);
		fd_close(pair[1]);
	}
	/* a listener that stays open: the process's end closes it */
}

static void serve(enum answer how)
{
	struct wire_message m;
	int rc;

	event(AVF_EVENT_STARTED, 0, "");
	for (;;) {
		if (fd_wait(CONTROL, POLLIN, -1) < 0)
			return;
		rc = wire_receive(CONTROL, &m);
		if (rc < 0)
			return;
		if (rc == 0)
			continue;
		if (m.type == WIRE_STOP && how != ANSWER_NOTHING) {
			stopped(AVF_STOP_REASON_SHUTDOWN, "as asked");
			return;
		}
		if (m.type == WIRE_CONNECT)
			answer_connect(&m, how);
		if (m.type == WIRE_LISTEN)
			answer_listen(&m, how);
		wire_message_fini(&m);
	}
}

static void serve_stop(void)
{
	serve(ANSWER_STOP);
}

static void serve_nothing(void)
{
	serve(ANSWER_NOTHING);
}

static void serve_hang_up(void)
{
	serve(ANSWER_HANG_UP);
}

static void serve_refuse(void)
{
	serve(ANSWER_REFUSE);
}

static void serve_echo(void)
{
	serve(ANSWER_ECHO);
}

static void serve_no_fd(void)
{
	serve(ANSWER_NO_FD);
}

static const struct {
	const char *name;
	void (*play)(void);
} scenarios[] = {
	{"good", good},
	{"payload", payload},
	{"two_stops", two_stops},
	{"flood", flood},
	{"stop_and_live", stop_and_live},
	{"mute", mute},
	{"exit_7", exit_7},
	{"die_by_trap", die_by_trap},
	{"die_after_stopped", die_after_stopped},
	{"start_and_live", start_and_live},
	{"hang_up_and_live", hang_up_and_live},
	{"garbage", garbage},
	{"oversized", oversized},
	{"short_event", short_event},
	{"wrong_message", wrong_message},
	{"dirty_text", dirty_text},
	{"gifts", gifts},
	{"serve_stop", serve_stop},
	{"serve_nothing", serve_nothing},
	{"serve_hang_up", serve_hang_up},
	{"serve_refuse", serve_refuse},
	{"serve_echo", serve_echo},
	{"serve_no_fd", serve_no_fd},
};

/* "reason_7" stops for reason 7, "early_4" without having started. */
static bool play_reason(const char *name)
{
	int reason;

	if (sscanf(name, "reason_%d", &reason) == 1)
		event(AVF_EVENT_STARTED, 0, "");
	else if (sscanf(name, "early_%d", &reason) != 1)
		return false;
	stopped(reason, "");
	return true;
}

static void play(const char *name)
{
	if (play_reason(name))
		return;
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		if (strcmp(scenarios[i].name, name) == 0)
			scenarios[i].play();
	}
}

static void expire(int number)
{
	_exit(number);
}

int main(void)
{
	struct wire_message m;
	struct vm_config config;

	/* whatever goes wrong, no test leaves one of these behind; a first
	 * process does not die of a signal without a handler */
	(void)signal(SIGALRM, expire);
	(void)alarm(60);
	if (fd_wait(CONTROL, POLLIN, -1) < 0 || wire_receive(CONTROL, &m) <= 0)
		return 1;
	vm_config_init(&config);
	if (vm_config_decode(m.body, m.size, m.fds, m.n_fds, &config) < 0)
		return 2;
	if (config.name)
		play(config.name);
	vm_config_fini(&config);
	return 0;
}
