/*
 * Packets from the guest: copied, checked, answered.
 *
 * What is wrong with a packet decides who pays for it:
 *
 *	not from this guest, not to us, no header  -> dropped, nobody to tell
 *	malformed, of a known connection           -> RST of that connection
 *	of no connection                           -> RST (5.10.6.5), bounded
 *	the ring itself                            -> the device needs a reset
 *
 * The queue never waits for an application: what its socket does not take is
 * buffered, and a guest cannot send more than its credit allows.
 */
#include "devices/vsock_internal.h"

#include <sys/socket.h>

#include "base/cleanup.h"

/* The guest's header, copied out once, in our byte order. */
struct packet {
	uint64_t src_cid, dst_cid;
	uint32_t guest_port, host_port;
	uint32_t len; /* bytes of data; they are in the chain */
	uint16_t type, op;
	uint32_t flags, buf_alloc, fwd_cnt;
	const struct virtq_chain *chain; /* borrowed */
};

/* False: not a packet to us, or not one from this guest. */
static bool parse(const struct virtio_vsock *vs,
		  const struct virtq_chain *chain, struct packet *p)
{
	struct vsock_hdr hdr;

	if (iov_read(chain->parts, chain->n_readable, 0, &hdr, sizeof(hdr)) !=
	    sizeof(hdr))
		return false;
	*p = (struct packet){
		.src_cid = le64_get(hdr.src_cid),
		.dst_cid = le64_get(hdr.dst_cid),
		.guest_port = le32_get(hdr.src_port),
		.host_port = le32_get(hdr.dst_port),
		.len = le32_get(hdr.len),
		.type = le16_get(hdr.type),
		.op = le16_get(hdr.op),
		.flags = le32_get(hdr.flags),
		.buf_alloc = le32_get(hdr.buf_alloc),
		.fwd_cnt = le32_get(hdr.fwd_cnt),
		.chain = chain,
	};
	return p->src_cid == vs->guest_cid && p->dst_cid == VSOCK_CID_HOST;
}

/* A length below the chain's is fine, drivers may hand out whole buffers. */
static bool is_sane(const struct packet *p)
{
	return p->type == VSOCK_TYPE_STREAM && p->op >= VSOCK_OP_REQUEST &&
	       p->op <= VSOCK_OP_CREDIT_REQUEST &&
	       p->len <= p->chain->readable_bytes - sizeof(struct vsock_hdr);
}

/* Answer who is unknown here. Never an RST to an RST: it would not end. */
static void refuse(struct virtio_vsock *vs, const struct packet *p)
{
	unsigned int i = (vs->first_rst + vs->n_rsts) % VSOCK_MAX_RSTS;

	if (p->op == VSOCK_OP_RST || vs->n_rsts == VSOCK_MAX_RSTS)
		return;
	vs->rsts[i] = (struct vsock_stray){.host_port = p->host_port,
					   .guest_port = p->guest_port,
					   .type = p->type};
	vs->n_rsts++;
}

/*
 * The guest's side of the credit. Its counter may come late, since its
 * packets are made by several threads; it may not count what was never sent.
 */
static bool take_credit(struct vsock_conn *conn, const struct packet *p)
{
	uint32_t step = p->fwd_cnt - conn->peer_forwarded;

	conn->peer_buf_alloc = p->buf_alloc;
	/* serial numbers: the nearer way round says who is older */
	if (step > INT32_MAX)
		return true; /* older than what we know */
	if (step > conn->sent - conn->peer_forwarded)
		return false;
	conn->peer_forwarded = p->fwd_cnt;
	if (vsock_conn_credit(conn) > 0)
		conn->credit_asked = false;
	vsock_conn_make_ready(conn);
	return true;
}

