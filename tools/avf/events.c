#include "events.h"

#include <time.h>

#include <jansson.h>

uint64_t report_now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail on Linux */
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static double since_start_ms(const struct reporter *reporter,
			     const struct avf_event *event)
{
	if (event->time_ns < reporter->start_ns)
		return 0;
	return (double)(event->time_ns - reporter->start_ns) / 1e6;
}

static void add_meaning(json_t *line, const struct avf_event *event)
{
	const char *meaning = NULL;

	if (event->type == AVF_EVENT_STOPPED)
		meaning = avf_stop_reason_name(event->code);
	else if (event->type == AVF_EVENT_ERROR)
		meaning = avf_error_code_name(event->code);
	else if (event->type == AVF_EVENT_STARTED)
		meaning = event->code == 0 ? "kvm" : "emulation";
	if (meaning)
		(void)json_object_set_new(line, "meaning",
					  json_string(meaning));
}

/* A value that cannot be made is left out: the line stays JSON. */
static void print_json(const struct reporter *reporter,
		       const struct avf_event *event)
{
	json_t *line = json_object();

	(void)json_object_set_new(
		line, "event", json_string(avf_event_type_name(event->type)));
	(void)json_object_set_new(line, "time_ms",
				  json_real(since_start_ms(reporter, event)));
	(void)json_object_set_new(line, "code", json_integer(event->code));
	add_meaning(line, event);
	(void)json_object_set_new(line, "text", json_string(event->text));
	(void)json_dumpf(line, stdout,
			 JSON_COMPACT | JSON_ENSURE_ASCII |
				 JSON_REAL_PRECISION(9));
	putchar('\n');
	fflush(stdout);
	json_decref(line);
}

/* The event's text says what runs the VM, and why KVM does not. */
static void print_emulation(const struct avf_event *event)
{
	fprintf(stderr,
		"avf: %s; emulation is slow, and no security boundary\n",
		event->text[0] != '\0' ? event->text : "the VM is emulated");
}

static void print_stopped(const struct reporter *reporter,
			  const struct avf_event *event)
{
	FILE *out = reporter->quiet_stdout ? stderr : stdout;

	if (event->text[0] != '\0')
		fprintf(stderr, "avf: %s\n", event->text);
	fprintf(out, "VM ended: %s\n", avf_stop_reason_name(event->code));
	fflush(out);
}

/* Errors and warnings; --json has everything. */
static void print_log(const struct avf_event *event)
{
	static const char *const levels[] = {"error", "warning"};

	if (event->code == 0 || event->code == 1)
		fprintf(stderr, "avf-vmm: %s: %s\n", levels[event->code],
			event->text);
}

/* AVF's words, with the time behind them. */
static void print_text(const struct reporter *reporter,
		       const struct avf_event *event)
{
	double ms = since_start_ms(reporter, event);

	switch (event->type) {
	case AVF_EVENT_STARTED:
		fprintf(stderr, "VM started: %s (%.0f ms)\n",
			event->code == 0 ? "KVM" : "emulation", ms);
		break;
	case AVF_EVENT_PAYLOAD_STARTED:
		fprintf(stderr, "payload started (%.0f ms)\n", ms);
		break;
	case AVF_EVENT_PAYLOAD_READY:
		fprintf(stderr, "payload is ready (%.0f ms)\n", ms);
		break;
	case AVF_EVENT_PAYLOAD_FINISHED:
		fprintf(stderr,
			"payload finished with exit code %d (%.0f ms)\n",
			event->code, ms);
		break;
	case AVF_EVENT_ERROR:
		fprintf(stderr,
			"VM encountered an error: code=%s, message=%s "
			"(%.0f ms)\n",
			avf_error_code_name(event->code), event->text, ms);
		break;
	case AVF_EVENT_STOPPED:
		print_stopped(reporter, event);
		break;
	default:
		print_log(event);
		break;
	}
}

void report_event(const struct reporter *reporter,
		  const struct avf_event *event)
{
	if (event->type == AVF_EVENT_STARTED && event->code != 0)
		print_emulation(event);
	if (reporter->json)
		print_json(reporter, event);
	else
		print_text(reporter, event);
}
