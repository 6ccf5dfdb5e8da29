/*
 * Packets to the guest: who is next, and what goes into its buffers.
 *
 * Data is read from the socket straight into the guest's memory: buffers for
 * several packets are taken, their parts after the headers become one
 * recvmsg(), then the headers are written and what was not filled is given
 * back. How many are taken doubles while a read fills them all, so that a
 * ping-pong of small messages does not pay for the bulk.
 *
 * The guest is interrupted once per run. It is asked for kicks only when we
 * have something and it has no buffer.
 */
#include "devices/vsock_internal.h"

#include <string.h>
#include <sys/socket.h>

#include "base/checked.h"

static struct virtq *rx_queue(struct virtio_vsock *vs)
{
	return &vs->dev.queues[VSOCK_RX];
}

/* Take a buffer of the guest. 0: there is none, we are kicked when there is. */
static int take_buffer(struct virtio_vsock *vs, struct virtq_chain *ret_chain)
{
	struct virtq *rx = rx_queue(vs);
	int rc = virtq_pop(rx, ret_chain);

	if (rc == 0 && virtq_enable_kicks(rx))
		rc = virtq_pop(rx, ret_chain);
	if (rc <= 0)
		return rc;
	virtq_disable_kicks(rx);
	/* less would never carry data, and we would try for ever */
	if (ret_chain->writable_bytes <= sizeof(struct vsock_hdr))
		return fail(AVF_ERR_PROTOCOL,
			    "vsock: receive buffer of %u bytes",
			    (unsigned int)ret_chain->writable_bytes);
	return 1;
}

static void put_packet(struct virtio_vsock *vs, struct virtq_chain *chain,
		       const struct vsock_hdr *hdr)
{
	(void)iov_write(virtq_writable(chain), chain->n_writable, 0, hdr,
			sizeof(*hdr)); /* take_buffer() made sure of the room */
	virtio_dev_push(&vs->dev, VSOCK_RX, chain->head,
			(uint32_t)sizeof(*hdr) + le32_get(hdr->len));
}

/* Every packet carries our credit, so none is owed after it. */
static void put_conn_packet(struct vsock_conn *conn, struct virtq_chain *chain,
			    enum vsock_op op, uint32_t len, uint32_t flags)
{
	const struct vsock_hdr hdr = {
		.src_cid = le64_make(VSOCK_CID_HOST),
		.dst_cid = le64_make(conn->vs->guest_cid),
		.src_port = le32_make(conn->host_port),
		.dst_port = le32_make(conn->guest_port),
		.len = le32_make(len),
		.type = le16_make(VSOCK_TYPE_STREAM),
		.op = le16_make((uint16_t)op),
		.flags = le32_make(flags),
		.buf_alloc = le32_make(VSOCK_BUF_ALLOC),
		.fwd_cnt = le32_make(conn->forwarded),
	};

	conn->announced = conn->forwarded;
	conn->owes &= ~VSOCK_OWES_CREDIT_UPDATE;
	put_packet(conn->vs, chain, &hdr);
}

/* No credit in it: there is no connection to count for. */
static int send_stray(struct virtio_vsock *vs)
{
	const struct vsock_stray *to = &vs->rsts[vs->first_rst];
	const struct vsock_hdr hdr = {
		.src_cid = le64_make(VSOCK_CID_HOST),
		.dst_cid = le64_make(vs->guest_cid),
		.src_port = le32_make(to->host_port),
		.dst_port = le32_make(to->guest_port),
		.type = le16_make(to->type),
		.op = le16_make(VSOCK_OP_RST),
	};
	int rc = take_buffer(vs, &vs->rx_chains[0]);

	if (rc <= 0)
		return rc;
	put_packet(vs, &vs->rx_chains[0], &hdr);
	vs->first_rst = (vs->first_rst + 1) % VSOCK_MAX_RSTS;
	vs->n_rsts--;
	return 1;
}

static uint32_t shutdown_flags(const struct vsock_conn *conn)
{
	return (conn->host_no_send ? VSOCK_NO_SEND : 0) |
	       (conn->host_no_receive ? VSOCK_NO_RECEIVE : 0);
}

/* In the order of their urgency; an RST is the last packet of all. */
static const struct {
	uint32_t bit;
	enum vsock_op op;
} owed_packets[] = {
	{VSOCK_OWES_RST, VSOCK_OP_RST},
	{VSOCK_OWES_REQUEST, VSOCK_OP_REQUEST},
	{VSOCK_OWES_RESPONSE, VSOCK_OP_RESPONSE},
	{VSOCK_OWES_CREDIT_UPDATE, VSOCK_OP_CREDIT_UPDATE},
	{VSOCK_OWES_CREDIT_REQUEST, VSOCK_OP_CREDIT_REQUEST},
	{VSOCK_OWES_SHUTDOWN, VSOCK_OP_SHUTDOWN},
};

static int send_owed(struct vsock_conn *conn)
{
	struct virtq_chain *chain = &conn->vs->rx_chains[0];
	enum vsock_op op;
	unsigned int i = 0;
	int rc = take_buffer(conn->vs, chain);

	if (rc <= 0)
		return rc;
	/* ends: the caller saw that something is owed */
	while (!(conn->owes & owed_packets[i].bit))
		i++;
	op = owed_packets[i].op;
	conn->owes &= ~owed_packets[i].bit;
	put_conn_packet(conn, chain, op, 0,
			op == VSOCK_OP_SHUTDOWN ? shutdown_flags(conn) : 0);
	if (op == VSOCK_OP_RST)
		vsock_table_remove(conn->vs, conn);
	return 1;
}

