/*
 * virtio-blk (virtio 1.2, 5.2) over a disk, one queue. A request is popped on
 * the loop, checked, and either answered at once or given to the disk with its
 * parts copied into a blk_request; blk_done() pushes it, also on the loop.
 * Invariant: a popped chain that is not answered owns exactly one blk_request,
 * and when none is free nothing is popped. Guest memory is written by the
 * disk's thread while the guest runs; blk_reset() drains the disk first, so
 * that nothing is written after a reset (2.4).
 *
 * A wrong request gets an error status; only one that has no status byte breaks
 * the device.
 */
#include "devices/virtio_blk.h"

#include <linux/virtio_blk.h>
#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "gmem/guest_access.h"

/* What one turn of the loop reads by itself; some 100 us of copying. */
#define AT_ONCE_MAX (512U << 10) /* bytes */

/* Section 5.2.6: what a request begins with. */
struct blk_header {
	le32 type;
	le32 reserved;
	le64 sector; /* of 512 bytes, whatever blk_size says */
};
_Static_assert(sizeof(struct blk_header) == 16, "request header layout");

/* Section 5.2.4, as far as our features reach. */
struct blk_config {
	le64 capacity; /* sectors */
	le32 size_max;
	le32 seg_max;
	le32 geometry; /* not offered */
	le32 blk_size;
};
_Static_assert(sizeof(struct blk_config) == 24, "configuration layout");

/* A request that is with the disk. */
struct blk_request {
	struct disk_request io;
	uint16_t head;
	uint32_t data_written; /* bytes into guest memory when it succeeds */
	uint8_t *status;       /* in guest memory */
	struct iovec parts[VIRTIO_BLK_SEG_MAX];
};

struct virtio_blk {
	struct virtio_dev dev;
	struct disk *disk; /* owned */
	char id[VIRTIO_BLK_ID_SIZE];
	struct blk_config config;
	/* Free requests; the last one freed is used next: its page is warm. */
	unsigned int n_free;
	struct blk_request *free_list[VIRTIO_BLK_QUEUE_SIZE];
	struct blk_request *requests; /* owned, VIRTIO_BLK_QUEUE_SIZE */
	uint32_t at_once; /* bytes that this turn may still read by itself */
	struct virtq_chain chain; /* the one being looked at */
};

static struct virtio_blk *to_blk(struct virtio_dev *dev)
{
	return container_of(dev, struct virtio_blk, dev);
}

/* After a reset no request is with the disk. */
static void free_all_requests(struct virtio_blk *blk)
{
	blk->n_free = VIRTIO_BLK_QUEUE_SIZE;
	for (unsigned int i = 0; i < VIRTIO_BLK_QUEUE_SIZE; i++)
		blk->free_list[i] = &blk->requests[i];
}

/* The status is the last writable byte (section 5.2.6). */
static uint8_t *status_of(struct virtq_chain *c)
{
	const struct iovec *last = &c->parts[c->n_readable + c->n_writable - 1];

	return (uint8_t *)last->iov_base + last->iov_len - 1;
}

/* A status that the guest does not let us write stays what it is: the request
 * comes back all the same, and means nothing to it. */
static void set_status(uint8_t *status, uint8_t value)
{
	(void)!guest_copy(status, &value, sizeof(value));
}

/* Answer at once. @written: bytes of data before the status. */
static void answer(struct virtio_blk *blk, uint8_t status, uint32_t written)
{
	set_status(status_of(&blk->chain), status);
	virtio_dev_push(&blk->dev, 0, blk->chain.head, written + 1);
}

/* The name is fixed-width and without a NUL when it is full. */
static void get_id(struct virtio_blk *blk)
{
	struct virtq_chain *c = &blk->chain;
	const uint64_t room = c->writable_bytes - 1;
	size_t n = sizeof(blk->id);

	if (room < n) /* section 5.2.6.1: 20 bytes, the driver's duty */
		n = (size_t)room;
	(void)iov_write(virtq_writable(c), c->n_writable, 0, blk->id, n);
	answer(blk, VIRTIO_BLK_S_OK, (uint32_t)n);
}

/* Whether [@sector, + @size) is a legal stretch of the disk. */
static bool in_range(const struct virtio_blk *blk, uint64_t sector,
		     uint64_t size)
{
	const uint64_t capacity = disk_sectors(blk->disk);

	if (size == 0 || size % DISK_SECTOR_SIZE ||
	    size > VIRTIO_BLK_MAX_REQUEST)
		return false;
	return sector < capacity &&
	       size / DISK_SECTOR_SIZE <= capacity - sector;
}