/* As much as the socket takes now. Negative: the guest's memory is gone. */
static int send_now(struct vsock_conn *conn, const struct packet *p,
		    uint32_t *ret_sent)
{
	struct iovec parts[VIRTQ_MAX_PARTS];
	struct msghdr msg = {.msg_iov = parts};
	ssize_t n;

	*ret_sent = 0;
	if (conn->out.used > 0)
		return 0; /* it waits its turn */
	/* straight from the guest's memory: most data is never copied here */
	msg.msg_iovlen = iov_slice(p->chain->parts, p->chain->n_readable,
				   sizeof(struct vsock_hdr), p->len, parts);
	n = sendmsg(conn->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno == EFAULT)
		return fail(AVF_ERR_PROTOCOL,
			    "vsock: the guest's buffer cannot be read");
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		vsock_conn_stop_receive(conn);
	if (n > 0)
		*ret_sent = (uint32_t)n;
	return 0;
}

static int take_data(struct vsock_conn *conn, const struct packet *p)
{
	uint32_t sent = 0;
	int rc;

	if (p->len > VSOCK_BUF_ALLOC - (conn->received - conn->forwarded) ||
	    conn->guest_no_send) {
		vsock_conn_abort(conn, "data beyond credit or SHUTDOWN");
		return 0;
	}
	/* counted also when nobody reads it: both sides must agree */
	conn->received += p->len;
	if (p->len == 0)
		return 0;
	rc = conn->host_no_receive ? 0 : send_now(conn, p, &sent);
	if (rc < 0)
		return rc;
	if (conn->host_no_receive) {
		vsock_conn_forwarded(conn, p->len); /* nobody reads it */
		return 0;
	}
	vsock_conn_forwarded(conn, sent);
	if (sent == p->len)
		return 0;
	rc = vsock_buffer_append(
		&conn->out, p->chain->parts, p->chain->n_readable,
		sizeof(struct vsock_hdr) + sent, p->len - sent);
	if (rc == AVF_ERR_PROTOCOL)
		return rc; /* the guest's memory is gone, as in send_now() */
	if (rc < 0)
		vsock_conn_abort(conn, error_record()->text);
	vsock_conn_watch(conn);
	return 0;
}

static int open_packet(struct vsock_conn *conn, const struct packet *p)
{
	switch (p->op) {
	case VSOCK_OP_RW:
		return take_data(conn, p);
	case VSOCK_OP_SHUTDOWN:
		vsock_conn_guest_shutdown(conn, p->flags);
		break;
	case VSOCK_OP_CREDIT_UPDATE:
		break; /* every packet is one */
	/* a bit of the connection: any number of them is one answer */
	case VSOCK_OP_CREDIT_REQUEST:
		vsock_conn_owe(conn, VSOCK_OWES_CREDIT_UPDATE);
		break;
	default: /* a second REQUEST, a RESPONSE that nobody asked for */
		vsock_conn_abort(conn, "connected already");
		break;
	}
	return 0;
}

/* An answer to our REQUEST, if that was sent at all. */
static void connecting_packet(struct vsock_conn *conn, const struct packet *p)
{
	if (p->op != VSOCK_OP_RESPONSE || conn->owes & VSOCK_OWES_REQUEST) {
		vsock_conn_abort(conn, "not an answer to a REQUEST");
		return;
	}
	vsock_conn_open(conn);
	vsock_conn_report(conn, 0);
}

static int conn_packet(struct vsock_conn *conn, const struct packet *p)
{
	int rc = 0;

	if (p->op == VSOCK_OP_RST)
		vsock_conn_finish(conn, false);
	else if (conn->state == VSOCK_CLOSING)
		return 0; /* our RST is on its way */
	else if (!take_credit(conn, p))
		vsock_conn_abort(conn, "more was received than sent");
	else if (conn->state == VSOCK_CONNECTING)
		connecting_packet(conn, p);
	else
		rc = open_packet(conn, p);
	vsock_conn_settle(conn);
	return rc;
}

