#include "support/vsock_guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "devices/virtio_vsock.h"

#define RINGS   0x0ULL
#define RX_AREA 0x100000ULL
#define TX_AREA 0x200000ULL
#define TX_SLOT 0x11000ULL
#define MEMORY  (TX_AREA + VSOCK_GUEST_BUFFERS * TX_SLOT)

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "vsock guest: %s: %s\n", what,
		      error_record()->text);
	abort();
}

static void on_queue(void *transport, unsigned int q)
{
	struct vsock_guest *guest = transport;

	if (q == 0)
		guest->interrupts++;
	else if (q == 1)
		guest->tx_interrupts++;
}

static void on_config(void *transport)
{
	((struct vsock_guest *)transport)->broken = true;
}

static const struct virtio_transport_ops transport_ops = {
	.interrupt_queue = on_queue,
	.interrupt_config = on_config,
};

static void give_buffer(struct vsock_guest *guest)
{
	const struct fake_desc d = {
		.addr = RX_AREA +
			(uint64_t)guest->rx.next_desc * VSOCK_GUEST_BUFFER,
		.len = VSOCK_GUEST_BUFFER,
		.flags = FAKE_WRITE,
	};

	(void)fake_driver_add(&guest->rx, &d, 1);
}

void vsock_guest_refill(struct vsock_guest *guest, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		give_buffer(guest);
	virtio_dev_kick(guest->dev, 0);
}

void vsock_guest_start(struct vsock_guest *guest, unsigned int buffers)
{
	struct virtio_dev *dev = guest->dev;
	gpa_t end;

	end = fake_driver_init(&guest->rx, &guest->gm, RINGS,
			       VSOCK_GUEST_BUFFERS);
	(void)fake_driver_init(&guest->tx, &guest->gm,
			       (end + 0xfff) & ~0xfffULL, VSOCK_GUEST_BUFFERS);
	fake_driver_place(&guest->rx, &dev->queues[0]);
	fake_driver_place(&guest->tx, &dev->queues[1]);
	must(virtq_start(&dev->queues[0], 0) == 0, "rx queue");
	must(virtq_start(&dev->queues[1], 0) == 0, "tx queue");
	guest->broken = false;
	virtio_dev_activate(dev, VIRTIO_F_VERSION_1);
	vsock_guest_refill(guest, buffers);
}

void vsock_guest_init(struct vsock_guest *guest, unsigned int buffers)
{
	const struct virtio_vsock_config config = {
		.gm = &guest->gm,
		.loop = &guest->loop,
		.guest_cid = VSOCK_GUEST_CID,
	};

	memset(guest, 0, sizeof(*guest));
	gmem_init(&guest->gm);
	must(gmem_add_anonymous(&guest->gm, 0, MEMORY) == 0, "memory");
	must(loop_init(&guest->loop) == 0, "loop");
	must(virtio_vsock_new(&config, &guest->dev) == 0, "device");
	virtio_dev_attach(guest->dev, &transport_ops, guest, NULL);
	vsock_guest_start(guest, buffers);
}

void vsock_guest_fini(struct vsock_guest *guest)
{
	virtio_dev_free(guest->dev);
	loop_fini(&guest->loop);
	gmem_fini(&guest->gm);
}

struct vsock_packet vsock_guest_packet(uint16_t op, uint32_t guest_port,
				       uint32_t host_port)
{
	return (struct vsock_packet){
		.src_cid = VSOCK_GUEST_CID,
		.dst_cid = VSOCK_CID_HOST,
		.guest_port = guest_port,
		.host_port = host_port,
		.type = VSOCK_TYPE_STREAM,
		.op = op,
		.buf_alloc = 1 << 20,
	};
}

static void reclaim(struct vsock_guest *guest)
{
	uint32_t head, written;

	while (fake_driver_used(&guest->tx, &head, &written))
		must(written == 0, "written to a packet of ours");
}

void vsock_guest_send_raw(struct vsock_guest *guest, const void *bytes,
			  uint32_t size, uint32_t part)
{
	gpa_t at = TX_AREA + guest->tx.next_desc * TX_SLOT;
	struct fake_desc parts[64];
	unsigned int n = 0;

	must(gmem_write(&guest->gm, at, bytes, size) == 0, "packet");
	for (uint32_t done = 0; done < size; done += part) {
		must(n < ARRAY_SIZE(parts), "too many parts");
		parts[n++] = (struct fake_desc){.addr = at + done,
						.len = MIN(part, size - done)};
	}
	(void)fake_driver_add(&guest->tx, parts, n);
	virtio_dev_kick(guest->dev, 1);
	reclaim(guest);
}

void vsock_guest_send(struct vsock_guest *guest, const struct vsock_packet *p,
		      const void *data, uint32_t size)
{
	static char bytes[sizeof(struct vsock_hdr) + VSOCK_GUEST_MAX];
	const struct vsock_hdr hdr = {
		.src_cid = le64_make(p->src_cid),
		.dst_cid = le64_make(p->dst_cid),
		.src_port = le32_make(p->guest_port),
		.dst_port = le32_make(p->host_port),
		.len = le32_make(p->len),
		.type = le16_make(p->type),
		.op = le16_make(p->op),
		.flags = le32_make(p->flags),
		.buf_alloc = le32_make(p->buf_alloc),
		.fwd_cnt = le32_make(p->fwd_cnt),
	};

	memcpy(bytes, &hdr, sizeof(hdr));
	if (size > 0)
		memcpy(bytes + sizeof(hdr), data, size);
	vsock_guest_send_raw(guest, bytes, (uint32_t)sizeof(hdr) + size,
			     UINT32_MAX / 2);
}

static struct vsock_packet parse(const struct vsock_hdr *hdr)
{
	return (struct vsock_packet){
		.src_cid = le64_get(hdr->src_cid),
		.dst_cid = le64_get(hdr->dst_cid),
		.guest_port = le32_get(hdr->dst_port),
		.host_port = le32_get(hdr->src_port),
		.len = le32_get(hdr->len),
		.type = le16_get(hdr->type),
		.op = le16_get(hdr->op),
		.flags = le32_get(hdr->flags),
		.buf_alloc = le32_get(hdr->buf_alloc),
		.fwd_cnt = le32_get(hdr->fwd_cnt),
	};
}

bool vsock_guest_receive(struct vsock_guest *guest, struct vsock_packet *ret_p,
			 void *data)
{
	uint32_t head, written;
	struct vsock_hdr hdr;
	gpa_t at;

	if (!fake_driver_used(&guest->rx, &head, &written))
		return false;
	at = RX_AREA + (uint64_t)head * VSOCK_GUEST_BUFFER;
	must(gmem_read(&guest->gm, at, &hdr, sizeof(hdr)) == 0, "header");
	*ret_p = parse(&hdr);
	must(ret_p->src_cid == VSOCK_CID_HOST, "source");
	must(ret_p->dst_cid == VSOCK_GUEST_CID, "destination");
	must(written == sizeof(hdr) + ret_p->len, "length");
	if (data && ret_p->len > 0)
		must(gmem_read(&guest->gm, at + sizeof(hdr), data,
			       ret_p->len) == 0,
		     "data");
	vsock_guest_refill(guest, 1);
	return true;
}

void vsock_guest_settle(struct vsock_guest *guest)
{
	/* more than any test needs: each turn handles a batch of events */
	for (unsigned int i = 0; i < 20; i++)
		must(loop_run_once(&guest->loop, 0) == 0, "loop");
}
