#include "service.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "payload/service.h"

int service_open(struct service *service)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX,
					    .sun_path = SERVICE_SOCKET_PATH};
	CLEANUP(close_p)
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);

	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return fail_errno("bind " SERVICE_SOCKET_PATH);
	if (chmod(SERVICE_SOCKET_PATH, 0666) < 0 ||
	    listen(fd, SERVICE_MAX_CLIENTS) < 0)
		return fail_errno("listen on " SERVICE_SOCKET_PATH);
	service->listen_fd = take_fd(&fd);
	service->n_clients = 0;
	return 0;
}

unsigned int service_poll_fds(const struct service *service,
			      struct pollfd fds[SERVICE_MAX_FDS])
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < service->n_clients; i++)
		fds[n++] = (struct pollfd){service->client_fds[i], POLLIN, 0};
	/* with no place left, further callers wait in the backlog */
	if (service->n_clients < SERVICE_MAX_CLIENTS)
		fds[n++] = (struct pollfd){service->listen_fd, POLLIN, 0};
	return n;
}

static uint32_t notify_ready(struct manager *m)
{
	if (!m->is_ready && vm_service_payload_ready(m->service) < 0)
		m->shutting_down = true; /* the host is gone */
	m->is_ready = true;
	return SERVICE_OK;
}

/* One request. Returns false when the connection is over. */
static bool serve(struct manager *m, int fd)
{
	struct service_packet packet;
	uint32_t status = SERVICE_UNKNOWN_REQUEST;
	ssize_t size;

	size = recv(fd, &packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (size != (ssize_t)sizeof(packet))
		return false;
	if (le32_get(packet.request) == SERVICE_NOTIFY_READY)
		status = notify_ready(m);
	packet.status = le32_make(status);
	/* a caller that does not read its replies loses its connection */
	return send(fd, &packet, sizeof(packet), MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)sizeof(packet);
}

static void drop_client(struct service *service, int fd)
{
	for (unsigned int i = 0; i < service->n_clients; i++) {
		if (service->client_fds[i] != fd)
			continue;
		service->client_fds[i] =
			service->client_fds[--service->n_clients];
		break;
	}
	fd_close(fd);
}

static void add_client(struct service *service)
{
	int fd;

	if (service->n_clients == SERVICE_MAX_CLIENTS)
		return;
	fd = accept4(service->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		service->client_fds[service->n_clients++] = fd;
}

void service_handle(struct service *service, struct manager *m,
		    const struct pollfd *fds, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!fds[i].revents)
			continue;
		if (fds[i].fd == service->listen_fd)
			add_client(service);
		else if (!serve(m, fds[i].fd))
			drop_client(service, fds[i].fd);
	}
}
