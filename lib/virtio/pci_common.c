/*
 * The common configuration structure (virtio 1.2, 4.1.4.3) and the status
 * machine behind it (2.1, 3.1).
 */
#include <stddef.h>
#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "pci/msix.h"
#include "virtio/pci_internal.h"

/*
 * In the order and with the widths of the specification, so that a read is a
 * copy out of a filled structure.
 */
struct common {
	le32 device_feature_select;
	le32 device_feature;
	le32 driver_feature_select;
	le32 driver_feature;
	le16 config_msix_vector;
	le16 num_queues;
	uint8_t device_status;
	uint8_t config_generation;
	le16 queue_select;
	le16 queue_size;
	le16 queue_msix_vector;
	le16 queue_enable;
	le16 queue_notify_off;
	le64 queue_desc;
	le64 queue_driver;
	le64 queue_device;
};

_Static_assert(sizeof(struct common) == VP_COMMON_SIZE, "4.1.4.3");

#define AT(field) offsetof(struct common, field)

void vp_common_reset(struct virtio_pci *vp)
{
	virtio_dev_reset(vp->dev);
	vp->isr = 0;
	vp->device_feature_select = 0;
	vp->driver_feature_select = 0;
	vp->driver_features = 0;
	vp->config_vector = VP_NO_VECTOR;
	vp->queue_select = 0;
	vp->status = 0;
	for (unsigned int q = 0; q < VIRTIO_MAX_QUEUES; q++) {
		vp->queues[q].vector = VP_NO_VECTOR;
		vp->queues[q].enabled = false;
	}
	vp_place_doorbells(vp);
}

/* Features come in words of 32 bits; those above bit 63 read as 0. */
static uint32_t feature_word(uint64_t features, uint32_t select)
{
	return select < 2 ? (uint32_t)(features >> (32 * select)) : 0;
}

/* A queue that does not exist reads as size 0 (4.1.4.3.1). */
static void show_queue(const struct virtio_pci *vp, struct common *c)
{
	uint16_t q = vp->queue_select;
	const struct virtq *vq;

	c->queue_msix_vector = le16_make(VP_NO_VECTOR);
	if (q >= vp->dev->n_queues)
		return;
	vq = &vp->dev->queues[q];
	c->queue_size = le16_make(vq->size);
	c->queue_msix_vector = le16_make(vp->queues[q].vector);
	c->queue_enable = le16_make(vp->queues[q].enabled);
	c->queue_notify_off = le16_make(q);
	c->queue_desc = le64_make(vq->desc);
	c->queue_driver = le64_make(vq->avail);
	c->queue_device = le64_make(vq->used);
}

void vp_common_read(struct virtio_pci *vp, uint32_t offset, void *data,
		    uint32_t size)
{
	struct common c = {
		.device_feature_select = le32_make(vp->device_feature_select),
		.device_feature = le32_make(feature_word(
			vp->dev->features_offered, vp->device_feature_select)),
		.driver_feature_select = le32_make(vp->driver_feature_select),
		.driver_feature = le32_make(feature_word(
			vp->driver_features, vp->driver_feature_select)),
		.config_msix_vector = le16_make(vp->config_vector),
		.num_queues = le16_make((uint16_t)vp->dev->n_queues),
		.device_status = vp->status,
		.config_generation = vp->generation,
		.queue_select = le16_make(vp->queue_select),
	};

	if (vp->dev->broken)
		c.device_status |= VP_NEEDS_RESET;
	show_queue(vp, &c);
	memset(data, 0, size);
	if (offset < sizeof(c))
		memcpy(data, (const char *)&c + offset,
		       MIN(size, sizeof(c) - offset));
}

/*
 * 2.2.1, 6.1: nothing that was not offered, and VERSION_1, since there is no
 * legacy interface. ACCESS_PLATFORM is offered where the device cannot reach
 * all of the guest's memory: a driver without it would give addresses that end
 * in errors, so it learns at once.
 */
static bool features_acceptable(const struct virtio_pci *vp)
{
	const uint64_t offered = vp->dev->features_offered;
	const uint64_t needed =
		VIRTIO_F_VERSION_1 | (offered & VIRTIO_F_ACCESS_PLATFORM);

	return !(vp->driver_features & ~offered) &&
	       (vp->driver_features & needed) == needed;
}

/*
 * The driver sets bits in the order of 3.1.1 and never clears one but by a
 * reset (2.1.1). A bit out of turn is not taken: the driver sees that when
 * it reads the status back.
 */
