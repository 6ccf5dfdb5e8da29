/*
 * An echo server on port 5678, for one connection: sends back what comes
 * until the peer shuts down, then powers off (virtio 1.2, section 5.10).
 */
#include "vsock.h"

#define PORT     5678U
#define RX_SLOTS 4U

/* The one connection. The peer may send as much as @kept holds. */
struct connection {
	bool open;
	uint32_t peer_port;
	uint32_t peer_alloc, peer_fwd; /* the peer's credit */
	uint32_t tx_bytes, fwd_bytes;
	uint32_t peer_shutdown; /* flags */
	bool closing;
	uint32_t n_kept; /* bytes to send back */
	unsigned char kept[VSOCK_DATA];
};

static struct virtio_dev dev;
static struct vsock_packet rx[RX_SLOTS], tx;
static struct connection conn;
static uint64_t cid;

static void send_from(uint32_t port, uint16_t op, uint32_t peer_port,
		      uint32_t len)
{
	const struct virtio_part part = {
		&tx, (uint32_t)VSOCK_HEADER_BYTES + len, false};

	vsock_head(&tx, cid, port, peer_port, op, len);
	if (op == VSOCK_SHUTDOWN)
		tx.flags = VSOCK_NO_RECEIVE | VSOCK_NO_SEND;
	tx.fwd_cnt = conn.fwd_bytes;
	(void)virtio_do(&dev.queues[VSOCK_QUEUE_TX], &part, 1);
}

static void send(uint16_t op, uint32_t peer_port, uint32_t len)
{
	send_from(PORT, op, peer_port, len);
}

static void accept(const struct vsock_packet *p)
{
	if (conn.open || p->dst_port != PORT) {
		send_from(p->dst_port, VSOCK_RST, p->src_port, 0);
		return;
	}
	conn.open = true;
	conn.peer_port = p->src_port;
	send(VSOCK_RESPONSE, p->src_port, 0);
	print("connected\n");
}

static void keep(const struct vsock_packet *p)
{
	if (p->len > VSOCK_DATA - conn.n_kept)
		give_up("peer ignores our credit");
	memcpy(conn.kept + conn.n_kept, p->data, p->len);
	conn.n_kept += p->len;
}

/* As much as the peer has room for. */
static void echo(void)
{
	uint32_t room = conn.peer_alloc - (conn.tx_bytes - conn.peer_fwd);
	uint32_t len = conn.n_kept < room ? conn.n_kept : room;

	if (!conn.open || len == 0)
		return;
	memcpy(tx.data, conn.kept, len);
	conn.n_kept -= len;
	memcpy(conn.kept, conn.kept + len, conn.n_kept); /* moves down */
	conn.fwd_bytes += len;
	conn.tx_bytes += len;
	send(VSOCK_RW, conn.peer_port, len);
}

static _Noreturn void finish(void)
{
	print("closed\n");
	power_off();
}

/*
 * The peer has shut down. One that still reads gets the rest of its bytes,
 * then our own shutdown, which it answers with RST; one that does not gets
 * RST at once.
 */
static void close_when_done(void)
{
	const bool reads = !(conn.peer_shutdown & VSOCK_NO_RECEIVE);

	if (!conn.peer_shutdown || conn.closing || (reads && conn.n_kept > 0))
		return;
	conn.closing = true;
	send(reads ? VSOCK_SHUTDOWN : VSOCK_RST, conn.peer_port, 0);
	if (!reads)
		finish();
}

static void handle(const struct vsock_packet *p)
{
	if (p->op == VSOCK_REQUEST) {
		conn.peer_alloc = conn.open ? conn.peer_alloc : p->buf_alloc;
		accept(p);
		return;
	}
	if (!conn.open || p->src_port != conn.peer_port)
		return;
	conn.peer_alloc = p->buf_alloc;
	conn.peer_fwd = p->fwd_cnt;
	if (p->op == VSOCK_RW)
		keep(p);
	else if (p->op == VSOCK_CREDIT_REQUEST)
		send(VSOCK_CREDIT_UPDATE, conn.peer_port, 0);
	else if (p->op == VSOCK_SHUTDOWN)
		conn.peer_shutdown |= p->flags;
	else if (p->op == VSOCK_RST)
		finish();
}

static void offer(uint16_t slot)
{
	const struct virtio_part part = {&rx[slot], sizeof(rx[slot]), true};

	virtio_offer(&dev.queues[VSOCK_QUEUE_RX], slot, &part, 1);
	virtio_kick(&dev.queues[VSOCK_QUEUE_RX]);
}

void guest_main(void)
{
	uint16_t slot;
	uint32_t len;

	virtio_start(&dev, VIRTIO_ID_VSOCK, 0, 3);
	cid = mmio_read32(dev.config);
	for (uint16_t i = 0; i < RX_SLOTS; i++)
		offer(i);
	print("listening\n");
	for (;;) {
		if (virtio_take(&dev.queues[VSOCK_QUEUE_RX], &slot, &len)) {
			handle(&rx[slot]);
			offer(slot);
		}
		echo();
		close_when_done();
	}
}
