/* The manager's end of IVmPayloadService (guest/aidl), which the payload's
 * library calls over a Unix socket of the guest. */
#pragma once

#include <poll.h>

#include "manager.h"
#include "vmservice/payload_service.h"

/** Connections of the payload that are open at once, a session for each. */
#define SERVICE_MAX_CLIENTS 8
/** The listening socket and the clients. */
#define SERVICE_MAX_FDS (1 + SERVICE_MAX_CLIENTS)

struct service_client {
	struct rpc_session *session; /* a reference; NULL: a free place */
	struct rpc_polled polled;
};

struct service {
	int listen_fd;  /* owned */
	AIBinder *root; /* owned: what the payload calls */
	struct payload_service methods;
	struct service_client clients[SERVICE_MAX_CLIENTS];
};

/** Listen on PAYLOAD_SERVICE_SOCKET_PATH; the payload's user may connect. */
int service_open(struct service *service, struct manager *m) MUST_CHECK;

/** Fill @fds with what to poll for. Returns how many. */
unsigned int service_poll_fds(const struct service *service,
			      struct pollfd fds[SERVICE_MAX_FDS]);

/** Serve what poll() has seen in the @n rows of service_poll_fds(). */
void service_handle(struct service *service, const struct pollfd *fds,
		    unsigned int n);
