#include "manager.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <avf/vm.h>

#include "base/checked.h"

/* What a failure of the step means to the host. */
struct step {
	int (*run)(struct manager *m);
	int32_t error_code;
	int32_t stop_reason;
};

#define UNKNOWN_RUNTIME_ERROR \
	AVF_ERROR_UNKNOWN, AVF_STOP_REASON_MICRODROID_UNKNOWN_RUNTIME_ERROR
#define VERIFICATION_FAILED                    \
	AVF_ERROR_PAYLOAD_VERIFICATION_FAILED, \
		AVF_STOP_REASON_MICRODROID_PAYLOAD_VERIFICATION_FAILED
#define INVALID_CONFIG                    \
	AVF_ERROR_PAYLOAD_INVALID_CONFIG, \
		AVF_STOP_REASON_MICRODROID_INVALID_PAYLOAD_CONFIG

static const struct step steps[] = {
	{system_mount, UNKNOWN_RUNTIME_ERROR},
	{system_load_modules, UNKNOWN_RUNTIME_ERROR},
	{ports_open_log, UNKNOWN_RUNTIME_ERROR},
	{host_connect, AVF_ERROR_UNKNOWN,
	 AVF_STOP_REASON_MICRODROID_FAILED_TO_CONNECT_TO_VIRTUALIZATION_SERVICE},
	{host_get_orders, UNKNOWN_RUNTIME_ERROR},
	{ports_share_console, UNKNOWN_RUNTIME_ERROR},
	{package_mount, VERIFICATION_FAILED},
	{disks_share, UNKNOWN_RUNTIME_ERROR},
	{manifest_check, INVALID_CONFIG},
	{payload_config_read, INVALID_CONFIG},
	{package_find_library, UNKNOWN_RUNTIME_ERROR},
	{payload_run, UNKNOWN_RUNTIME_ERROR},
};

/* The host reads these words from the failure port when there is no link. */
static const char *death_reason(int32_t stop_reason)
{
	if (stop_reason ==
	    AVF_STOP_REASON_MICRODROID_FAILED_TO_CONNECT_TO_VIRTUALIZATION_SERVICE)
		return "MICRODROID_FAILED_TO_CONNECT_TO_VIRTUALIZATION_SERVICE";
	return "MICRODROID_UNKNOWN_RUNTIME_ERROR";
}

static void report(struct manager *m, const struct step *step)
{
	char text[VM_SERVICE_TEXT];

	/* a copy: a call that fails has a text of its own */
	(void)snprintf(text, sizeof(text), "%s", error_record()->text);
	(void)fprintf(stderr, "init: %s\n", text);
	if (!m->host ||
	    host_tell_error(m, step->error_code, step->stop_reason, text) < 0)
		ports_report_failure(death_reason(step->stop_reason));
}

int main(void)
{
	struct manager m = {.log_fd = -1};

	if (getpid() != 1) {
		(void)fputs("init: this program is the guest's PID 1\n",
			    stderr);
		return 1;
	}
	/* a peer that has gone is seen as EPIPE where it matters */
	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(steps) && !m.shutting_down; i++) {
		if (steps[i].run(&m) < 0) {
			report(&m, &steps[i]);
			break;
		}
	}
	system_power_off();
}
