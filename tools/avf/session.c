#include "session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli.h"
#include "events.h"
#include "streams.h"

/* --connect: how long one try may take, and how long to wait between two. */
#define CONNECT_TRY_MS  1000
#define CONNECT_WAIT_NS 100000000ULL

/* Slots of the poll loop: the VM, signals, then the streams. */
enum { POLL_VM = 0, POLL_SIGNAL = 1, POLL_STREAMS = 2 };

#define NEVER UINT64_MAX

struct session {
	const struct run_options *options;
	avf_vm *vm;    /* owned */
	int signal_fd; /* owned */
	bool is_payload;
	struct reporter reporter;
	struct streams streams;
	uint64_t connect_ns;  /* next try of --connect, or NEVER */
	uint64_t deadline_ns; /* --timeout, or NEVER */
	unsigned int n_stops; /* how often it was asked to stop */
	bool stopped;
	int stop_reason;
	bool payload_finished;
	int payload_code;
};

static int say_problems(const avf_config *config)
{
	enum cli_exit code = CLI_EXIT_HOST;
	avf_problems *problems;
	int n;

	n = avf_config_validate(config, &problems);
	if (n < 0)
		return cli_fail_avf();
	for (size_t i = 0; i < (size_t)n; i++) {
		const char *field = avf_problems_field(problems, i);

		(void)cli_fail(CLI_EXIT_USAGE, "%s: %s", field,
			       avf_problems_text(problems, i));
		/* asking for a protected VM is not wrong, but impossible */
		if (strcmp(field, "protected") != 0)
			code = CLI_EXIT_USAGE;
	}
	avf_problems_free(problems);
	return n > 0 ? (int)code : 0;
}

/* The first request is polite, every other one is not. */
static void stop(struct session *s)
{
	int rc;

	rc = s->n_stops++ == 0 ? avf_vm_stop(s->vm) : avf_vm_kill(s->vm);
	if (rc < 0 && rc != AVF_ERR_STATE)
		(void)cli_fail_avf();
}

static void take_signal(struct session *s)
{
	struct signalfd_siginfo info;

	if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (s->n_stops == 0)
		fputs("avf: stopping the VM; once more kills it\n", stderr);
	stop(s);
}

static void take_event(struct session *s, const struct avf_event *event)
{
	bool may_connect = s->options->connect_port != 0;

	report_event(&s->reporter, event);
	switch (event->type) {
	case AVF_EVENT_STARTED:
		if (may_connect && !s->is_payload)
			s->connect_ns = report_now_ns();
		break;
	case AVF_EVENT_PAYLOAD_READY:
		if (may_connect)
			s->connect_ns = report_now_ns();
		break;
	case AVF_EVENT_PAYLOAD_FINISHED:
		s->payload_finished = true;
		s->payload_code = event->code;
		break;
	case AVF_EVENT_STOPPED:
		s->stopped = true;
		s->stop_reason = event->code;
		break;
	default:
		break;
	}
}

static int take_events(struct session *s)
{
	struct avf_event event = AVF_EVENT_INIT;
	int rc;

	for (;;) {
		rc = avf_vm_next_event(s->vm, &event);
		if (rc < 0)
			return cli_fail_avf();
		if (rc == 0)
			return 0;
		take_event(s, &event);
	}
}

/* The guest's listener may come later than its start: try again. */
static void try_connect(struct session *s)
{
	int fd = -1;
	int rc;

	if (s->stopped || report_now_ns() < s->connect_ns)
		return;
	s->connect_ns = NEVER;
	rc = avf_vm_connect(s->vm, s->options->connect_port, CONNECT_TRY_MS,
			    &fd);
	if (rc == 0)
		streams_connect(&s->streams, fd);
	else if (rc == AVF_ERR_REFUSED || rc == AVF_ERR_TIMEOUT)
		s->connect_ns = report_now_ns() + CONNECT_WAIT_NS;
	else if (rc != AVF_ERR_STATE && rc != AVF_ERR_CLOSED)
		(void)cli_fail_avf();
}

static void check_deadline(struct session *s)
{
	if (report_now_ns() < s->deadline_ns)
		return;
	s->deadline_ns = NEVER;
	fprintf(stderr, "avf: stopping the VM after %u s (--timeout)\n",
		s->options->timeout_s);
	stop(s);
}

