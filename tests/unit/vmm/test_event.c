#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include <avf/vm.h>

#include "vmm/event.h"

static struct event_queue queue;
static struct wire_message m;
static int ours, theirs;
static unsigned int blocked;

static void on_blocked(void *userdata)
{
	(void)userdata;
	blocked++;
}

static void setup(void)
{
	int pair[2];

	cr_assert_eq(wire_socketpair(pair), 0);
	ours = pair[0];
	theirs = pair[1];
	event_queue_init(&queue, ours, on_blocked, NULL);
}

/* Type of the next event that arrived, -1 when none did. */
static int next(void)
{
	struct wire_event event;

	if (wire_receive(theirs, &m) != 1)
		return -1;
	cr_assert_eq(wire_body(&m, &event, sizeof(event)), 0);
	return (int)le32_get(event.type);
}

TestSuite(event, .init = setup);

Test(event, goes_out_at_once_with_code_and_text)
{
	struct wire_event event;

	event_emit(&queue, AVF_EVENT_PAYLOAD_FINISHED, -7, "bye");
	cr_expect(event_queue_is_empty(&queue));
	cr_assert_eq(wire_receive(theirs, &m), 1);
	cr_assert_eq(wire_body(&m, &event, sizeof(event)), 0);
	cr_expect_eq((int32_t)le32_get(event.code), -7);
	cr_expect_str_eq(event.text, "bye");
	cr_expect_neq(le64_get(event.time_ns), 0);
}

Test(event, a_slow_reader_gets_the_whole_lifecycle_in_order)
{
	static const int lifecycle[] = {
		AVF_EVENT_STARTED,       AVF_EVENT_PAYLOAD_STARTED,
		AVF_EVENT_PAYLOAD_READY, AVF_EVENT_PAYLOAD_FINISHED,
		AVF_EVENT_STOPPED,
	};
	unsigned int seen = 0;
	int type;

	for (int i = 0; i < 10000; i++)
		event_emit(&queue, AVF_EVENT_LOG, 1, "noise of the guest");
	cr_expect_gt(blocked, 0);
	cr_expect_gt(queue.dropped, 0, "log lines are dropped");
	for (size_t i = 0; i < 5; i++)
		event_emit(&queue, lifecycle[i], 0, NULL);
	for (;;) {
		event_flush(&queue);
		type = next();
		if (type < 0)
			break;
		if (type != AVF_EVENT_LOG)
			cr_expect_eq(type, lifecycle[seen++]);
	}
	cr_expect_eq(seen, 5);
	cr_expect(event_queue_is_empty(&queue));
}

Test(event, a_guest_that_reports_errors_for_ever_is_cut_off)
{
	unsigned int n = 0;

	for (int i = 0; i < 1000; i++)
		event_emit(&queue, AVF_EVENT_ERROR, 0, "oops");
	event_emit(&queue, AVF_EVENT_STOPPED, 0, NULL);
	while (next() == AVF_EVENT_ERROR)
		n++;
	cr_expect_eq(n, EVENT_MAX_ERRORS);
}

Test(event, without_an_application_events_go_nowhere)
{
	(void)close(theirs);
	event_emit(&queue, AVF_EVENT_STOPPED, 0, NULL);
	cr_expect(event_queue_is_empty(&queue));
}
