/*
 * Floods its VMM, in the way that "flood=" says, "rounds=" times:
 *
 *	1 serial   output, never asking for room
 *	2 ports    I/O ports but those that end the VM, in every width (x86)
 *	3 connect  vsock connections to host port 9000, kept open
 *	4 strays   vsock data for connections that do not exist
 *	5 starve   accepts one connection, then gives no receive buffers
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

enum { QUEUE_RX, QUEUE_TX, QUEUES = 3 };
enum { OP_REQUEST = 1, OP_RESPONSE, OP_RST, OP_SHUTDOWN, OP_RW };
enum flood { SERIAL = 1, PORTS, CONNECT, STRAYS, STARVE };

struct packet {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port, len;
	uint16_t type, op;
	uint32_t flags, buf_alloc, fwd_cnt;
	unsigned char data[64];
} __attribute__((packed));

static struct virtio_dev vsock, rng;
static struct packet rx[RX_SLOTS], tx;
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

void guest_main(void)
{
	const enum flood flood = (enum flood)cmdline_number("flood", SERIAL);
	const uint64_t rounds = cmdline_number("rounds", 100);

	virtio_start(&rng, VIRTIO_ID_RNG, 0, 1);
	if (flood == STARVE)
		starve();
	if (flood <= PORTS) {
		run(flood == SERIAL ? flood_serial : flood_ports, rounds);
		ask_bystander();
		print("\nsurvived\n");
		power_off();
	}
	start_vsock(flood == CONNECT ? RX_SLOTS : 0);
	run(flood == CONNECT ? flood_connections : flood_strays, rounds);
	if (flood == STRAYS) {
		for (uint16_t i = 0; i < RX_SLOTS; i++)
			offer(i);
	}
	say_flooded();
	wait_for_host(true);
	print("survived\n");
	power_off();
}