static void write_status(struct virtio_pci *vp, uint8_t value)
{
	uint8_t status = vp->status;

	if (value == 0) {
		vp_common_reset(vp);
		return;
	}
	status |= value & (VP_ACKNOWLEDGE | VP_FAILED);
	if (status & VP_ACKNOWLEDGE)
		status |= value & VP_DRIVER;
	if (status & VP_DRIVER && features_acceptable(vp))
		status |= value & VP_FEATURES_OK;
	if (status & VP_FEATURES_OK)
		status |= value & VP_DRIVER_OK;
	value = status & (uint8_t)~vp->status;
	vp->status = status;
	if (!(value & VP_DRIVER_OK))
		return;
	/* before activation, so that no kick of the driver's is missed */
	vp_place_doorbells(vp);
	virtio_dev_activate(vp->dev, vp->driver_features);
	/* kicks from before DRIVER_OK were not heard */
	for (uint32_t q = 0; q < vp->dev->n_queues; q++)
		vp_kick(vp, q);
}

/* 64-bit fields come as two 32-bit writes, in any order. */
static void set_half(uint64_t *at, bool high, uint32_t value)
{
	unsigned int shift = high ? 32 : 0;

	*at = (*at & ~(0xffffffffULL << shift)) | (uint64_t)value << shift;
}

/* 2.2.1: final with FEATURES_OK. There are no features above bit 63. */
static void write_features(struct virtio_pci *vp, uint32_t value)
{
	if (!(vp->status & VP_FEATURES_OK) && vp->driver_feature_select < 2)
		set_half(&vp->driver_features, vp->driver_feature_select == 1,
			 value);
}

/* 4.1.5.1.2: a vector that does not exist reads back as NO_VECTOR. */
static uint16_t checked_vector(const struct virtio_pci *vp, uint16_t vector)
{
	return vector < pci_msix_vectors(&vp->pci) ? vector : VP_NO_VECTOR;
}

/* Only 1 has a meaning, and only once the features are settled. */
static void enable_queue(struct virtio_pci *vp, uint16_t q, uint16_t value)
{
	if (value != 1 || !(vp->status & VP_FEATURES_OK))
		return;
	vp->queues[q].enabled = true;
	if (virtq_start(&vp->dev->queues[q], 0) < 0)
		virtio_dev_break(vp->dev);
}

/* The rings stay where they are once the device uses them. */
static void write_ring(struct virtio_pci *vp, uint32_t offset, uint32_t value)
{
	uint16_t q = vp->queue_select;
	struct virtq *vq;

	if (q >= vp->dev->n_queues || vp->queues[q].enabled)
		return;
	vq = &vp->dev->queues[q];
	switch (offset & ~4U) {
	case AT(queue_desc):
		set_half(&vq->desc, offset & 4, value);
		break;
	case AT(queue_driver):
		set_half(&vq->avail, offset & 4, value);
		break;
	case AT(queue_device):
		set_half(&vq->used, offset & 4, value);
		break;
	}
}

/*
 * Fields that are read-only, and offsets inside a field, fall through to
 * write_ring(), which knows only its own.
 */
static void write32(struct virtio_pci *vp, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case AT(device_feature_select):
		vp->device_feature_select = value;
		break;
	case AT(driver_feature_select):
		vp->driver_feature_select = value;
		break;
	case AT(driver_feature):
		write_features(vp, value);
		break;
	default:
		write_ring(vp, offset, value);
		break;
	}
}

/*
 * The order of the tests matters: everything below the third needs a queue that
 * exists, everything below the fifth one that is not enabled yet.
 */
static void write16(struct virtio_pci *vp, uint32_t offset, uint16_t value)
{
	uint16_t q = vp->queue_select;

	if (offset == AT(config_msix_vector))
		vp->config_vector = checked_vector(vp, value);
	else if (offset == AT(queue_select))
		vp->queue_select = value;
	else if (q >= vp->dev->n_queues)
		return;
	else if (offset == AT(queue_msix_vector))
		vp->queues[q].vector = checked_vector(vp, value);
	else if (vp->queues[q].enabled)
		return;
	else if (offset == AT(queue_size))
		/* any value is taken: virtq_start() refuses what is no size */
		vp->dev->queues[q].size = value;
	else if (offset == AT(queue_enable))
		enable_queue(vp, q, value);
}

void vp_common_write(struct virtio_pci *vp, uint32_t offset, const void *data,
		     uint32_t size)
{
	le32 word;
	le16 half;

	if (size == 1 && offset == AT(device_status)) {
		write_status(vp, *(const uint8_t *)data);
	} else if (size == 2) {
		memcpy(&half, data, sizeof(half));
		write16(vp, offset, le16_get(half));
	} else if (size == 4) {
		memcpy(&word, data, sizeof(word));
		write32(vp, offset, le32_get(word));
	}
	/* 4.1.3.1: 64-bit fields are written as two halves */
}
