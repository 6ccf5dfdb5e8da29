/* The application's side against VMMs that play a scenario: whatever they do,
 * a run ends with exactly one STOPPED, and nothing remains of it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/vm_harness.h"

static bool make(struct vmt_vm *v, const char *scenario)
{
	avf_config *config = NULL;
	int kernel = vmt_memfd(512, 0);

	CHECK_OK(avf_config_new(AVF_CONFIG_RAW, &config));
	CHECK_OK(avf_config_set_kernel_fd(config, kernel));
	CHECK_OK(avf_config_set_name(config, scenario));
	(void)close(kernel);
	return vmt_new(v, config);
}

struct row {
	const char *scenario;
	const char *events;
	int reason;
	const char *text; /* part of it */
};

/* Twice with one handle: the second run knows nothing of the first. */
static void play(const struct row *row)
{
	struct vmt_vm v;

	if (!make(&v, row->scenario))
		return;
	for (int i = 0; i < 2; i++) {
		if (!vmt_run(&v) || !vmt_wait_stopped(&v))
			break;
		vmt_check_stopped(&v, row->reason, row->text);
		if (strcmp(v.events, row->events) != 0)
			vmt_fail(__FILE__, __LINE__, "%s: events %s, not %s",
				 row->scenario, v.events, row->events);
	}
	vmt_free(&v);
}

static void play_all(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		play(&rows[i]);
}

#define PLAY_ALL(rows) play_all(rows, sizeof(rows) / sizeof((rows)[0]))

static void runs_that_end_well(void)
{
	static const struct row rows[] = {
		{"good", "STARTED STOPPED ", AVF_STOP_REASON_SHUTDOWN, "bye"},
		{"payload",
		 "STARTED PAYLOAD_STARTED PAYLOAD_READY ERROR "
		 "PAYLOAD_FINISHED STOPPED ",
		 AVF_STOP_REASON_MICRODROID_PAYLOAD_HAS_CHANGED, "changed"},
	};

	PLAY_ALL(rows);
}

static void processes_that_die(void)
{
	static const struct row rows[] = {
		{"mute", "STOPPED ", AVF_STOP_REASON_INFRASTRUCTURE_ERROR,
		 "code 0"},
		{"exit_7", "STOPPED ", AVF_STOP_REASON_INFRASTRUCTURE_ERROR,
		 "code 7"},
		{"die_by_trap", "STARTED STOPPED ", AVF_STOP_REASON_CRASH,
		 "killed by signal"}, /* 4 or 5, by the CPU */
	};

	PLAY_ALL(rows);
}

static void process_that_is_killed(void)
{
	struct vmt_vm v;

	if (!make(&v, "start_and_live"))
		return;
	if (vmt_run(&v) && vmt_wait_event(&v, AVF_EVENT_STARTED)) {
		CHECK(kill(avf_vm_get_pid(v.vm), SIGKILL) == 0);
		CHECK(vmt_wait_stopped(&v));
		vmt_check_stopped(&v, AVF_STOP_REASON_KILLED, "signal 9");
	}
	vmt_free(&v);
}

/* What the VMM said of its guest's end counts, not how it ended itself. */
static void died_after_the_last_word(void)
{
	static const struct row row = {"die_after_stopped", "STOPPED ",
				       AVF_STOP_REASON_REBOOT, "my word"};

	play(&row);
}

static void broken_protocol(void)
{
	static const struct row rows[] = {
		{"garbage", "STOPPED ", AVF_STOP_REASON_INFRASTRUCTURE_ERROR,
		 "header"},
		{"oversized", "STOPPED ", AVF_STOP_REASON_INFRASTRUCTURE_ERROR,
		 "too long"},
		{"short_event", "STOPPED ",
		 AVF_STOP_REASON_INFRASTRUCTURE_ERROR, "3 bytes"},
		{"wrong_message", "STOPPED ",
		 AVF_STOP_REASON_INFRASTRUCTURE_ERROR, "message 1"},
	};

	PLAY_ALL(rows);
}

static void two_stops(void)
{
	struct vmt_vm v;

	if (!make(&v, "two_stops"))
		return;
	CHECK(vmt_run(&v) && vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_SHUTDOWN, "the first");
	vmt_free(&v);
}