/* The new connection is open before the application hears of it. */
static int accept_guest(struct virtio_vsock *vs, const struct packet *p,
			const struct vsock_listener *listener)
{
	CLEANUP(close_p) int app_fd = -1;
	struct vsock_conn *conn;
	int pair[2];
	int rc;

	if (vs->n_conns >= VSOCK_MAX_CONNS - VSOCK_HOST_CONNS)
		return fail(AVF_ERR_LIMIT, "vsock: the rest is for the host");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_errno("vsock: socketpair");
	app_fd = pair[1];
	rc = vsock_conn_new(vs, p->host_port, p->guest_port, pair[0], &conn);
	if (rc < 0)
		return rc;
	/* 5.10.6.3: every packet carries credit, the first one too */
	conn->peer_buf_alloc = p->buf_alloc;
	rc = listener->accept(listener->userdata, p->guest_port,
			      take_fd(&app_fd));
	if (rc < 0) {
		vsock_conn_free(conn);
		return rc;
	}
	vsock_conn_open(conn);
	vsock_conn_owe(conn, VSOCK_OWES_RESPONSE);
	return 0;
}

static void stranger(struct virtio_vsock *vs, const struct packet *p)
{
	struct vsock_listener *listener;
	struct vsock_listener copy;

	listener = p->op == VSOCK_OP_REQUEST
			   ? vsock_find_listener(vs, p->host_port)
			   : NULL;
	if (!listener) {
		refuse(vs, p);
		return;
	}
	copy = *listener; /* its callback may take it off the list */
	if (accept_guest(vs, p, &copy) < 0)
		refuse(vs, p);
}

static int handle(struct virtio_vsock *vs, const struct virtq_chain *chain)
{
	struct vsock_conn *conn;
	struct packet p;

	if (!parse(vs, chain, &p))
		return 0; /* forged or cut: there is nobody to answer */
	conn = vsock_table_find(vs, p.host_port, p.guest_port);
	if (is_sane(&p) && conn)
		return conn_packet(conn, &p);
	if (is_sane(&p))
		stranger(vs, &p);
	else if (!conn)
		refuse(vs, &p);
	else if (conn->state != VSOCK_CLOSING)
		vsock_conn_abort(conn, "malformed packet");
	return 0;
}

static int take_packet(struct virtio_vsock *vs, const struct virtq_chain *chain)
{
	int rc = handle(vs, chain);

	if (rc < 0)
		return rc;
	virtio_dev_push(&vs->dev, VSOCK_TX, chain->head, 0);
	vs->taken_parts += chain->n_readable + chain->n_writable;
	vs->taken_bytes += chain->readable_bytes;
	return 0;
}

void vsock_tx_signal(struct virtio_vsock *vs)
{
	vs->taken_parts = 0;
	vs->taken_bytes = 0;
	virtio_dev_signal(&vs->dev, VSOCK_TX);
}

/* One timer for what is taken until it fires: setting it is a system call. */
static void signal_later(struct virtio_vsock *vs)
{
	if (vs->taken_parts >= VSOCK_TAKEN_PARTS(&vs->dev.queues[VSOCK_TX]) ||
	    vs->taken_bytes >= VSOCK_TAKEN_BYTES) {
		vsock_tx_signal(vs);
		return;
	}
	if (vs->taken_parts == 0 || vs->taken_armed)
		return;
	vs->taken_armed = true;
	timer_set(&vs->taken_timer, VSOCK_TAKEN_MS);
}

int vsock_tx_run(struct virtio_vsock *vs)
{
	struct virtq *tx = &vs->dev.queues[VSOCK_TX];
	unsigned int budget = VSOCK_TX_BUDGET;
	int rc;

	/* we look again before the end; until then a kick is only an exit */
	virtq_disable_kicks(tx);
	for (; budget > 0 && vs->dev.active; budget--) {
		rc = virtq_pop(tx, &vs->tx_chain);
		if (rc == 0 && !virtq_enable_kicks(tx))
			break;
		if (rc > 0)
			rc = take_packet(vs, &vs->tx_chain);
		if (rc < 0)
			return rc;
	}
	signal_later(vs);
	if (budget == 0)
		vsock_schedule(vs);
	return 0;
}
