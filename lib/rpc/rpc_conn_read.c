/* Reading from a connection: ahead, or with the descriptors that come along. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "rpc/rpc_conn.h"

/* Receive once. Returns the bytes in *@ret_count, 0 at the end. Without a
 * deadline the socket itself waits, which saves a system call. */
static binder_status_t receive(struct rpc_conn *conn, struct msghdr *msg,
			       size_t *ret_count)
{
	int flags = MSG_CMSG_CLOEXEC;
	short events;
	ssize_t n;
	binder_status_t rc;

	if (conn->deadline_ns != 0 || conn->never_waits)
		flags |= MSG_DONTWAIT;
	for (;;) {
		n = recvmsg(conn->fd, msg, flags);
		if (n >= 0)
			break;
		if (errno == EINTR)
			continue;
		/* who closes a socket with something unread in it resets the
		 * connection: as much of an end as any other */
		if (errno == ECONNRESET) {
			n = 0;
			break;
		}
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			return STATUS_DEAD_OBJECT;
		rc = rpc_conn_poll(conn, POLLIN, &events);
		if (rc != STATUS_OK)
			return rc;
	}
	*ret_count = (size_t)n;
	return STATUS_OK;
}

/* The same through the layer. */
static binder_status_t receive_layer(struct rpc_conn *conn, void *bytes,
				     size_t size, size_t *ret_count)
{
	enum rpc_io io;
	short events;
	binder_status_t rc;

	for (;;) {
		*ret_count = 0;
		io = conn->ops->read(conn->layer, bytes, size, ret_count);
		switch (io) {
		case RPC_IO_DONE:
		case RPC_IO_END:
			return STATUS_OK;
		case RPC_IO_WANT_READ:
			rc = rpc_conn_poll(conn, POLLIN, &events);
			break;
		case RPC_IO_WANT_WRITE:
			rc = rpc_conn_poll(conn, POLLOUT, &events);
			break;
		default:
			return rpc_io_error(io);
		}
		if (rc != STATUS_OK)
			return rc;
	}
}

