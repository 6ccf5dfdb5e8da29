/*
 * Points its devices at memory that it does not share, in the way that "case="
 * says; afterwards an honest driver must be served all the same. Says
 * "answered N" with the status of the dishonest request, or "needs reset" of
 * its device, and "survived".
 *
 *	1 header    the request of a disk
 *	2 status    where a disk puts its answer
 *	3 rings     the queue itself
 *	4 data      what a disk shall write
 *	5 room      where entropy shall go
 *	6 table     the descriptors of a request
 *	7 output    what the console shall print
 *	8 packet    the header of a packet of vsock
 *	9 sent      the data of one
 *	10 received where data from the host shall go
 *
 * In the last two the host connects to port 5678.
 */
#include "virtio.h"

#include "vsock.h"

#define SECTOR  512U
#define PORT    5678U
#define A_WHILE 1024U /* rounds between two looks at the device */
#define PRIVATE __attribute__((section(".private"), aligned(4096)))

enum {
	HEADER = 1,
	STATUS,
	RINGS,
	DATA,
	ROOM,
	TABLE,
	OUTPUT,
	PACKET,
	SENT,
	RECEIVED,
};

struct request {
	uint32_t type; /* 0: read, 1: write */
	uint32_t reserved;
	uint64_t sector;
};

/* Pages that nobody else may see. What the guest has never touched is still
 * the host's, so they are written before they are used. */
static unsigned char hidden[4096] PRIVATE = {1};
static struct virtio_dev hidden_dev PRIVATE = {.common = 1};
#define AFTER_SECRET (hidden + 2048)

static const char secret[] = "the secret of the guest";

static struct virtio_dev disk, rng, console, vsock;
static struct request head;
static unsigned char data[SECTOR], status;
static struct vsock_packet rx, tx;

static void offer(struct virtio_queue *q, void *header, void *where,
		  void *answer)
{
	const struct virtio_part parts[3] = {
		{header, sizeof(head), false},
		{where, SECTOR, ((struct request *)header)->type == 0},
		{answer, 1, true},
	};

	virtio_offer(q, 0, parts, 3);
	virtio_kick(q);
}

/* What becomes of a request. */
static void wait_for(const struct virtio_dev *dev, struct virtio_queue *q)
{
	uint16_t first;
	uint32_t len;

	for (unsigned int i = 1; !virtio_take(q, &first, &len); i++) {
		relax();
		if (i % A_WHILE == 0 && virtio_needs_reset(dev)) {
			print("needs reset\n");
			return;
		}
	}
	print("answered ");
	print_number(status);
	print(", bytes ");
	print_number(len);
	print("\n");
}

static void ask(struct virtio_dev *dev, unsigned int q,
		const struct virtio_part *parts, uint16_t n)
{
	virtio_offer(&dev->queues[q], 0, parts, n);
	virtio_kick(&dev->queues[q]);
	wait_for(dev, &dev->queues[q]);
}

/* --- vsock ------------------------------------------------------------ */

static void start_vsock(void)
{
	const struct virtio_part room = {&rx, sizeof(rx), true};

	memset(&vsock, 0, sizeof(vsock));
	virtio_start(&vsock, VIRTIO_ID_VSOCK, 0, 3);
	virtio_offer(&vsock.queues[VSOCK_QUEUE_RX], 0, &room, 1);
	virtio_kick(&vsock.queues[VSOCK_QUEUE_RX]);
}

static void write_header(uint32_t from, uint32_t to, uint16_t op, uint32_t len)
{
	vsock_head(&tx, mmio_read32(vsock.config), from, to, op, len);
}

static void send_header(void)
{
	const struct virtio_part part = {&tx, VSOCK_HEADER_BYTES, false};

	(void)virtio_do(&vsock.queues[VSOCK_QUEUE_TX], &part, 1);
}

static void wait_for_packet(void)
{
	uint16_t first;
	uint32_t len;

	while (!virtio_take(&vsock.queues[VSOCK_QUEUE_RX], &first, &len))
		relax();
}

/* To nobody, who refuses: vsock works. Says whom that answer is for. */
static void expect_refusal(uint32_t from)
{
	write_header(from, 1, VSOCK_REQUEST, 0);
	send_header();
	wait_for_packet();
	print("refused ");
	print_number(rx.op == VSOCK_RST ? rx.dst_port : 0);
	print("\n");
}

/* Two are sent, and the answer to the first comes first, if any. */
static void send_packet(void)
{
	const struct virtio_part part = {AFTER_SECRET, VSOCK_HEADER_BYTES,
					 false};

	start_vsock();
	write_header(1, 1, VSOCK_REQUEST, 0);
	memcpy(AFTER_SECRET, &tx, VSOCK_HEADER_BYTES);
	ask(&vsock, VSOCK_QUEUE_TX, &part, 1);
	expect_refusal(2);
}

