/*
 * Floods its VMM, in the way that "flood=" says, "rounds=" times:
 *
 *	1 serial   output, never asking for room
 *	2 ports    I/O ports but those that end the VM, in every width (x86)
 *	3 connect  vsock connections to host port 9000, kept open
 *	4 strays   vsock data for connections that do not exist
 *	5 starve   accepts one connection, then gives no receive buffers
 *	6 hoard    vsock data on connections whose readers sleep
 *
 * An honest device is asked all the time. Says "flooded N" with the answers
 * that it counted, then waits for a connection of the host, accepts it, says
 * "survived" and powers off; serial and ports do not wait, and reset the
 * machine when they find something wrong.
 */
#include "flood.h"
#include "pci.h"
#include "virtio.h"

#define HOST_PORT    9000U
#define PORT         5678U
#define HOST_CID     2U
#define HEADER_BYTES 44U
#define RX_SLOTS     4U
#define TYPE_STREAM  1U
#define BULK         65536U /* bytes of data, the most in a packet */
#define BULK_PACKETS 7U     /* as much as a connection and its socket take */

enum { QUEUE_RX, QUEUE_TX, QUEUES = 3 };
enum { OP_REQUEST = 1, OP_RESPONSE, OP_RST, OP_SHUTDOWN, OP_RW };
enum flood { SERIAL = 1, PORTS, CONNECT, STRAYS, STARVE, HOARD };

struct packet {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port, len;
	uint16_t type, op;
	uint32_t flags, buf_alloc, fwd_cnt;
	unsigned char data[64];
} __attribute__((packed));

static struct virtio_dev vsock, rng;
static struct packet rx[RX_SLOTS], tx;
static unsigned char bulk[BULK];
static uint64_t cid;
static unsigned int n_answers;
static bool called; /* the host is connected to PORT */

static void ask_bystander(void)
{
	static unsigned char bytes[16];
	const struct virtio_part part = {bytes, sizeof(bytes), true};

	if (virtio_do(&rng.queues[0], &part, 1) != sizeof(bytes))
		reset();
}

static void send(uint32_t port, uint16_t op, uint32_t peer_port, uint32_t len)
{
	const struct virtio_part part = {&tx, HEADER_BYTES + len, false};

	tx.src_cid = cid;
	tx.dst_cid = HOST_CID;
	tx.src_port = port;
	tx.dst_port = peer_port;
	tx.len = len;
	tx.type = TYPE_STREAM;
	tx.op = op;
	tx.flags = 0;
	tx.buf_alloc = UINT32_MAX;
	(void)virtio_do(&vsock.queues[QUEUE_TX], &part, 1);
}

static void offer(uint16_t slot)
{
	const struct virtio_part part = {&rx[slot], sizeof(rx[slot]), true};

	virtio_offer(&vsock.queues[QUEUE_RX], slot, &part, 1);
	virtio_kick(&vsock.queues[QUEUE_RX]);
}

static void listen_to_all(bool refill)
{
	uint16_t slot;
	uint32_t len;

	while (virtio_take(&vsock.queues[QUEUE_RX], &slot, &len)) {
		n_answers++;
		if (rx[slot].op == OP_REQUEST && rx[slot].dst_port == PORT) {
			called = true;
			send(PORT, OP_RESPONSE, rx[slot].src_port, 0);
		}
		if (refill)
			offer(slot);
	}
}

static void flood_connections(void)
{
	static uint32_t port = 10000;

	send(port++, OP_REQUEST, HOST_PORT, 0);
	listen_to_all(true);
}

/* The header of @tx and then bulk data. */
static void send_bulk(uint32_t port)
{
	const struct virtio_part parts[2] = {{&tx, HEADER_BYTES, false},
					     {bulk, sizeof(bulk), false}};

	tx.src_port = port;
	tx.op = OP_RW;
	tx.len = sizeof(bulk);
	(void)virtio_do(&vsock.queues[QUEUE_TX], parts, 2);
}

static void hoard(void)
{
	static uint32_t port = 10000;
	const unsigned int before = n_answers;

	send(port, OP_REQUEST, HOST_PORT, 0);
	while (n_answers == before)
		listen_to_all(true);
	for (unsigned int i = 0; i < BULK_PACKETS; i++) {
		send_bulk(port);
		listen_to_all(true);
	}
	port++;
}

static void flood_strays(void)
{
	static uint32_t port = 10000;

	send(port++, OP_RW, HOST_PORT, sizeof(tx.data));
}

static void wait_for_host(bool refill)
{
	while (!called)
		listen_to_all(refill);
}

static void start_vsock(unsigned int buffers)
{
	virtio_start(&vsock, VIRTIO_ID_VSOCK, 0, QUEUES);
	cid = mmio_read32(vsock.config);
	for (uint16_t i = 0; i < buffers; i++)
		offer(i);
}

static void say_flooded(void)
{
	ask_bystander();
	print("\nflooded ");
	print_number(n_answers);
	print("\n");
}

static void run(void (*flood)(void), uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds; i++) {
		flood();
		if (i % 64 == 0)
			ask_bystander();
	}
}

/* With its only buffer it heard of the connection; then it is deaf. */
static _Noreturn void starve(void)
{
	start_vsock(1);
	print("listening\n");
	wait_for_host(false);
	say_flooded();
	for (;;)
		ask_bystander();
}

static const struct {
	void (*flood)(void);
	unsigned int buffers; /* for packets to us, during the flood */
	bool vsock;
} floods[] = {
	[SERIAL] = {flood_serial, 0, false},
	[PORTS] = {flood_ports, 0, false},
	[CONNECT] = {flood_connections, RX_SLOTS, true},
	[STRAYS] = {flood_strays, 0, true},
	[HOARD] = {hoard, RX_SLOTS, true},
};

void guest_main(void)
{
	const enum flood which = (enum flood)cmdline_number("flood", SERIAL);

	virtio_start(&rng, VIRTIO_ID_RNG, 0, 1);
	if (which == STARVE)
		starve();
	if (floods[which].vsock)
		start_vsock(floods[which].buffers);
	run(floods[which].flood, cmdline_number("rounds", 100));
	say_flooded();
	if (floods[which].vsock) {
		for (unsigned int i = floods[which].buffers; i < RX_SLOTS; i++)
			offer((uint16_t)i);
		wait_for_host(true);
	}
	print("survived\n");
	power_off();
}
