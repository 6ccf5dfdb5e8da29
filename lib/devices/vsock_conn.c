/*
 * One connection: its life and its socket.
 *
 *	CONNECTING --RESPONSE--> OPEN --both directions over--> CLOSING
 *	     |                    |                                |
 *	     +-- refused, given up, malformed packet: RST ---------+
 *
 * In CLOSING the guest is owed at most an RST, and the application at most
 * what the guest had sent before: it is flushed, then both ends are gone. The
 * guest is not kept waiting for a slow application, and its ports are free as
 * soon as the RST is out.
 *
 * Each direction ends on its own (5.10.6.5):
 *
 *	guest: NO_SEND     -> flush, then shutdown(SHUT_WR)
 *	guest: NO_RECEIVE  -> shutdown(SHUT_RD), the application gets EPIPE
 *	host: end of file  -> NO_SEND, after the last byte
 *	host: hang-up      -> NO_RECEIVE, then NO_SEND after the last byte
 *
 * epoll reports a hang-up for ever and it cannot be masked; so from then on
 * the socket is not watched, and read whenever the guest has room.
 */
#include "devices/vsock_internal.h"

#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/checked.h"
#include "base/cleanup.h"

static struct vsock_conn *to_conn(struct loop_source *source)
{
	return container_of(source, struct vsock_conn, source);
}

/* The other end sees end of file, or a reset when it left data unread. */
static void close_socket(struct vsock_conn *conn)
{
	loop_remove(conn->vs->loop, &conn->source);
	fd_close(conn->fd);
	conn->fd = -1;
	conn->readable = false;
}

/* Dropped bytes count as forwarded: the guest must not run out of credit. */
static void drop_waiting(struct vsock_conn *conn)
{
	vsock_conn_forwarded(conn, conn->out.used);
	vsock_buffer_fini(&conn->out);
}

void vsock_conn_report(struct vsock_conn *conn, int rc)
{
	vsock_connected_fn *done = conn->done;

	/* first, since the callback may come back here by another way */
	conn->done = NULL;
	if (done)
		done(conn->done_userdata, rc);
}

void vsock_conn_refuse(struct vsock_conn *conn, int code, const char *why)
{
	if (conn->done)
		vsock_conn_report(conn, fail(code, "%s", why));
}

uint32_t vsock_conn_credit(const struct vsock_conn *conn)
{
	uint32_t on_the_way = conn->sent - conn->peer_forwarded;

	/* the guest may shrink its buffer below what is on the way */
	return conn->peer_buf_alloc > on_the_way
		       ? conn->peer_buf_alloc - on_the_way
		       : 0;
}

/* Whether there is something to read, room for it or not. */
static bool wants_read(const struct vsock_conn *conn)
{
	return conn->state == VSOCK_OPEN && conn->readable &&
	       !conn->host_no_send && !conn->guest_no_receive;
}

bool vsock_conn_may_read(const struct vsock_conn *conn)
{
	return wants_read(conn) && vsock_conn_credit(conn) > 0;
}

void vsock_conn_make_ready(struct vsock_conn *conn)
{
	/*
	 * Guests tell of new room by themselves, but need not (5.10.6.3); one
	 * question per blockade is enough, and no flood.
	 */
	if (wants_read(conn) && vsock_conn_credit(conn) == 0 &&
	    !conn->credit_asked) {
		conn->credit_asked = true;
		conn->owes |= VSOCK_OWES_CREDIT_REQUEST;
	}
	if (conn->on_ready || (!conn->owes && !vsock_conn_may_read(conn)))
		return;
	conn->on_ready = true;
	TAILQ_INSERT_TAIL(&conn->vs->ready, conn, ready);
}

void vsock_conn_owe(struct vsock_conn *conn, uint32_t what)
{
	conn->owes |= what;
	vsock_conn_make_ready(conn);
}

void vsock_conn_watch(struct vsock_conn *conn)
{
	uint32_t events = 0;

	/* Level-triggered: what cannot be read now must not be watched, or
	 * the loop would spin on it. */
	if (conn->state == VSOCK_OPEN && !conn->stalled &&
	    !conn->host_no_send && !conn->guest_no_receive)
		events |= EPOLLIN;
	if (conn->out.used > 0)
		events |= EPOLLOUT;
	loop_modify(conn->vs->loop, &conn->source, events);
}

