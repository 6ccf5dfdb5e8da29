/*
 * The common half of a device model: it calls the model's ops only in states
 * where they are legal, so that a model needs no checks of its own. States:
 * idle, active (DRIVER_OK), broken (NEEDS_RESET, virtio 1.2, 2.1). Broken and
 * active exclude each other; only a reset leaves broken. Every function runs
 * with the machine's lock, see device.h.
 */
#include "virtio/device.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/fd.h"

void virtio_dev_init(struct virtio_dev *dev, const struct virtio_dev_ops *ops,
		     const struct gmem *gm, unsigned int n_queues,
		     uint16_t queue_size, uint64_t features)
{
	assert(n_queues <= VIRTIO_MAX_QUEUES);
	assert(queue_size <= VIRTQ_MAX_SIZE);
	memset(dev, 0, sizeof(*dev));
	dev->ops = ops;
	dev->features_offered = features | VIRTIO_F_VERSION_1 |
				VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX;
	dev->n_queues = n_queues;
	for (unsigned int q = 0; q < n_queues; q++)
		virtq_init(&dev->queues[q], gm, queue_size);
}

void virtio_dev_attach(struct virtio_dev *dev,
		       const struct virtio_transport_ops *ops, void *transport,
		       const struct log *log)
{
	dev->transport_ops = ops;
	dev->transport = transport;
	dev->log = log;
}

void virtio_dev_break(struct virtio_dev *dev)
{
	bool was_active = dev->active;

	if (dev->broken)
		return;
	dev->broken = true;
	dev->active = false;
	/*
	 * a guest can break its device in a loop: the budget keeps the log
	 * small
	 */
	if (log_budget_take(&dev->log_budget, clock_now_ns()))
		log_warn(dev->log, "%s stops until the driver resets it: %s",
			 dev->ops->name, error_record()->text);
	/* 2.1.2: a device in use tells its driver that it needs a reset */
	if (was_active && dev->transport_ops)
		dev->transport_ops->interrupt_config(dev->transport);
}

void virtio_dev_activate(struct virtio_dev *dev, uint64_t features_accepted)
{
	/* DRIVER_OK may be written again: the features must not change then */
	if (dev->active || dev->broken)
		return;
	dev->features_accepted = features_accepted;
	for (unsigned int q = 0; q < dev->n_queues; q++) {
		struct virtq *vq = &dev->queues[q];

		vq->event_idx = features_accepted & VIRTIO_F_EVENT_IDX;
		vq->indirect = features_accepted & VIRTIO_F_INDIRECT_DESC;
	}
	dev->active = true;
	if (dev->ops->activate && dev->ops->activate(dev) < 0)
		virtio_dev_break(dev);
}

void virtio_dev_reset(struct virtio_dev *dev)
{
	/* first, so that nothing the model still completes reaches a ring */
	dev->active = false;
	if (dev->ops->reset)
		dev->ops->reset(dev);
	for (unsigned int q = 0; q < dev->n_queues; q++)
		virtq_reset(&dev->queues[q]);
	dev->features_accepted = 0;
	dev->broken = false;
}

void virtio_dev_kick(struct virtio_dev *dev, unsigned int q)
{
	if (!dev->active || q >= dev->n_queues || !dev->queues[q].started)
		return;
	if (dev->ops->queue_ready(dev, q) < 0)
		virtio_dev_break(dev);
}

bool virtio_dev_kick_later(struct virtio_dev *dev, unsigned int q)
{
	if (!dev->transport_ops || !dev->transport_ops->kick_later)
		return false;
	dev->transport_ops->kick_later(dev->transport, q);
	return true;
}

void virtio_dev_push(struct virtio_dev *dev, unsigned int q, uint16_t head,
		     uint32_t written)
{
	/* A completion that comes after a reset or on a broken device is
	 * dropped: its ring may be gone. */
	if (!dev->active)
		return;
	if (virtq_push(&dev->queues[q], head, written) < 0)
		virtio_dev_break(dev);
}

void virtio_dev_signal(struct virtio_dev *dev, unsigned int q)
{
	if (!dev->active || !virtq_wants_interrupt(&dev->queues[q]))
		return;
	if (dev->transport_ops)
		dev->transport_ops->interrupt_queue(dev->transport, q);
}

void virtio_dev_complete(struct virtio_dev *dev, unsigned int q, uint16_t head,
			 uint32_t written)
{
	virtio_dev_push(dev, q, head, written);
	virtio_dev_signal(dev, q);
}

void virtio_dev_config_changed(struct virtio_dev *dev)
{
	if (dev->active && dev->transport_ops)
		dev->transport_ops->interrupt_config(dev->transport);
}

enum virtq_reach virtio_dev_reach(const struct virtio_dev *dev)
{
	enum virtq_reach most = VIRTQ_REACH_UNKNOWN;

	for (unsigned int q = 0; q < dev->n_queues; q++)
		most = MAX(most, dev->queues[q].reach);
	return most;
}

void virtio_dev_free(struct virtio_dev *dev)
{
	if (!dev)
		return;
	virtio_dev_reset(dev);
	dev->ops->free(dev);
}
