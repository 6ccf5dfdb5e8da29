/*
 * Writing to a connection: messages out of several parts, each whole. Two
 * things may be in the way: a peer that does not read, and a kernel that has
 * no memory for so much at once (vsock allocates what it sends).
 */
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "rpc/rpc_conn.h"

/* Without memory: less at once, down to a page; then pauses, which grow. */
#define FIRST_CHUNK    RPC_MAX_FRAME_DEFAULT
#define LEAST_CHUNK    4096U
#define FIRST_PAUSE_MS 20U
#define MAX_PAUSE_MS   1000U
#define GIVE_UP_MS     30000U

/* A message on its way. */
struct writer {
	struct rpc_output *output;
	struct iovec *first; /* what is left begins here */
	size_t chunk;        /* bytes to write at once, at most */
	unsigned int pause_ms, paused_ms;
	short wants; /* what to wait for when nothing could be written */
};

/* Drop the first @count bytes, which are written. */
static void advance(struct writer *w, size_t count)
{
	struct rpc_output *output = w->output;

	while (output->n_parts > 0 && count >= w->first->iov_len) {
		count -= w->first->iov_len;
		w->first++;
		output->n_parts--;
	}
	if (output->n_parts > 0) {
		w->first->iov_base = (char *)w->first->iov_base + count;
		w->first->iov_len -= count;
	}
}

/* The first @w->chunk bytes of what is left, in @ret_parts. */
static size_t cut(const struct writer *w, struct iovec *ret_parts)
{
	size_t left = w->chunk;
	size_t n = 0;

	for (; n < w->output->n_parts && left > 0; n++) {
		ret_parts[n] = w->first[n];
		ret_parts[n].iov_len = MIN(ret_parts[n].iov_len, left);
		left -= ret_parts[n].iov_len;
	}
	return n;
}

/* Attach the descriptors to @msg. */
static void attach_fds(struct msghdr *msg, union rpc_control *control,
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

/* The kernel has no memory for a message of this size: try a smaller one, or
 * a little later. */
static binder_status_t relieve(const struct rpc_conn *conn, struct writer *w)
{
	struct timespec pause = {.tv_sec = 0};

	if (w->chunk > LEAST_CHUNK) {
		w->chunk = MAX(w->chunk / 2, LEAST_CHUNK);
		return STATUS_OK;
	}
	if (w->output->at_once)
		return STATUS_WOULD_BLOCK;
	if (w->paused_ms >= GIVE_UP_MS)
		return STATUS_NO_MEMORY;
	if (conn->never_waits)
		return STATUS_TIMED_OUT;
	if (!rpc_conn_in_time(conn))
		return STATUS_TIMED_OUT;
	pause.tv_sec = w->pause_ms / 1000;
	pause.tv_nsec = (long)(w->pause_ms % 1000) * 1000000L;
	(void)nanosleep(&pause, NULL);
	w->paused_ms += w->pause_ms;
	w->pause_ms = MIN(w->pause_ms * 2, MAX_PAUSE_MS);
	return STATUS_OK;
}

/* Write some to the socket, or say that it would block (0 bytes). */
static binder_status_t write_socket(struct rpc_conn *conn, struct writer *w,
				    size_t *ret_count)
{
	struct iovec parts[ARRAY_SIZE(w->output->parts)];
	struct msghdr msg = {.msg_iov = parts};
	union rpc_control control;
	ssize_t n;
	binder_status_t rc;

	if (w->output->n_fds > 0)
		attach_fds(&msg, &control, w->output);
	for (;;) {
		msg.msg_iovlen = cut(w, parts);
		n = sendmsg(conn->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0 || errno == EAGAIN || errno == EWOULDBLOCK)
			break;
		if (errno == EINTR)
			continue;
		if (errno != ENOMEM && errno != ENOBUFS)
			return STATUS_DEAD_OBJECT;
		rc = relieve(conn, w);
		if (rc != STATUS_OK)
			return rc;
	}
	w->wants = POLLOUT;
	*ret_count = n < 0 ? 0 : (size_t)n;
	return STATUS_OK;
}

/* The same through the layer. */
static binder_status_t write_layer(struct rpc_conn *conn, struct writer *w,
				   size_t *ret_count)
{
	enum rpc_io io;

	*ret_count = 0;
	io = conn->ops->write(conn->layer, w->first, w->output->n_parts,
			      ret_count);
	switch (io) {
	case RPC_IO_DONE:
		return STATUS_OK;
	case RPC_IO_WANT_READ:
		w->wants = POLLIN;
		return STATUS_OK;
	case RPC_IO_WANT_WRITE:
		w->wants = POLLOUT;
		return STATUS_OK;
	default:
		return rpc_io_error(io);
	}
}

/* Whether a message that must not wait can be begun. A layer keeps what it
 * could not write, so this is found out before. */
static bool can_begin(const struct rpc_conn *conn)
{
	struct pollfd p = {.fd = conn->fd, .events = POLLOUT};

	return !conn->ops || poll(&p, 1, 0) == 1;
}

/* Nothing could be written: wait, and read meanwhile. */
static binder_status_t wait_to_write(
	struct rpc_conn *conn, const struct writer *w,
	binder_status_t (*drain)(struct rpc_conn *conn, void *userdata),
	void *userdata)
{
	short events = w->wants;
	binder_status_t rc;

	if (drain)
		events |= POLLIN;
	rc = rpc_conn_poll(conn, events, &events);
	if (rc == STATUS_OK && drain && (events & POLLIN) &&
	    rpc_conn_readable(conn))
		rc = drain(conn, userdata);
	return rc;
}

binder_status_t rpc_conn_write(struct rpc_conn *conn, struct rpc_output *output,
			       binder_status_t (*drain)(struct rpc_conn *conn,
							void *userdata),
			       void *userdata)
{
	struct writer w = {
		.output = output,
		.first = output->parts,
		.chunk = FIRST_CHUNK,
		.pause_ms = FIRST_PAUSE_MS,
	};
	size_t n;
	binder_status_t rc;

	advance(&w, 0); /* empty parts */
	if (output->at_once && !can_begin(conn))
		return STATUS_WOULD_BLOCK;
	while (output->n_parts > 0) {
		rc = conn->ops ? write_layer(conn, &w, &n)
			       : write_socket(conn, &w, &n);
		if (rc == STATUS_OK && n == 0 && output->at_once && !conn->ops)
			return STATUS_WOULD_BLOCK;
		output->at_once = false; /* it has to be whole */
		if (rc == STATUS_OK && n > 0) {
			output->n_fds = 0;
			advance(&w, n);
		} else if (rc == STATUS_OK) {
			rc = wait_to_write(conn, &w, drain, userdata);
		}
		if (rc != STATUS_OK)
			return rc;
	}
	return STATUS_OK;
}

binder_status_t rpc_conn_write_bytes(struct rpc_conn *conn, void *bytes,
				     size_t size)
{
	struct rpc_output output = {
		.parts = {{bytes, size}},
		.n_parts = 1,
	};

	return rpc_conn_write(conn, &output, NULL, NULL);
}
