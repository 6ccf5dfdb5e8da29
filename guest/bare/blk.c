/*
 * Prints sector 0 of the first disk, up to its first NUL, adds 1 to each of
 * its bytes, writes that to sector 1 of the second disk, and flushes.
 */
#include "virtio.h"

#define SECTOR    512U
#define REQ_READ  0U
#define REQ_WRITE 1U
#define REQ_FLUSH 4U

struct request {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};

static struct virtio_dev disks[2];
static unsigned char data[SECTOR + 1];

/* @len 0: a request without data. */
static void request(struct virtio_dev *disk, uint32_t type, uint64_t sector,
		    uint32_t len)
{
	static struct request head;
	static unsigned char status;
	struct virtio_part parts[3] = {
		{&head, sizeof(head), false},
		{data, len, type == REQ_READ},
		{&status, sizeof(status), true},
	};

	head = (struct request){.type = type, .sector = sector};
	status = 0xff;
	if (len == 0)
		parts[1] = parts[2];
	(void)virtio_do(&disk->queues[0], parts, len ? 3 : 2);
	if (status != 0)
		give_up("disk request failed");
}

void guest_main(void)
{
	virtio_start(&disks[0], VIRTIO_ID_BLOCK, 0, 1);
	virtio_start(&disks[1], VIRTIO_ID_BLOCK, 1, 1);
	request(&disks[0], REQ_READ, 0, SECTOR);
	print((const char *)data);
	print("\n");
	for (unsigned int i = 0; i < SECTOR; i++)
		data[i]++;
	request(&disks[1], REQ_WRITE, 1, SECTOR);
	request(&disks[1], REQ_FLUSH, 0, 0);
	print("written\n");
	power_off();
}
