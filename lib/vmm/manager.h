/*
 * The guest's manager (PID 1 of the microguest) as seen from the VMM: a
 * vsock connection on which it reports, and takes orders. What it says is
 * hostile input; guestlink's reader is strict, and the payload's state only
 * moves forward (AVF: Starting, Started, Ready, Finished).
 */
#pragma once

#include <stdbool.h>

#include "base/loop.h"
#include "guestlink/guestlink.h"

struct vmm;

enum payload_state {
	PAYLOAD_STARTING,
	PAYLOAD_STARTED,
	PAYLOAD_READY,
	PAYLOAD_FINISHED,
};

struct manager {
	struct vmm *vmm; /* borrowed */
	int fd;          /* owned; -1: no connection */
	bool had_one;    /* only the first connection is the manager's */
	struct loop_source source;
	struct guestlink_reader reader;
	enum payload_state state;
};

void manager_init(struct manager *manager, struct vmm *vmm);
void manager_fini(struct manager *manager);

/** Wait for the manager on the backend's vsock device. */
int manager_listen(struct manager *manager) MUST_CHECK;

/** Whether the guest has a manager that has not connected yet. */
bool manager_is_expected(const struct manager *manager);

/** Ask for a shutdown. Returns whether there is somebody to ask. */
bool manager_ask_shutdown(struct manager *manager);
