#include "rpc/rpc_conn.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/checked.h"
#include "base/cleanup.h"

#define NS_PER_MS 1000000ULL

struct rpc_conn *rpc_conn_new(int fd, bool carries_fds)
{
	struct rpc_conn *conn = calloc(1, sizeof(*conn));

	if (!conn) {
		fd_close(fd);
		return NULL;
	}
	conn->fd = fd;
	conn->carries_fds = carries_fds;
	return conn;
}

void rpc_conn_free(struct rpc_conn *conn)
{
	if (!conn)
		return;
	if (conn->ops)
		conn->ops->close(conn->layer);
	fd_close(conn->fd);
	free(conn);
}

/* One step of the layer's handshake, and what it waits for. */
static binder_status_t shake_hands(struct rpc_conn *conn, bool *ret_done)
{
	enum rpc_io io = conn->ops->handshake(conn->layer);
	short events;

	*ret_done = io == RPC_IO_DONE;
	switch (io) {
	case RPC_IO_DONE:
		return STATUS_OK;
	case RPC_IO_WANT_READ:
		return rpc_conn_poll(conn, POLLIN, &events);
	case RPC_IO_WANT_WRITE:
		return rpc_conn_poll(conn, POLLOUT, &events);
	default:
		return rpc_io_error(io);
	}
}

binder_status_t rpc_conn_secure(struct rpc_conn *conn,
				const struct rpc_transport *transport,
				bool is_server)
{
	bool done = false;
	binder_status_t rc = STATUS_OK;

	if (!transport->ops)
		return STATUS_OK;
	conn->layer =
		transport->ops->open(transport->config, conn->fd, is_server);
	if (!conn->layer)
		return STATUS_NO_MEMORY;
	conn->ops = transport->ops;
	conn->carries_fds = false;
	while (rc == STATUS_OK && !done)
		rc = shake_hands(conn, &done);
	return rc;
}

void rpc_conn_shutdown(struct rpc_conn *conn)
{
	/* fails when the peer was faster, which is as good */
	(void)shutdown(conn->fd, SHUT_RDWR);
}

uint64_t rpc_conn_set_timeout(struct rpc_conn *conn, uint32_t timeout_ms)
{
	uint64_t before = conn->deadline_ns;

	conn->deadline_ns =
		timeout_ms == 0 ? 0 : clock_now_ns() + timeout_ms * NS_PER_MS;
	return before;
}

bool rpc_conn_in_time(const struct rpc_conn *conn)
{
	return conn->deadline_ns == 0 || clock_now_ns() < conn->deadline_ns;
}

binder_status_t rpc_conn_poll(struct rpc_conn *conn, short events,
			      short *ret_events)
{
	struct pollfd p = {.fd = conn->fd, .events = events};
	uint64_t now;
	int timeout = -1;
	int rc;

	if (conn->never_waits)
		return STATUS_TIMED_OUT;
	do {
		if (conn->deadline_ns != 0) {
			now = clock_now_ns();
			if (now >= conn->deadline_ns)
				return STATUS_TIMED_OUT;
			timeout = (int)MIN(
				(conn->deadline_ns - now) / NS_PER_MS + 1,
				(uint64_t)INT32_MAX);
		}
		rc = poll(&p, 1, timeout);
	} while (rc == 0 || (rc < 0 && errno == EINTR));
	if (rc < 0)
		return STATUS_DEAD_OBJECT;
	*ret_events = p.revents;
	return STATUS_OK;
}

/* Whether there are bytes that the socket does not show. */
static bool has_buffered(const struct rpc_conn *conn)
{
	return conn->end > conn->start ||
	       (conn->ops && conn->ops->has_input(conn->layer));
}

binder_status_t rpc_conn_wait(struct rpc_conn *conn, bool *ret_readable)
{
	short events = POLLIN;
	binder_status_t rc = STATUS_OK;

	if (!has_buffered(conn))
		rc = rpc_conn_poll(conn, POLLIN | POLLOUT, &events);
	*ret_readable = (events & ~POLLOUT) != 0 && rpc_conn_readable(conn);
	return rc;
}

bool rpc_conn_has_input(const struct rpc_conn *conn)
{
	struct pollfd p = {.fd = conn->fd, .events = POLLIN};

	return has_buffered(conn) || (poll(&p, 1, 0) == 1 && p.revents != 0);
}

bool rpc_conn_readable(struct rpc_conn *conn)
{
	if (conn->end > conn->start)
		return true;
	/* what the socket shows may be the layer's own */
	if (conn->ops)
		return conn->ops->is_readable(conn->layer);
	return rpc_conn_has_input(conn);
}