void vsock_conn_forwarded(struct vsock_conn *conn, uint32_t len)
{
	conn->forwarded += len;
	/* In between the guest has half of the buffer to go on with. */
	if (conn->state == VSOCK_OPEN &&
	    conn->forwarded - conn->announced >= VSOCK_BUF_ALLOC / 2)
		vsock_conn_owe(conn, VSOCK_OWES_CREDIT_UPDATE);
}

void vsock_conn_stop_receive(struct vsock_conn *conn)
{
	if (conn->host_no_receive)
		return;
	conn->host_no_receive = true;
	drop_waiting(conn);
	if (conn->state == VSOCK_OPEN)
		vsock_conn_owe(conn, VSOCK_OWES_SHUTDOWN);
}

void vsock_conn_stop_send(struct vsock_conn *conn)
{
	if (conn->host_no_send)
		return;
	conn->host_no_send = true;
	conn->readable = false;
	if (conn->state == VSOCK_OPEN)
		vsock_conn_owe(conn, VSOCK_OWES_SHUTDOWN);
	vsock_conn_watch(conn);
}

/* Everything that the guest sent is in the socket. */
static void flushed(struct vsock_conn *conn)
{
	if (conn->state == VSOCK_CLOSING)
		close_socket(conn);
	else if (conn->guest_no_send)
		(void)shutdown(conn->fd, SHUT_WR); /* a closed peer is fine */
}