/* Reads from memory are short, but there may be many: others on the loop want
 * their turn, so the worker gets what is above AT_ONCE_MAX. */
static bool read_at_once(struct virtio_blk *blk, struct blk_request *req)
{
	if (req->data_written > blk->at_once ||
	    !disk_try_read(blk->disk, &req->io))
		return false;
	blk->at_once -= req->data_written;
	answer(blk, VIRTIO_BLK_S_OK, req->data_written);
	return true;
}

/*
 * Fills the next free request, whose parts transfer() has set. The status
 * byte's place was checked when the chain was popped: the guest cannot move it
 * any more.
 */
static void submit(struct virtio_blk *blk, enum disk_op op, uint64_t sector,
		   unsigned int n_parts)
{
	struct blk_request *req = blk->free_list[blk->n_free - 1];

	req->head = blk->chain.head;
	req->status = status_of(&blk->chain);
	req->data_written =
		op == DISK_READ ? (uint32_t)(blk->chain.writable_bytes - 1) : 0;
	req->io = (struct disk_request){
		.op = op,
		.offset = sector * DISK_SECTOR_SIZE,
		.parts = req->parts,
		.n_parts = n_parts,
	};
	if (op == DISK_READ && read_at_once(blk, req))
		return; /* it stays free */
	blk->n_free--;
	disk_submit(blk->disk, &req->io);
}

/* Cut the data out of the chain into the next free request's parts. */
static void transfer(struct virtio_blk *blk, bool read, uint64_t sector)
{
	struct blk_request *req = blk->free_list[blk->n_free - 1];
	struct virtq_chain *c = &blk->chain;
	struct iovec parts[VIRTQ_MAX_PARTS];
	enum disk_op op = DISK_READ;
	unsigned int n;
	uint64_t size;

	if (read) {
		size = c->writable_bytes - 1;
		n = iov_slice(virtq_writable(c), c->n_writable, 0, size, parts);
	} else {
		size = c->readable_bytes - sizeof(struct blk_header);
		n = iov_slice(c->parts, c->n_readable,
			      sizeof(struct blk_header), size, parts);
		/* section 5.2.5.1: without FLUSH it cannot ask for it later */
		op = blk->dev.features_accepted & BIT64(VIRTIO_BLK_F_FLUSH)
			     ? DISK_WRITE
			     : DISK_WRITE_DURABLE;
	}
	if (!in_range(blk, sector, size) || n > VIRTIO_BLK_SEG_MAX ||
	    (!read && !disk_is_writable(blk->disk))) {
		answer(blk, VIRTIO_BLK_S_IOERR, 0);
		return;
	}
	memcpy(req->parts, parts, n * sizeof(*parts));
	submit(blk, op, sector, n);
}

/*
 * The header is copied once; what the guest makes of it later is nobody's
 * concern.
 */
static int handle(struct virtio_blk *blk)
{
	struct virtq_chain *c = &blk->chain;
	struct blk_header header;

	if (c->writable_bytes == 0)
		return fail(AVF_ERR_PROTOCOL,
			    "virtio-blk: a request has no status byte");
	if (iov_read(c->parts, c->n_readable, 0, &header, sizeof(header)) <
	    sizeof(header)) {
		answer(blk, VIRTIO_BLK_S_IOERR, 0);
		return 0;
	}
	switch (le32_get(header.type)) {
	case VIRTIO_BLK_T_IN:
		transfer(blk, true, le64_get(header.sector));
		break;
	case VIRTIO_BLK_T_OUT:
		transfer(blk, false, le64_get(header.sector));
		break;
	case VIRTIO_BLK_T_FLUSH:
		submit(blk, DISK_FLUSH, 0, 0);
		break;
	case VIRTIO_BLK_T_GET_ID:
		get_id(blk);
		break;
	default:
		answer(blk, VIRTIO_BLK_S_UNSUPP, 0);
		break;
	}
	return 0;
}

/*
 * Take requests until the ring or the free list is empty, or for one round
 * of the ring: a driver that refills while we look must not keep the loop.
 */
static int take_requests(struct virtio_blk *blk)
{
	struct virtq *vq = &blk->dev.queues[0];
	int rc;

	for (unsigned int i = 0; i < VIRTIO_BLK_QUEUE_SIZE; i++) {
		if (blk->n_free == 0)
			return 0; /* goes on when one comes back */
		rc = virtq_pop(vq, &blk->chain);
		if (rc > 0)
			rc = handle(blk);
		else if (rc == 0 && !virtq_enable_kicks(vq))
			return 0;
		if (rc < 0)
			return rc;
	}
	disk_wake(blk->disk);
	return 0;
}