/* Also that ten messages with descriptors leave none of them open. */
static void unwanted_fds(void)
{
	struct vmt_vm v;

	if (!make(&v, "gifts"))
		return;
	CHECK(vmt_run(&v) && vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_SHUTDOWN, "");
	vmt_free(&v);
}

static void dirty_text(void)
{
	struct vmt_vm v;

	if (!make(&v, "dirty_text"))
		return;
	CHECK(vmt_run(&v) && vmt_wait_stopped(&v));
	CHECK(strlen(v.text) == AVF_EVENT_TEXT_SIZE - 1);
	CHECK(strspn(v.text, "?") == AVF_EVENT_TEXT_SIZE - 1);
	vmt_free(&v);
}

static void flood(void)
{
	struct vmt_vm v;

	if (!make(&v, "flood"))
		return;
	CHECK(vmt_run(&v));
	vmt_sleep_ms(100); /* let it fill the socket */
	CHECK(vmt_wait_stopped(&v));
	CHECK(strcmp(v.events, "STARTED STOPPED ") == 0);
	CHECK(v.n_log == 20000);
	vmt_free(&v);
}

/* A process that does not go is killed within the client's own limit. */
static void process_that_stays(const char *scenario, bool ask, int reason)
{
	uint64_t start = vmt_now_ms();
	struct vmt_vm v;

	if (!make(&v, scenario))
		return;
	CHECK(vmt_run(&v));
	if (ask) {
		CHECK(vmt_wait_event(&v, AVF_EVENT_STARTED));
		CHECK_OK(avf_vm_stop(v.vm));
	}
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, reason, "");
	CHECK(vmt_now_ms() - start < 12000);
	vmt_free(&v);
}

static void stop_is_ignored(void)
{
	process_that_stays("serve_nothing", true, AVF_STOP_REASON_KILLED);
}

static void hangs_up_and_stays(void)
{
	process_that_stays("hang_up_and_live", false,
			   AVF_STOP_REASON_INFRASTRUCTURE_ERROR);
}

static void says_stopped_and_stays(void)
{
	process_that_stays("stop_and_live", false, AVF_STOP_REASON_SHUTDOWN);
}

static void stop_is_obeyed(void)
{
	struct vmt_vm v;

	if (!make(&v, "serve_stop"))
		return;
	CHECK(vmt_run(&v) && vmt_wait_event(&v, AVF_EVENT_STARTED));
	CHECK_OK(avf_vm_stop(v.vm));
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_SHUTDOWN, "as asked");
	vmt_free(&v);
}

/* --- channels --------------------------------------------------------- */

static bool start(struct vmt_vm *v, const char *scenario)
{
	if (!make(v, scenario))
		return false;
	if (vmt_run(v) && vmt_wait_event(v, AVF_EVENT_STARTED))
		return true;
	vmt_free(v);
	return false;
}

static void connect_fails(const char *scenario, int code)
{
	struct vmt_vm v;
	int fd = -1;

	if (!start(&v, scenario))
		return;
	CHECK_FAILS(avf_vm_connect(v.vm, 5000, 300, &fd), code, "port 5000");
	CHECK(fd == -1);
	vmt_free(&v);
}

static void connect_without_answer(void)
{
	connect_fails("serve_nothing", AVF_ERR_TIMEOUT);
}

static void connect_refused(void)
{
	connect_fails("serve_refuse", AVF_ERR_REFUSED);
}

static void connect_hung_up(void)
{
	connect_fails("serve_hang_up", AVF_ERR_CLOSED);
}

static void connect_and_talk(void)
{
	char answer[4] = "";
	struct vmt_vm v;
	int fd = -1;

	if (!start(&v, "serve_echo"))
		return;
	CHECK_OK(avf_vm_connect(v.vm, 5000, 5000, &fd));
	CHECK(vmt_send(fd, "abcd", 4) && vmt_recv(fd, answer, 4));
	CHECK(memcmp(answer, "abcd", 4) == 0);
	CHECK(recv(fd, answer, 1, 0) == 0);
	(void)close(fd);
	vmt_free(&v);
}

static void listen_and_talk(void)
{
	avf_listener *listener = NULL;
	char answer[4] = "";
	struct vmt_vm v;
	int fd = -1;

	if (!start(&v, "serve_echo"))
		return;
	CHECK_OK(avf_vm_listen(v.vm, 5000, &listener));
	CHECK_OK(avf_listener_accept(listener, 5000, &fd));
	CHECK(vmt_send(fd, "abcd", 4) && vmt_recv(fd, answer, 4));
	(void)close(fd);
	avf_listener_free(listener);
	vmt_free(&v);
}

