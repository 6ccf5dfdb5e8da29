/*
 * The payload is hostile: its sessions are served on the manager's only thread
 * (rpc_polled.h), which waits for none of them, and it has eight places.
 */
#include "service.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A payload's word that it is ready: the first one is passed on. */
static void on_ready(void *userdata)
{
	struct manager *m = userdata;

	if (!m->is_ready && vm_service_payload_ready(m->service) < 0)
		m->shutting_down = true; /* the host is gone */
	m->is_ready = true;
}

int service_open(struct service *service, struct manager *m)
{
	const struct sockaddr_un address = {
		.sun_family = AF_UNIX, .sun_path = PAYLOAD_SERVICE_SOCKET_PATH};
	CLEANUP(close_p)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return fail_errno("bind " PAYLOAD_SERVICE_SOCKET_PATH);
	if (chmod(PAYLOAD_SERVICE_SOCKET_PATH, 0666) < 0 ||
	    listen(fd, SERVICE_MAX_CLIENTS) < 0)
		return fail_errno("listen on " PAYLOAD_SERVICE_SOCKET_PATH);
	service->methods = (struct payload_service){on_ready, m};
	service->root = payload_service_new(&service->methods);
	if (!service->root)
		return fail(AVF_ERR_NO_MEMORY, "service for the payload");
	service->listen_fd = take_fd(&fd);
	return 0;
}

/* The client that @fd is the connection of; -1: a free place. NULL: none. */
static struct service_client *find(struct service *service, int fd)
{
	struct service_client *client = service->clients;

	for (unsigned int i = 0; i < SERVICE_MAX_CLIENTS; i++, client++) {
		if (fd < 0 ? !client->session
			   : client->session && client->polled.conn->fd == fd)
			return client;
	}
	return NULL;
}

unsigned int service_poll_fds(const struct service *service,
			      struct pollfd fds[SERVICE_MAX_FDS])
{
	const struct service_client *client = service->clients;
	unsigned int n = 0;

	for (unsigned int i = 0; i < SERVICE_MAX_CLIENTS; i++, client++) {
		if (client->session)
			fds[n++] = (struct pollfd){client->polled.conn->fd,
						   POLLIN, 0};
	}
	/* with no place left, further callers wait in the backlog */
	if (n < SERVICE_MAX_CLIENTS)
		fds[n++] = (struct pollfd){service->listen_fd, POLLIN, 0};
	return n;
}

static void drop_client(struct service_client *client)
{
	rpc_polled_fini(&client->polled);
	if (client->session)
		rpc_session_end(client->session);
	rpc_session_unref(client->session);
	client->session = NULL;
}

/* Without memory the payload finds its connection closed. */
static void add_client(struct service *service)
{
	struct service_client *client = find(service, -1);
	int fd;

	if (!client)
		return;
	fd = accept4(service->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	client->session = rpc_polled_session(service->root);
	if (!client->session) {
		fd_close(fd);
		return;
	}
	if (rpc_polled_accept(&client->polled, client->session, false, fd) !=
	    STATUS_OK)
		drop_client(client);
}

void service_handle(struct service *service, const struct pollfd *fds,
		    unsigned int n)
{
	struct service_client *client;

	for (unsigned int i = 0; i < n; i++) {
		if (!fds[i].revents)
			continue;
		client = find(service, fds[i].fd);
		if (fds[i].fd == service->listen_fd)
			add_client(service);
		else if (client &&
			 rpc_polled_ready(&client->polled) == RPC_POLLED_ENDED)
			drop_client(client);
	}
}