/*
 * The budget of reads is for one turn; writes and flushes have none, as they
 * only go to the worker.
 */
static int blk_queue_ready(struct virtio_dev *dev, unsigned int q)
{
	struct virtio_blk *blk = to_blk(dev);
	int rc;

	(void)q;
	virtq_disable_kicks(&dev->queues[0]);
	blk->at_once = AT_ONCE_MAX;
	rc = take_requests(blk);
	virtio_dev_signal(dev, 0);
	return rc;
}

/*
 * From disk.c, on the loop. An error is the same status for all causes: the
 * host's errno says nothing to a guest.
 */
static void blk_done(void *userdata, struct disk_request *io)
{
	struct virtio_blk *blk = userdata;
	struct blk_request *req = container_of(io, struct blk_request, io);
	const uint32_t written = io->error ? 0 : req->data_written;

	set_status(req->status,
		   io->error ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK);
	virtio_dev_push(&blk->dev, 0, req->head, written + 1);
	blk->free_list[blk->n_free++] = req;
}

static void blk_idle(void *userdata)
{
	struct virtio_blk *blk = userdata;

	/* signals the batch, takes what waited for room */
	virtio_dev_kick(&blk->dev, 0);
}

static const struct disk_client disk_client = {
	.done = blk_done,
	.idle = blk_idle,
};

/* Drained, then freed: in this order no completion finds its request reused. */
static void blk_reset(struct virtio_dev *dev)
{
	struct virtio_blk *blk = to_blk(dev);

	disk_drain(blk->disk);
	free_all_requests(blk);
}

static void blk_config_read(struct virtio_dev *dev, uint32_t offset, void *data,
			    uint32_t len)
{
	memcpy(data, (const char *)&to_blk(dev)->config + offset, len);
}

static void blk_free(struct virtio_dev *dev)
{
	struct virtio_blk *blk;

	if (!dev)
		return;
	blk = to_blk(dev);
	disk_free(blk->disk);
	free(blk->requests);
	free(blk);
}

static const struct virtio_dev_ops blk_ops = {
	.name = "virtio-blk",
	.id = VIRTIO_ID_BLOCK,
	.pci_class = 0x010000,
	.config_size = sizeof(struct blk_config),
	.reset = blk_reset,
	.queue_ready = blk_queue_ready,
	.config_read = blk_config_read,
	.free = blk_free,
};

static void disk_free_p(struct disk **disk)
{
	disk_free(*disk);
}

static uint64_t features(const struct disk *disk)
{
	uint64_t bits =
		BIT64(VIRTIO_BLK_F_SIZE_MAX) | BIT64(VIRTIO_BLK_F_SEG_MAX) |
		BIT64(VIRTIO_BLK_F_BLK_SIZE) | BIT64(VIRTIO_BLK_F_FLUSH);

	return disk_is_writable(disk) ? bits : bits | BIT64(VIRTIO_BLK_F_RO);
}

int virtio_blk_new(const struct gmem *gm, struct disk *disk, const char *id,
		   struct virtio_dev **ret_dev)
{
	CLEANUP(disk_free_p) struct disk *owned = disk;
	CLEANUP(free_p) struct virtio_blk *blk = calloc(1, sizeof(*blk));

	if (!blk)
		return fail(AVF_ERR_NO_MEMORY, "virtio-blk");
	blk->requests = calloc(VIRTIO_BLK_QUEUE_SIZE, sizeof(*blk->requests));
	if (!blk->requests)
		return fail(AVF_ERR_NO_MEMORY, "virtio-blk: requests");
	virtio_dev_init(&blk->dev, &blk_ops, gm, 1, VIRTIO_BLK_QUEUE_SIZE,
			features(disk));
	free_all_requests(blk);
	memcpy(blk->id, id, strnlen(id, sizeof(blk->id)));
	blk->config = (struct blk_config){
		.capacity = le64_make(disk_sectors(disk)),
		.size_max = le32_make(VIRTIO_BLK_SIZE_MAX),
		.seg_max = le32_make(VIRTIO_BLK_SEG_MAX),
		.blk_size = le32_make(DISK_SECTOR_SIZE),
	};
	blk->disk = TAKE_PTR(owned);
	disk_set_client(blk->disk, &disk_client, blk);
	*ret_dev = &TAKE_PTR(blk)->dev;
	return 0;
}
