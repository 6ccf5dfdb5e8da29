#include "rpc/rpc_conn.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "rpc/rpc_wire.h"

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
	fd_close(conn->fd);
	free(conn);
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

/* Wait for @events, until the deadline. */
static binder_status_t wait_for(struct rpc_conn *conn, short events,
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
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			return STATUS_DEAD_OBJECT;
		rc = wait_for(conn, POLLIN, &events);
		if (rc != STATUS_OK)
			return rc;
	}
	*ret_count = (size_t)n;
	return STATUS_OK;
}

/* Receive up to @size bytes, at least one. */
static binder_status_t receive_bytes(struct rpc_conn *conn, void *bytes,
				     size_t size, size_t *ret_count)
{
	struct iovec iov = {.iov_base = bytes, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

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

/* Space for the descriptors of one message. */
union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int) * RPC_MAX_FDS)];
};

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
	union control control;
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

binder_status_t rpc_conn_wait(struct rpc_conn *conn, bool *ret_readable)
{
	short events = POLLIN;
	binder_status_t rc = STATUS_OK;

	if (conn->end == conn->start)
		rc = wait_for(conn, POLLIN | POLLOUT, &events);
	*ret_readable = (events & ~POLLOUT) != 0;
	return rc;
}

bool rpc_conn_readable(struct rpc_conn *conn)
{
	struct pollfd p = {.fd = conn->fd, .events = POLLIN};

	return conn->end > conn->start ||
	       (poll(&p, 1, 0) == 1 && (p.revents & POLLIN));
}

/* Drop the first @count bytes of @output, which are written. */
static void advance(struct rpc_output *output, struct iovec **first,
		    size_t count)
{
	while (output->n_parts > 0 && count >= (*first)->iov_len) {
		count -= (*first)->iov_len;
		++*first;
		output->n_parts--;
	}
	if (output->n_parts > 0) {
		(*first)->iov_base = (char *)(*first)->iov_base + count;
		(*first)->iov_len -= count;
	}
}

/* Attach the descriptors to @msg. */
static void attach_fds(struct msghdr *msg, union control *control,
		       const struct rpc_output *output)
{
	size_t size = sizeof(int) * output->n_fds;
	struct cmsghdr *cmsg;

	memset(control, 0, sizeof(*control));
	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE(size);
	cmsg = CMSG_FIRSTHDR(msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(cmsg), output->fds, size);
}

/* Write some of @output, or say that it would block (0 bytes). */
static binder_status_t write_some(struct rpc_conn *conn, struct iovec *first,
				  const struct rpc_output *output,
				  size_t *ret_count)
{
	struct msghdr msg = {.msg_iov = first, .msg_iovlen = output->n_parts};
	union control control;
	ssize_t n;

	if (output->n_fds > 0)
		attach_fds(&msg, &control, output);
	do {
		n = sendmsg(conn->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
		return STATUS_DEAD_OBJECT;
	*ret_count = n < 0 ? 0 : (size_t)n;
	return STATUS_OK;
}

binder_status_t rpc_conn_write(struct rpc_conn *conn, struct rpc_output *output,
			       binder_status_t (*drain)(struct rpc_conn *conn,
							void *userdata),
			       void *userdata)
{
	struct iovec *first = output->parts;
	short events;
	size_t n;
	binder_status_t rc;

	advance(output, &first, 0); /* empty parts */
	while (output->n_parts > 0) {
		rc = write_some(conn, first, output, &n);
		if (rc != STATUS_OK)
			return rc;
		if (n == 0 && output->at_once)
			return STATUS_WOULD_BLOCK;
		if (n > 0) {
			output->at_once = false; /* it has to be whole */
			output->n_fds = 0;
			advance(output, &first, n);
			continue;
		}
		rc = wait_for(conn, drain ? POLLIN | POLLOUT : POLLOUT,
			      &events);
		if (rc == STATUS_OK && drain && (events & POLLIN))
			rc = drain(conn, userdata);
		if (rc != STATUS_OK)
			return rc;
	}
	return STATUS_OK;
}