static int poll_timeout_ms(const struct session *s)
{
	uint64_t next =
		s->connect_ns < s->deadline_ns ? s->connect_ns : s->deadline_ns;
	uint64_t now = report_now_ns();

	if (next == NEVER)
		return -1;
	return next <= now ? 0 : (int)((next - now) / 1000000) + 1;
}

/* The only place that waits. */
static int loop(struct session *s)
{
	struct pollfd polls[POLL_STREAMS + STREAMS_POLLS];
	int rc;

	while (!s->stopped) {
		polls[POLL_VM] =
			(struct pollfd){avf_vm_get_fd(s->vm), POLLIN, 0};
		polls[POLL_SIGNAL] = (struct pollfd){s->signal_fd, POLLIN, 0};
		streams_prepare(&s->streams, polls + POLL_STREAMS);
		rc = poll(polls, CLI_ARRAY_SIZE(polls), poll_timeout_ms(s));
		if (rc < 0 && errno == EINTR)
			continue;
		if (rc < 0)
			return cli_fail(CLI_EXIT_HOST, "poll: %s",
					strerror(errno));
		if (polls[POLL_SIGNAL].revents != 0)
			take_signal(s);
		streams_run(&s->streams, polls + POLL_STREAMS);
		rc = take_events(s);
		if (rc != 0)
			return rc;
		try_connect(s);
		check_deadline(s);
	}
	streams_drain(&s->streams);
	return 0;
}

/* Documented in docs/cli.md and `avf help exit-codes`. */
static int exit_code(const struct session *s)
{
	switch (s->stop_reason) {
	case AVF_STOP_REASON_SHUTDOWN:
		if (s->options->pass_exit_code && s->payload_finished)
			return s->payload_code & 0xff;
		return s->n_stops > 0 ? CLI_EXIT_STOPPED : CLI_EXIT_OK;
	case AVF_STOP_REASON_START_FAILED:
		return CLI_EXIT_START_FAILED;
	case AVF_STOP_REASON_KILLED:
		return CLI_EXIT_STOPPED;
	default:
		return CLI_EXIT_VM_FAILED;
	}
}

/* From here on SIGINT and the like are read, not delivered. */
static int catch_signals(struct session *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return cli_fail(CLI_EXIT_HOST, "signalfd: %s", strerror(errno));
	return 0;
}

/* Validated twice: the streams add fields that have rules of their own. */
static int start(struct session *s, avf_config *config)
{
	int rc;

	rc = say_problems(config);
	if (rc != 0)
		return rc;
	rc = streams_open(&s->streams, s->options, config);
	if (rc == 0)
		rc = say_problems(config);
	if (rc != 0)
		return rc;
	if (s->vm ? avf_vm_set_config(s->vm, config) < 0
		  : avf_vm_new(config, &s->vm) < 0)
		return cli_fail_avf();
	rc = catch_signals(s);
	if (rc != 0)
		return rc;
	s->reporter.start_ns = report_now_ns();
	if (s->options->timeout_s != 0)
		s->deadline_ns = s->reporter.start_ns +
				 s->options->timeout_s * 1000000000ULL;
	if (avf_vm_run(s->vm) < 0) {
		(void)cli_fail_avf();
		return CLI_EXIT_HOST;
	}
	streams_listen(&s->streams, config);
	return 0;
}

int session_run(const struct run_options *options, avf_config *config)
{
	return session_run_vm(options, config, NULL);
}

int session_run_vm(const struct run_options *options, avf_config *config,
		   avf_vm *vm)
{
	struct session s = {.options = options, .signal_fd = -1, .vm = vm};
	int rc;

	s.is_payload = avf_config_get_kind(config) == AVF_CONFIG_PAYLOAD;
	s.connect_ns = NEVER;
	s.deadline_ns = NEVER;
	s.reporter.json = options->json;
	s.reporter.quiet_stdout = options->connect_port != 0;
	streams_init(&s.streams);
	rc = start(&s, config);
	if (rc == 0)
		rc = loop(&s);
	if (rc == 0)
		rc = exit_code(&s);
	avf_vm_free(s.vm);
	streams_fini(&s.streams);
	cli_close(&s.signal_fd);
	return rc;
}
