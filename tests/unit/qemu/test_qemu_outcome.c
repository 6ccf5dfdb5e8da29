/* What the end of QEMU means. */
#include <criterion/criterion.h>

#include <string.h>

#include "base/checked.h"
#include "qemu/qemu_outcome.h"

#define EXITED(n) ((n) << 8)
#define KILLED(n) (n)

static const struct {
	const char *what;
	struct qemu_end end;
	enum avf_stop_reason reason;
	const char *text;
} rows[] = {
	{"power-off",
	 {true, false, QMP_SHUTDOWN_GUEST, EXITED(0), ""},
	 AVF_STOP_REASON_SHUTDOWN,
	 "the guest powered off"},
	{"reset",
	 {true, false, QMP_SHUTDOWN_RESET, EXITED(0), ""},
	 AVF_STOP_REASON_REBOOT,
	 "the guest asked for a reset"},
	{"panic",
	 {true, false, QMP_SHUTDOWN_PANIC, EXITED(0), ""},
	 AVF_STOP_REASON_CRASH,
	 "the guest panicked"},
	{"told to end",
	 {true, false, QMP_SHUTDOWN_HOST, EXITED(0), ""},
	 AVF_STOP_REASON_KILLED,
	 "QEMU was told to end"},
	{"an unknown word",
	 {true, false, QMP_SHUTDOWN_UNKNOWN, EXITED(0), ""},
	 AVF_STOP_REASON_UNKNOWN,
	 "QEMU ended for a reason unknown to us"},
	{"power-off, then a crash on the way out",
	 {true, false, QMP_SHUTDOWN_GUEST, KILLED(11), "x"},
	 AVF_STOP_REASON_SHUTDOWN,
	 "the guest powered off"},
	{"crash",
	 {true, false, QMP_SHUTDOWN_NONE, KILLED(11), ""},
	 AVF_STOP_REASON_CRASH,
	 "QEMU was killed by signal 11 (SEGV)"},
	{"end without a word",
	 {true, false, QMP_SHUTDOWN_NONE, EXITED(0), ""},
	 AVF_STOP_REASON_CRASH,
	 "QEMU exited with status 0"},
	{"refused its options",
	 {false, false, QMP_SHUTDOWN_NONE, EXITED(1), "bad option"},
	 AVF_STOP_REASON_START_FAILED,
	 "QEMU exited with status 1: bad option"},
	{"never answered",
	 {false, true, QMP_SHUTDOWN_NONE, KILLED(9), ""},
	 AVF_STOP_REASON_START_FAILED,
	 "QEMU did not answer"},
	{"stopped to answer",
	 {true, true, QMP_SHUTDOWN_NONE, KILLED(9), ""},
	 AVF_STOP_REASON_CRASH,
	 "QEMU did not answer"},
};

Test(qemu_outcome, table)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct qemu_outcome outcome;

		qemu_outcome_make(&rows[i].end, &outcome);
		cr_expect_eq(outcome.reason, rows[i].reason, "%s",
			     rows[i].what);
		cr_expect_str_eq(outcome.text, rows[i].text, "%s: %s",
				 rows[i].what, outcome.text);
	}
}

Test(qemu_outcome, long_last_line_fits)
{
	char line[400];
	struct qemu_end end = {.last_line = line};
	struct qemu_outcome outcome;

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	qemu_outcome_make(&end, &outcome);
	cr_expect_lt(strlen(outcome.text), sizeof(outcome.text));
}
