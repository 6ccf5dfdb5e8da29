/*
 * The guest's manager (PID 1 of the microguest) as seen from the VMM: a
 * session of RPC binder over vsock, on which it calls IVirtualMachineService
 * (guest/aidl), and is called back. What it says is hostile input. The
 * payload's state only moves forward (AVF: Starting, Started, Ready, Finished).
 */
#pragma once

#include <stdbool.h>

#include "base/loop.h"
#include "rpc/rpc_polled.h"
#include "vmservice/guest_host.h"
#include "vmservice/vm_service.h"

struct vmm;

enum payload_state {
	PAYLOAD_STARTING,
	PAYLOAD_STARTED,
	PAYLOAD_READY,
	PAYLOAD_FINISHED,
};

/** The connections of a session: one to be called on, one to call on. */
#define MANAGER_LINKS 2U

struct manager_link {
	struct manager *manager; /* borrowed */
	struct loop_source source;
	struct rpc_polled polled;
};

struct manager {
	struct vmm *vmm; /* borrowed */
	struct vm_service service;
	struct guest_host host;
	struct rpc_session
		*session; /* a reference; NULL: not listening, or over */
	AIBinder *agent;  /* owned; NULL: none to call */
	/* only the first connections are the manager's */
	unsigned int n_links;
	struct manager_link links[MANAGER_LINKS];
	enum payload_state state;
};

void manager_init(struct manager *manager, struct vmm *vmm);
void manager_fini(struct manager *manager);

/** Wait for the manager on the backend's vsock device. */
int manager_listen(struct manager *manager) MUST_CHECK;

/** Whether the guest has a manager that cannot be asked yet, but will. */
bool manager_is_expected(const struct manager *manager);

/** Ask for a shutdown. Returns whether there is somebody to ask. */
bool manager_ask_shutdown(struct manager *manager);