void vsock_conn_flush(struct vsock_conn *conn)
{
	struct iovec parts[2];
	struct msghdr msg = {.msg_iov = parts};
	ssize_t n;

	/* nobody is there any more: everything was dropped already */
	if (conn->fd < 0)
		return;
	while (conn->out.used > 0) {
		msg.msg_iovlen = vsock_buffer_parts(&conn->out, parts);
		n = sendmsg(conn->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		/* EPIPE: the application closed, or stopped reading */
		if (n < 0) {
			vsock_conn_stop_receive(conn);
			break;
		}
		vsock_buffer_consume(&conn->out, (uint32_t)n);
		vsock_conn_forwarded(conn, (uint32_t)n);
	}
	if (conn->out.used == 0)
		flushed(conn);
	vsock_conn_watch(conn);
}

void vsock_conn_finish(struct vsock_conn *conn, bool rst)
{
	conn->state = VSOCK_CLOSING;
	conn->readable = false;
	conn->owes = rst ? VSOCK_OWES_RST : 0;
	/* The ports are taken until the RST is out: the guest would take it
	 * for the answer to a new REQUEST. */
	if (rst)
		vsock_conn_make_ready(conn);
	else
		vsock_table_remove(conn->vs, conn);
	vsock_conn_refuse(conn, AVF_ERR_REFUSED,
			  "the guest refused it: nobody listens there");
	vsock_conn_flush(conn);
}

void vsock_conn_abort(struct vsock_conn *conn, const char *why)
{
	struct virtio_dev *dev = &conn->vs->dev;

	if (log_budget_take(&dev->log_budget, clock_now_ns()))
		log_info(dev->log, "vsock: reset of %u to guest port %u: %s",
			 conn->host_port, conn->guest_port, why);
	conn->state = VSOCK_CLOSING;
	conn->owes = VSOCK_OWES_RST;
	drop_waiting(conn);
	close_socket(conn);
	vsock_conn_make_ready(conn);
	vsock_conn_refuse(conn, AVF_ERR_REFUSED, why);
}

void vsock_conn_guest_shutdown(struct vsock_conn *conn, uint32_t flags)
{
	if (flags & VSOCK_NO_RECEIVE && !conn->guest_no_receive) {
		conn->guest_no_receive = true;
		conn->readable = false;
		if (conn->fd >= 0)
			(void)shutdown(conn->fd, SHUT_RD);
		if (conn->hung_up) /* what it left behind is not wanted */
			vsock_conn_stop_send(conn);
	}
	if (flags & VSOCK_NO_SEND)
		conn->guest_no_send = true;
	/* The data is ours already: the guest need not wait for the flush. */
	if (conn->guest_no_receive && conn->guest_no_send)
		vsock_conn_finish(conn, true);
	else
		vsock_conn_flush(conn);
}

void vsock_conn_open(struct vsock_conn *conn)
{
	conn->state = VSOCK_OPEN;
	vsock_conn_watch(conn);
}

void vsock_conn_settle(struct vsock_conn *conn)
{
	if (conn->state == VSOCK_CLOSING && conn->out.used == 0 &&
	    !(conn->owes & VSOCK_OWES_RST)) {
		vsock_conn_free(conn);
		return;
	}
	/* The application is gone; the guest's RST may take its time. */
	if (conn->fd >= 0 && conn->state == VSOCK_OPEN && conn->hung_up &&
	    conn->host_no_send)
		close_socket(conn);
}

/* The application gave up before the guest answered. */
static void cancel(struct vsock_conn *conn)
{
	bool guest_knows = !(conn->owes & VSOCK_OWES_REQUEST);

	vsock_conn_refuse(conn, AVF_ERR_CLOSED, "the caller gave up");
	vsock_conn_finish(conn, guest_knows);
}

/* Both directions of the socket are over; what it holds is still ours. */
static void hang_up(struct vsock_conn *conn)
{
	/* a hang-up cannot be masked, it would be reported for ever */
	loop_remove(conn->vs->loop, &conn->source);
	conn->hung_up = true;
	if (conn->state == VSOCK_CONNECTING) {
		cancel(conn);
		return;
	}
	vsock_conn_stop_receive(conn);
	if (conn->guest_no_receive)
		vsock_conn_stop_send(conn);
}

static void note_readable(struct vsock_conn *conn)
{
	/* Seen before and not read since: the guest has no room. */
	if (conn->readable)
		conn->stalled = true;
	conn->readable = conn->state == VSOCK_OPEN && !conn->host_no_send;
	vsock_conn_make_ready(conn);
	vsock_conn_watch(conn);
}

static void socket_ready(struct loop_source *source, uint32_t events)
{
	struct vsock_conn *conn = to_conn(source);
	struct virtio_vsock *vs = conn->vs;

	if (events & (EPOLLHUP | EPOLLERR))
		hang_up(conn);
	else if (events & EPOLLOUT)
		vsock_conn_flush(conn);
	if (conn->hung_up || events & EPOLLIN)
		note_readable(conn);
	vsock_conn_settle(conn);
	vsock_rx_run(vs);
}

int vsock_conn_new(struct virtio_vsock *vs, uint32_t host_port,
		   uint32_t guest_port, int fd, struct vsock_conn **ret_conn)
{
	CLEANUP(close_p) int owned = fd;
	CLEANUP(free_p) struct vsock_conn *conn = NULL;
	int rc;

	/* those that only flush count too: each holds an fd and a buffer */
	if (vs->n_conns >= VSOCK_MAX_CONNS)
		return fail(AVF_ERR_LIMIT, "vsock: more than %d connections",
			    VSOCK_MAX_CONNS);
	conn = calloc(1, sizeof(*conn));
	if (!conn)
		return fail(AVF_ERR_NO_MEMORY, "vsock: connection");
	rc = fd_set_nonblock(owned, true);
	if (rc < 0)
		return rc;
	rc = loop_add(vs->loop, &conn->source, owned, 0, socket_ready);
	if (rc < 0)
		return rc;
	conn->vs = vs;
	conn->host_port = host_port;
	conn->guest_port = guest_port;
	conn->fd = take_fd(&owned);
	conn->burst = 1;
	vsock_buffer_init(&conn->out, &vs->buffered);
	TAILQ_INSERT_TAIL(&vs->all, conn, all);
	vs->n_conns++;
	vsock_table_insert(vs, conn);
	*ret_conn = TAKE_PTR(conn);
	return 0;
}

void vsock_conn_free(struct vsock_conn *conn)
{
	struct virtio_vsock *vs;

	if (!conn)
		return;
	vs = conn->vs;
	vsock_table_remove(vs, conn);
	if (conn->on_ready)
		TAILQ_REMOVE(&vs->ready, conn, ready);
	TAILQ_REMOVE(&vs->all, conn, all);
	vs->n_conns--;
	close_socket(conn);
	vsock_buffer_fini(&conn->out);
	free(conn);
}