/* The host has done so when this returns. */
static void let_connect(void)
{
	start_vsock();
	wait_for_packet();
	write_header(PORT, rx.src_port, VSOCK_RESPONSE, 0);
	send_header();
}

static void send_data(void)
{
	const struct virtio_part parts[2] = {
		{&tx, VSOCK_HEADER_BYTES, false},
		{hidden + sizeof(head), sizeof(secret), false},
	};

	let_connect();
	write_header(PORT, rx.src_port, VSOCK_RW, sizeof(secret));
	ask(&vsock, VSOCK_QUEUE_TX, parts, 2);
}

static void receive_data(void)
{
	const struct virtio_part parts[2] = {
		{&rx, VSOCK_HEADER_BYTES, true},
		{hidden, sizeof(hidden), true},
	};

	let_connect();
	ask(&vsock, VSOCK_QUEUE_RX, parts, 2);
}

/* --- the others ------------------------------------------------------- */

static void use_table(void)
{
	struct virtio_desc *table = (struct virtio_desc *)AFTER_SECRET;
	const struct virtio_part part = {table, 3 * sizeof(*table), false};

	disk.features = VIRTIO_INDIRECT;
	virtio_start(&disk, VIRTIO_ID_BLOCK, 0, 1);
	/* the same request as without a table */
	offer(&disk.queues[0], &head, data, &status);
	wait_for(&disk, &disk.queues[0]);
	status = 0xff;
	memcpy(table, disk.queues[0].desc, part.len);
	virtio_offer(&disk.queues[0], 0, &part, 1);
	disk.queues[0].desc[0].flags = VIRTIO_DESC_INDIRECT;
	virtio_kick(&disk.queues[0]);
	wait_for(&disk, &disk.queues[0]);
}

static void use_rings(void)
{
	memset(&hidden_dev, 0, sizeof(hidden_dev));
	virtio_start(&hidden_dev, VIRTIO_ID_BLOCK, 0, 1);
	offer(&hidden_dev.queues[0], &head, data, &status);
	wait_for(&hidden_dev, &hidden_dev.queues[0]);
}

static void use_disk(uint64_t way)
{
	head.type = way == DATA;
	offer(&disk.queues[0], way == HEADER ? (void *)hidden : &head,
	      way == DATA ? hidden : data, way == STATUS ? hidden : &status);
	wait_for(&disk, &disk.queues[0]);
}

static void be_dishonest(uint64_t way)
{
	const struct virtio_part room = {hidden, sizeof(hidden), true};
	const struct virtio_part text = {hidden + sizeof(head),
					 sizeof(secret) - 1, false};

	status = 0xff;
	memset(hidden, 0, sizeof(hidden));
	memcpy(hidden + sizeof(head), secret, sizeof(secret));
	switch (way) {
	case HEADER:
	case STATUS:
	case DATA:
		use_disk(way);
		break;
	case RINGS:
		use_rings();
		break;
	case ROOM:
		virtio_start(&rng, VIRTIO_ID_RNG, 0, 1);
		ask(&rng, 0, &room, 1);
		break;
	case TABLE:
		use_table();
		break;
	case OUTPUT:
		virtio_start(&console, VIRTIO_ID_CONSOLE, 0, 2);
		ask(&console, 1, &text, 1);
		break;
	case PACKET:
		send_packet();
		break;
	case SENT:
		send_data();
		break;
	case RECEIVED:
		receive_data();
		break;
	default:
		give_up("no such case");
	}
}

void guest_main(void)
{
	const uint64_t way = cmdline_number("case", 0);

	virtio_start(&disk, VIRTIO_ID_BLOCK, 0, 1);
	be_dishonest(way);
	if (memcmp(hidden + sizeof(head), secret, sizeof(secret)) != 0)
		give_up("the host changed what is ours");
	if (way == SENT || way == RECEIVED) {
		start_vsock();
		expect_refusal(3);
	}
	memset(&disk, 0, sizeof(disk));
	virtio_start(&disk, VIRTIO_ID_BLOCK, 0, 1);
	head = (struct request){0, 0, 1};
	status = 0xff;
	offer(&disk.queues[0], &head, data, &status);
	while (__atomic_load_n(&status, __ATOMIC_ACQUIRE) == 0xff)
		relax();
	if (status != 0)
		give_up("an honest request failed");
	print_bytes(data, 8);
	print("\nsurvived\n");
	power_off();
}
