#include "support/echo_dev.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

static struct echo_dev *to_echo(struct virtio_dev *dev)
{
	return container_of(dev, struct echo_dev, dev);
}

static int echo_activate(struct virtio_dev *dev)
{
	to_echo(dev)->n_activate++;
	if (to_echo(dev)->fail_activate < 0)
		return fail(to_echo(dev)->fail_activate, "told to fail");
	return 0;
}

static void echo_reset(struct virtio_dev *dev)
{
	to_echo(dev)->n_reset++;
}

static int echo_ready(struct virtio_dev *dev, unsigned int q)
{
	struct echo_dev *echo = to_echo(dev);
	int rc;

	echo->n_ready++;
	do {
		rc = virtq_pop(&dev->queues[q], &echo->chain);
		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		echo->n_requests++;
		if (!echo->hold)
			virtio_dev_complete(
				dev, q, echo->chain.head,
				(uint32_t)echo->chain.readable_bytes);
	} while (rc == 1 || virtq_enable_kicks(&dev->queues[q]));
	return 0;
}

static void echo_config_read(struct virtio_dev *dev, uint32_t offset,
			     void *data, uint32_t len)
{
	memcpy(data, to_echo(dev)->config + offset, len);
}

static void echo_config_write(struct virtio_dev *dev, uint32_t offset,
			      const void *data, uint32_t len)
{
	memcpy(to_echo(dev)->config + offset, data, len);
}

static void echo_free(struct virtio_dev *dev)
{
	struct echo_dev *echo = to_echo(dev);

	if (echo->n_free)
		(*echo->n_free)++;
	free(echo);
}

static const struct virtio_dev_ops echo_ops = {
	.name = "virtio-echo",
	.id = VIRTIO_ID_CONSOLE,
	.pci_class = 0x078000,
	.config_size = ECHO_CONFIG_SIZE,
	.activate = echo_activate,
	.reset = echo_reset,
	.queue_ready = echo_ready,
	.config_read = echo_config_read,
	.config_write = echo_config_write,
	.free = echo_free,
};

struct echo_dev *echo_dev_new(const struct gmem *gm, unsigned int n_queues)
{
	struct echo_dev *echo = calloc(1, sizeof(*echo));

	if (!echo)
		abort();
	virtio_dev_init(&echo->dev, &echo_ops, gm, n_queues, ECHO_QUEUE_SIZE,
			ECHO_FEATURE);
	for (uint8_t i = 0; i < ECHO_CONFIG_SIZE; i++)
		echo->config[i] = (uint8_t)(0x10 + i);
	return echo;
}