/* Buffers for one read: as many as the connection's burst, within credit. */
struct burst {
	unsigned int n_chains;
	unsigned int n_parts;
	uint32_t bytes; /* room for data */
	uint32_t room[VSOCK_RX_BURST];
};

static int take_burst(struct vsock_conn *conn, struct burst *b)
{
	struct virtio_vsock *vs = conn->vs;
	uint32_t credit = vsock_conn_credit(conn);
	struct virtq_chain *c;
	uint64_t room;
	int rc = 0;

	memset(b, 0, sizeof(*b));
	/* a chain has at most VIRTQ_MAX_PARTS parts: it fits or is not taken */
	while (b->n_chains < conn->burst && b->bytes < credit &&
	       VSOCK_RX_PARTS - b->n_parts >= VIRTQ_MAX_PARTS) {
		c = &vs->rx_chains[b->n_chains];
		rc = take_buffer(vs, c);
		if (rc <= 0)
			break;
		room = c->writable_bytes - sizeof(struct vsock_hdr);
		room = MIN(room, credit - b->bytes);
		b->n_parts += iov_slice(virtq_writable(c), c->n_writable,
					sizeof(struct vsock_hdr), room,
					vs->rx_parts + b->n_parts);
		b->room[b->n_chains++] = (uint32_t)room;
		b->bytes += (uint32_t)room;
	}
	return rc < 0 ? rc : (int)b->n_chains;
}

/* Bytes read, 0 for none now or never, which is noted in the connection. */
static int read_socket(struct vsock_conn *conn, const struct burst *b,
		       uint32_t *ret_bytes)
{
	struct msghdr msg = {.msg_iov = conn->vs->rx_parts,
			     .msg_iovlen = b->n_parts};
	ssize_t n = recvmsg(conn->fd, &msg, MSG_DONTWAIT);

	*ret_bytes = n > 0 ? (uint32_t)n : 0;
	if (n < 0 && errno == EFAULT)
		return fail(AVF_ERR_PROTOCOL,
			    "vsock: the guest's buffer cannot be written");
	if (n < 0 && errno == EINTR)
		return 0;
	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		vsock_conn_stop_send(conn);
		return 0;
	}
	if ((uint32_t)n == b->bytes) {
		conn->burst = MIN(conn->burst * 2, VSOCK_RX_BURST);
		return 0;
	}
	/* Drained; a hung up socket is read on until its end of file. */
	conn->burst = 1;
	conn->readable = conn->hung_up;
	conn->stalled = false;
	vsock_conn_watch(conn);
	return 0;
}

static int send_data(struct vsock_conn *conn)
{
	struct virtio_vsock *vs = conn->vs;
	uint32_t left, len;
	unsigned int used = 0;
	struct burst b;
	int rc = take_burst(conn, &b);

	if (rc <= 0)
		return rc;
	rc = read_socket(conn, &b, &left);
	while (left > 0) {
		len = MIN(left, b.room[used]);
		conn->sent += len;
		put_conn_packet(conn, &vs->rx_chains[used], VSOCK_OP_RW, len,
				0);
		left -= len;
		used++;
	}
	/* in any order: unpop steps back one at a time */
	for (unsigned int i = used; i < b.n_chains; i++)
		virtq_unpop(rx_queue(vs));
	/* an empty read costs a turn too, so that every run ends */
	return rc < 0 ? rc : (int)MAX(used, 1U);
}

/*
 * One burst of one connection. Data goes before the SHUTDOWN that follows it.
 * Returns the packets spent, 0 when the guest has no buffer left.
 */
static int serve(struct vsock_conn *conn)
{
	if (!(conn->owes & ~VSOCK_OWES_SHUTDOWN) && vsock_conn_may_read(conn))
		return send_data(conn);
	return conn->owes ? send_owed(conn) : 1;
}

static int serve_next(struct virtio_vsock *vs)
{
	struct vsock_conn *conn = TAILQ_FIRST(&vs->ready);
	int spent = serve(conn);

	if (spent <= 0)
		return spent; /* it stays the next one */
	TAILQ_REMOVE(&vs->ready, conn, ready);
	conn->on_ready = false;
	vsock_conn_make_ready(conn);
	vsock_conn_settle(conn);
	return spent;
}

void vsock_rx_run(struct virtio_vsock *vs)
{
	int budget = VSOCK_RX_BUDGET;
	int spent = 1;

	if (!vs->dev.active)
		return;
	while (spent > 0 && budget > 0) {
		if (vs->n_rsts > 0)
			spent = send_stray(vs);
		else if (!TAILQ_EMPTY(&vs->ready))
			spent = serve_next(vs);
		else
			break;
		budget -= spent;
	}
	/* one interrupt for the whole run, if the driver wants it at all */
	virtio_dev_signal(&vs->dev, VSOCK_RX);
	if (spent < 0)
		virtio_dev_break(&vs->dev);
	else if (budget <= 0)
		vsock_schedule(vs);
}
