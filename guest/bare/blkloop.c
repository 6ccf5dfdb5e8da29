/*
 * Writes to the first disk and reads its end again and again, and says when
 * a request begins or ceases to fail. In each round the second disk and the
 * entropy device do their work, whatever the first disk does. Powers off when
 * everything works again after something failed.
 */
#include "virtio.h"

#define SECTOR     512U
#define SECTORS    2048U /* of the first disk */
#define STRIDE     8U    /* a new block of the host's file system each time */
#define REQ_READ   0U
#define REQ_WRITE  1U
#define REQ_FLUSH  4U
#define STATUS_OK  0U
#define STATUS_ERR 1U /* VIRTIO_BLK_S_IOERR */

struct request {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};

static struct virtio_dev disks[2], rng;
static unsigned char data[SECTOR];

/* The status byte; @len 0: a request without data. */
static unsigned char request(struct virtio_dev *disk, uint32_t type,
			     uint64_t sector, uint32_t len)
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
	return status;
}

/* Whether it worked; says so when it is not as it was. */
static bool observe(const char *what, unsigned char status, bool *worked)
{
	bool works = status == STATUS_OK;

	if (status != STATUS_OK && status != STATUS_ERR)
		give_up("neither done nor an I/O error");
	if (works != *worked) {
		print(what);
		print(works ? " works\n" : " fails\n");
	}
	*worked = works;
	return works;
}

static void use_others(void)
{
	const struct virtio_part part = {data, 16, true};
	uint32_t len;

	if (request(&disks[1], REQ_WRITE, 1, SECTOR) != STATUS_OK ||
	    request(&disks[1], REQ_FLUSH, 0, 0) != STATUS_OK ||
	    request(&disks[1], REQ_READ, 1, SECTOR) != STATUS_OK)
		give_up("the other disk fails");
	len = virtio_do(&rng.queues[0], &part, 1);
	if (len == 0 || len > 16)
		give_up("the entropy device fails");
}

void guest_main(void)
{
	bool write_works = true, read_works = true, has_failed = false;
	uint64_t sector = 0;

	virtio_start(&disks[0], VIRTIO_ID_BLOCK, 0, 1);
	virtio_start(&disks[1], VIRTIO_ID_BLOCK, 1, 1);
	virtio_start(&rng, VIRTIO_ID_RNG, 0, 1);
	print("looping\n");
	for (;;) {
		if (observe("write",
			    request(&disks[0], REQ_WRITE, sector, SECTOR),
			    &write_works))
			sector = (sector + STRIDE) % SECTORS;
		(void)observe("read",
			      request(&disks[0], REQ_READ, SECTORS - 1, SECTOR),
			      &read_works);
		use_others();
		has_failed |= !write_works || !read_works;
		if (has_failed && write_works && read_works)
			power_off();
	}
}
