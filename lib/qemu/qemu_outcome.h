/* What the end of a QEMU process means for the VM. Pure. */
#pragma once

#include <stdbool.h>

#include <avf/vm.h>

#include "qemu/qmp.h"

/* What is known when the process is gone. */
struct qemu_end {
	bool ready;     /* it had built the machine */
	bool timed_out; /* we killed it: it never became ready */
	enum qmp_shutdown shutdown;
	int wait_status;       /* of waitpid() */
	const char *last_line; /* of stderr, printable; "" when none */
};

struct qemu_outcome {
	enum avf_stop_reason reason;
	char text[AVF_EVENT_TEXT_SIZE];
};

void qemu_outcome_make(const struct qemu_end *end,
		       struct qemu_outcome *ret_outcome);