static void listen_without_fd(void)
{
	avf_listener *listener = NULL;
	struct vmt_vm v;
	int fd = -1;

	if (!start(&v, "serve_no_fd"))
		return;
	CHECK_OK(avf_vm_listen(v.vm, 5000, &listener));
	CHECK_FAILS(avf_listener_accept(listener, 5000, &fd), AVF_ERR_PROTOCOL,
		    "listener");
	CHECK(fd == -1);
	avf_listener_free(listener);
	vmt_free(&v);
}

/* --- applications ----------------------------------------------------- */

/* With SIGCHLD ignored the kernel reaps; the VMM's exit code is lost. */
static void sigchld_ignored(void)
{
	static const struct row rows[] = {
		{"good", "STARTED STOPPED ", AVF_STOP_REASON_SHUTDOWN, "bye"},
		{"mute", "STOPPED ", AVF_STOP_REASON_INFRASTRUCTURE_ERROR,
		 "reaps its children"},
	};

	(void)signal(SIGCHLD, SIG_IGN);
	PLAY_ALL(rows);
	process_that_stays("stop_and_live", false, AVF_STOP_REASON_SHUTDOWN);
	(void)signal(SIGCHLD, SIG_DFL);
}

static void reaped_by_the_application(void)
{
	struct vmt_vm v;

	if (!make(&v, "good"))
		return;
	CHECK(vmt_run(&v));
	CHECK(waitpid(-1, NULL, 0) > 0);
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_SHUTDOWN, "bye");
	vmt_free(&v);
}

static void no_vmm(void)
{
	char *good = strdup(getenv("AVF_VMM"));
	struct vmt_vm v;

	if (!make(&v, "good"))
		return;
	(void)setenv("AVF_VMM", "/nowhere/avf-vmm", 1);
	CHECK_FAILS(avf_vm_run(v.vm), AVF_ERR_NOT_FOUND, "/nowhere/avf-vmm");
	/* a file that may be executed, and cannot */
	(void)setenv("AVF_VMM", "/", 1);
	CHECK(avf_vm_run(v.vm) < 0);
	CHECK(avf_vm_get_status(v.vm) == AVF_STATUS_STOPPED);
	(void)setenv("AVF_VMM", good, 1);
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	vmt_free(&v);
	free(good);
}

static void small_event_struct(void)
{
	struct avf_event event = {.size = 0};
	struct vmt_vm v;

	if (!make(&v, "good"))
		return;
	CHECK(vmt_run(&v));
	CHECK_FAILS(avf_vm_wait_event(v.vm, 1000, &event), AVF_ERR_INVALID,
		    "size");
	CHECK(vmt_wait_stopped(&v));
	CHECK(strcmp(v.events, "STARTED STOPPED ") == 0);
	vmt_free(&v);
}

static const struct vmt_test tests[] = {
	{"runs_that_end_well", runs_that_end_well},
	{"processes_that_die", processes_that_die},
	{"process_that_is_killed", process_that_is_killed},
	{"died_after_the_last_word", died_after_the_last_word},
	{"broken_protocol", broken_protocol},
	{"two_stops", two_stops},
	{"unwanted_fds", unwanted_fds},
	{"dirty_text", dirty_text},
	{"flood", flood},
	{"stop_is_obeyed", stop_is_obeyed},
	{"stop_is_ignored", stop_is_ignored},
	{"hangs_up_and_stays", hangs_up_and_stays},
	{"says_stopped_and_stays", says_stopped_and_stays},
	{"connect_without_answer", connect_without_answer},
	{"connect_refused", connect_refused},
	{"connect_hung_up", connect_hung_up},
	{"connect_and_talk", connect_and_talk},
	{"listen_and_talk", listen_and_talk},
	{"listen_without_fd", listen_without_fd},
	{"sigchld_ignored", sigchld_ignored},
	{"reaped_by_the_application", reaped_by_the_application},
	{"no_vmm", no_vmm},
	{"small_event_struct", small_event_struct},
};

int main(int argc, char **argv)
{
	(void)setenv("AVF_VMM", vmt_path("tests/fake_vmm"), 1);
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
