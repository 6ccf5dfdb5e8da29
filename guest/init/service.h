/* The manager's end of guest/payload/service.h. */
#pragma once

#include <poll.h>

#include "manager.h"

/** Connections of the payload that are open at once. */
#define SERVICE_MAX_CLIENTS 8
/** The listening socket and the clients. */
#define SERVICE_MAX_FDS (1 + SERVICE_MAX_CLIENTS)

struct service {
	int listen_fd; /* owned */
	unsigned int n_clients;
	int client_fds[SERVICE_MAX_CLIENTS]; /* owned */
};

/** Listen on SERVICE_SOCKET_PATH; the payload's user may connect. */
int service_open(struct service *service) MUST_CHECK;

/** Fill @fds with what to poll for. Returns how many. */
unsigned int service_poll_fds(const struct service *service,
			      struct pollfd fds[SERVICE_MAX_FDS]);

/** Serve what poll() has seen in the @n rows of service_poll_fds(). */
void service_handle(struct service *service, struct manager *m,
		    const struct pollfd *fds, unsigned int n);
