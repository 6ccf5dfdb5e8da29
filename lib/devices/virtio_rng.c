#include "devices/virtio_rng.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/checked.h"

#define RNG_QUEUE_SIZE 64
/* Requests served before the loop may turn to other devices. */
#define RNG_BATCH 16
#define RNG_QUEUE 0

struct virtio_rng {
	struct virtio_dev dev;
	struct virtq_chain chain; /* the request being served */
};

static struct virtio_rng *to_rng(struct virtio_dev *dev)
{
	return container_of(dev, struct virtio_rng, dev);
}

/*
 * Fill the buffer in place. The pool blocks only before the host kernel is
 * seeded, long before a VM starts; a short read is a short answer.
 */
static uint32_t fill(const struct iovec *part, uint32_t limit)
{
	size_t want = MIN(part->iov_len, limit);
	ssize_t n;

	do {
		n = getrandom(part->iov_base, want, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? 0 : (uint32_t)n;
}

/*
 * Answers with fewer bytes than asked are legal (5.4.6); the limit keeps a
 * guest from holding the loop in getrandom().
 */
static int serve(struct virtio_rng *rng)
{
	const struct iovec *parts = virtq_writable(&rng->chain);
	uint32_t done = 0;
	uint32_t n;

	/* 5.4.6.1: the driver gives nothing to read */
	if (rng->chain.n_readable > 0)
		return fail(AVF_ERR_PROTOCOL, "entropy request with data");
	for (unsigned int i = 0; i < rng->chain.n_writable; i++) {
		n = fill(&parts[i], VIRTIO_RNG_MAX_REQUEST - done);
		done += n;
		if (n < parts[i].iov_len)
			break;
	}
	virtio_dev_push(&rng->dev, RNG_QUEUE, rng->chain.head, done);
	return 0;
}

/* 1: there may be more; 0: the ring is empty. Only errors are passed on. */
static int serve_batch(struct virtio_rng *rng)
{
	int rc = 1;

	for (int i = 0; i < RNG_BATCH && rc == 1; i++) {
		rc = virtq_pop(&rng->dev.queues[RNG_QUEUE], &rng->chain);
		if (rc == 1 && serve(rng) < 0)
			rc = AVF_ERR_PROTOCOL;
	}
	virtio_dev_signal(&rng->dev, RNG_QUEUE);
	return MIN(rc, 0);
}

/* A driver that refills as fast as it is served gets its turns, not more. */
static int rng_queue_ready(struct virtio_dev *dev, unsigned int q)
{
	int rc;

	do {
		rc = serve_batch(to_rng(dev));
	} while (rc == 0 && virtq_enable_kicks(&dev->queues[q]) &&
		 !virtio_dev_kick_later(dev, q));
	return rc;
}

static void rng_free(struct virtio_dev *dev)
{
	if (dev)
		free(to_rng(dev));
}

static const struct virtio_dev_ops rng_ops = {
	.name = "virtio-rng",
	.id = VIRTIO_ID_RNG,
	.pci_class = 0xff0000, /* no class fits */
	.queue_ready = rng_queue_ready,
	.free = rng_free,
};

int virtio_rng_new(const struct gmem *gm, struct virtio_dev **ret_dev)
{
	struct virtio_rng *rng = calloc(1, sizeof(*rng));

	if (!rng)
		return fail(AVF_ERR_NO_MEMORY, "virtio-rng");
	virtio_dev_init(&rng->dev, &rng_ops, gm, 1, RNG_QUEUE_SIZE, 0);
	*ret_dev = &rng->dev;
	return 0;
}