/* Receive up to @size bytes, at least one; 0 at the end. */
static binder_status_t receive_bytes(struct rpc_conn *conn, void *bytes,
				     size_t size, size_t *ret_count)
{
	struct iovec iov = {.iov_base = bytes, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (conn->ops)
		return receive_layer(conn, bytes, size, ret_count);
	return receive(conn, &msg, ret_count);
}

/* Take up to @size bytes out of the buffer. */
static size_t take_buffered(struct rpc_conn *conn, void *bytes, size_t size)
{
	size_t n = MIN(size, conn->end - conn->start);

	if (n > 0)
		memcpy(bytes, conn->buffer + conn->start, n);
	conn->start += n;
	return n;
}

/* Receive up to @size bytes, and more behind them into the buffer. */
static binder_status_t receive_ahead(struct rpc_conn *conn, void *bytes,
				     size_t size, size_t *ret_count)
{
	size_t n;
	binder_status_t rc;

	/* what is larger than the buffer goes where it belongs at once */
	if (conn->carries_fds || size >= sizeof(conn->buffer))
		return receive_bytes(conn, bytes, size, ret_count);
	rc = receive_bytes(conn, conn->buffer, sizeof(conn->buffer), &n);
	if (rc != STATUS_OK)
		return rc;
	conn->start = 0;
	conn->end = n;
	*ret_count = take_buffered(conn, bytes, size);
	return STATUS_OK;
}

binder_status_t rpc_conn_read(struct rpc_conn *conn, void *bytes, size_t size,
			      bool *ret_eof)
{
	uint8_t *p = bytes;
	size_t done = take_buffered(conn, bytes, size);
	size_t n;
	binder_status_t rc;

	if (ret_eof)
		*ret_eof = false;
	while (done < size) {
		rc = receive_ahead(conn, p + done, size - done, &n);
		if (rc != STATUS_OK)
			return rc;
		if (n == 0 && done == 0 && ret_eof)
			*ret_eof = true;
		if (n == 0)
			return STATUS_DEAD_OBJECT;
		done += n;
	}
	return STATUS_OK;
}

binder_status_t rpc_conn_read_init(struct rpc_conn *conn)
{
	struct rpc_wire_init init;
	binder_status_t rc;

	rc = rpc_conn_read(conn, &init, sizeof(init), NULL);
	if (rc == STATUS_OK &&
	    memcmp(init.magic, RPC_INIT_MAGIC, sizeof(init.magic)) != 0)
		rc = STATUS_BAD_VALUE;
	return rc;
}

binder_status_t rpc_conn_fill(struct rpc_conn *conn, bool *ret_eof)
{
	ssize_t n;

	*ret_eof = false;
	conn->end -= conn->start;
	memmove(conn->buffer, conn->buffer + conn->start, conn->end);
	conn->start = 0;
	n = recv(conn->fd, conn->buffer + conn->end,
		 sizeof(conn->buffer) - conn->end, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? STATUS_OK
							 : STATUS_DEAD_OBJECT;
	*ret_eof = n == 0;
	conn->end += (size_t)n;
	return STATUS_OK;
}

void rpc_fds_fini(struct rpc_fds *fds)
{
	for (size_t i = 0; i < fds->count; i++)
		fd_close(fds->fds[i]);
	free(fds->fds);
	*fds = (struct rpc_fds){0};
}

/* Take the descriptors of @msg. Once per header: a peer that sends a few with
 * each byte would have as many as it likes. */
static binder_status_t take_fds(struct msghdr *msg, struct rpc_fds *fds)
{
	struct cmsghdr *cmsg;
	size_t size;
	binder_status_t rc = STATUS_OK;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		size = cmsg->cmsg_len - CMSG_LEN(0);
		if (!fds->fds)
			fds->fds = malloc(size);
		else
			rc = STATUS_BAD_VALUE;
		if (!fds->fds || rc != STATUS_OK) {
			for (size_t i = 0; i < size / sizeof(int); i++)
				fd_close(((int *)(void *)CMSG_DATA(cmsg))[i]);
			return rc == STATUS_OK ? STATUS_NO_MEMORY : rc;
		}
		memcpy(fds->fds, CMSG_DATA(cmsg), size);
		fds->count = size / sizeof(int);
	}
	/* some were lost: the message is not what was sent */
	return msg->msg_flags & MSG_CTRUNC ? STATUS_DEAD_OBJECT : STATUS_OK;
}

/* Receive some of a header, with descriptors. */
static binder_status_t receive_fds(struct rpc_conn *conn, void *bytes,
				   size_t size, struct rpc_fds *fds,
				   size_t *ret_count)
{
	union rpc_control control;
	struct iovec iov = {.iov_base = bytes, .iov_len = size};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	binder_status_t rc;

	rc = receive(conn, &msg, ret_count);
	return rc == STATUS_OK ? take_fds(&msg, fds) : rc;
}

binder_status_t rpc_conn_read_with_fds(struct rpc_conn *conn, void *bytes,
				       size_t size, struct rpc_fds *ret_fds,
				       bool *ret_eof)
{
	struct rpc_fds fds = {0};
	uint8_t *p = bytes;
	size_t done = 0, n;
	binder_status_t rc = STATUS_OK;

	if (!conn->carries_fds) {
		*ret_fds = fds;
		return rpc_conn_read(conn, bytes, size, ret_eof);
	}
	*ret_eof = false;
	while (rc == STATUS_OK && done < size) {
		rc = receive_fds(conn, p + done, size - done, &fds, &n);
		if (rc == STATUS_OK && n == 0) {
			*ret_eof = done == 0;
			rc = STATUS_DEAD_OBJECT;
		}
		done += rc == STATUS_OK ? n : 0;
	}
	if (rc != STATUS_OK)
		rpc_fds_fini(&fds);
	*ret_fds = fds;
	return rc;
}
