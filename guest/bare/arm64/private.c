/*
 * Points its devices at memory that it does not share, in the way that "case="
 * says; afterwards an honest driver must be served all the same. Says
 * "answered N" with the status of the dishonest request, or "unanswered", and
 * "survived".
 *
 *	1 header   the request of a disk
 *	2 status   where a disk puts its answer
 *	3 rings    the queue itself
 *	4 data     what a disk shall write
 *	5 room     where entropy shall go
 */
#include "virtio.h"

#define SECTOR   512U
#define PATIENCE 5000000U /* rounds of waiting */
#define PRIVATE  __attribute__((section(".private"), aligned(4096)))

enum { HEADER = 1, STATUS, RINGS, DATA, ROOM };

struct request {
	uint32_t type; /* 0: read, 1: write */
	uint32_t reserved;
	uint64_t sector;
};

/* Pages that nobody else may see. What the guest has never touched is still
 * the host's, so they are written before they are used. */
static unsigned char hidden[4096] PRIVATE = {1};
static struct virtio_dev hidden_dev PRIVATE = {.common = 1};

static const char secret[] = "the secret of the guest";

static struct virtio_dev disk, rng;
static struct request head;
static unsigned char data[SECTOR], status;

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

static void wait_a_moment(struct virtio_queue *q)
{
	uint16_t first;
	uint32_t len;

	for (unsigned int i = 0; i < PATIENCE; i++) {
		if (!virtio_take(q, &first, &len)) {
			relax();
			continue;
		}
		print("answered ");
		print_number(status);
		print(", bytes ");
		print_number(len);
		print("\n");
		return;
	}
	print("unanswered\n");
}

static void be_dishonest(uint64_t way)
{
	const struct virtio_part room = {hidden, sizeof(hidden), true};

	status = 0xff;
	memset(hidden, 0, sizeof(hidden));
	memcpy(hidden + sizeof(head), secret, sizeof(secret));
	switch (way) {
	case HEADER:
		offer(&disk.queues[0], hidden, data, &status);
		wait_a_moment(&disk.queues[0]);
		break;
	case STATUS:
		offer(&disk.queues[0], &head, data, hidden);
		wait_a_moment(&disk.queues[0]);
		break;
	case RINGS:
		memset(&hidden_dev, 0, sizeof(hidden_dev));
		virtio_start(&hidden_dev, VIRTIO_ID_BLOCK, 0, 1);
		offer(&hidden_dev.queues[0], &head, data, &status);
		wait_a_moment(&hidden_dev.queues[0]);
		break;
	case DATA:
		head.type = 1;
		offer(&disk.queues[0], &head, hidden, &status);
		wait_a_moment(&disk.queues[0]);
		break;
	case ROOM:
		virtio_start(&rng, VIRTIO_ID_RNG, 0, 1);
		virtio_offer(&rng.queues[0], 0, &room, 1);
		virtio_kick(&rng.queues[0]);
		wait_a_moment(&rng.queues[0]);
		break;
	default:
		give_up("no such case");
	}
}

void guest_main(void)
{
	virtio_start(&disk, VIRTIO_ID_BLOCK, 0, 1);
	be_dishonest(cmdline_number("case", 0));
	if (memcmp(hidden + sizeof(head), secret, sizeof(secret)) != 0)
		give_up("the host changed what is ours");
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
