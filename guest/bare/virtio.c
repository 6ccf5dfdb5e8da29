#include "virtio.h"

#include "pci.h"

#define VENDOR         0x1af4U
#define DEVICE_MODERN  0x1040U
#define CAP_VENDOR     0x09U
#define CAP_COMMON     1U
#define CAP_NOTIFY     2U
#define CAP_DEVICE     4U
#define STATUS_ACK     1U
#define STATUS_DRIVER  2U
#define STATUS_READY   4U
#define STATUS_FEATURE 8U
#define STATUS_BROKEN  0x40U /* DEVICE_NEEDS_RESET */

/* Offsets in the common configuration (4.1.4.3) */
#define DEVICE_FEATURE_SELECT 0x00
#define DEVICE_FEATURE        0x04
#define DRIVER_FEATURE_SELECT 0x08
#define DRIVER_FEATURE        0x0c
#define DEVICE_STATUS         0x14
#define QUEUE_SELECT          0x16
#define QUEUE_SIZE            0x18
#define QUEUE_VECTOR          0x1a
#define QUEUE_ENABLE          0x1c
#define QUEUE_NOTIFY_OFF      0x1e
#define QUEUE_DESC            0x20
#define QUEUE_DRIVER          0x28
#define QUEUE_DEVICE          0x30

/* VERSION_1 and ACCESS_PLATFORM, in the upper word */
#define FEATURES_UPPER 0x3U

#define DESC_NEXT  1U
#define DESC_WRITE 2U

static void find_structures(struct virtio_dev *dev, uint64_t config)
{
	uint64_t cap = 0;
	uint64_t addr;

	while ((cap = pci_capability(config, cap, CAP_VENDOR)) != 0) {
		addr = pci_bar(config, mmio_read8(cap + 4)) +
		       mmio_read32(cap + 8);
		switch (mmio_read8(cap + 3)) {
		case CAP_COMMON:
			dev->common = addr;
			break;
		case CAP_NOTIFY:
			dev->notify = addr;
			dev->notify_multiplier = mmio_read32(cap + 16);
			break;
		case CAP_DEVICE:
			dev->config = addr;
			break;
		default:
			break;
		}
	}
	if (!dev->common || !dev->notify)
		give_up("virtio structures missing");
}

/* pci_capability() wants the config base for its first step only. */
static void write_addr(uint64_t at, const void *addr)
{
	mmio_write32(at, (uint32_t)(uintptr_t)addr);
	mmio_write32(at + 4, (uint32_t)((uintptr_t)addr >> 32));
}

static void start_queue(struct virtio_dev *dev, uint16_t index)
{
	struct virtio_queue *q = &dev->queues[index];
	const uint64_t c = dev->common;

	mmio_write16(c + QUEUE_SELECT, index);
	if (mmio_read16(c + QUEUE_SIZE) < VIRTIO_QUEUE_SIZE)
		give_up("virtio queue missing");
	mmio_write16(c + QUEUE_SIZE, VIRTIO_QUEUE_SIZE);
	write_addr(c + QUEUE_DESC, q->desc);
	write_addr(c + QUEUE_DRIVER, &q->avail);
	write_addr(c + QUEUE_DEVICE, &q->used);
	q->index = index;
	q->notify = dev->notify + (uint64_t)mmio_read16(c + QUEUE_NOTIFY_OFF) *
					  dev->notify_multiplier;
	mmio_write16(c + QUEUE_ENABLE, 1);
}

void virtio_reset(const struct virtio_dev *dev)
{
	mmio_write8(dev->common + DEVICE_STATUS, 0);
	while (mmio_read8(dev->common + DEVICE_STATUS) != 0)
		relax();
}

bool virtio_needs_reset(const struct virtio_dev *dev)
{
	return mmio_read8(dev->common + DEVICE_STATUS) & STATUS_BROKEN;
}

void virtio_set_vector(const struct virtio_dev *dev, uint16_t q,
		       uint16_t vector)
{
	mmio_write16(dev->common + QUEUE_SELECT, q);
	mmio_write16(dev->common + QUEUE_VECTOR, vector);
}

static void negotiate(const struct virtio_dev *dev)
{
	const uint64_t c = dev->common;
	uint32_t upper;

	virtio_reset(dev);
	mmio_write8(c + DEVICE_STATUS, STATUS_ACK | STATUS_DRIVER);
	mmio_write32(c + DEVICE_FEATURE_SELECT, 1);
	upper = mmio_read32(c + DEVICE_FEATURE);
	mmio_write32(c + DRIVER_FEATURE_SELECT, 0);
	mmio_write32(c + DRIVER_FEATURE, dev->features);
	mmio_write32(c + DRIVER_FEATURE_SELECT, 1);
	mmio_write32(c + DRIVER_FEATURE, upper & FEATURES_UPPER);
	mmio_write8(c + DEVICE_STATUS,
		    STATUS_ACK | STATUS_DRIVER | STATUS_FEATURE);
	if (!(mmio_read8(c + DEVICE_STATUS) & STATUS_FEATURE))
		give_up("virtio features refused");
}

void virtio_start(struct virtio_dev *dev, unsigned int id, unsigned int index,
		  unsigned int n_queues)
{
	const uint64_t config =
		pci_find(VENDOR, (uint16_t)(DEVICE_MODERN + id), index);

	if (!config)
		give_up("no such virtio device");
	share_variables();
	pci_enable(config);
	dev->pci = config;
	find_structures(dev, config);
	negotiate(dev);
	for (unsigned int i = 0; i < n_queues; i++)
		start_queue(dev, (uint16_t)i);
	mmio_write8(dev->common + DEVICE_STATUS,
		    STATUS_ACK | STATUS_DRIVER | STATUS_FEATURE | STATUS_READY);
}

void virtio_offer(struct virtio_queue *q, uint16_t first,
		  const struct virtio_part *parts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct virtio_desc *d = &q->desc[first + i];

		d->addr = (uintptr_t)parts[i].data;
		d->len = parts[i].len;
		d->flags =
			(uint16_t)((i + 1 < n ? DESC_NEXT : 0) |
				   (parts[i].device_writes ? DESC_WRITE : 0));
		d->next = (uint16_t)(first + i + 1);
	}
	q->avail.ring[q->avail.idx % VIRTIO_QUEUE_SIZE] = first;
	/* the device must see the chain before the index */
	__atomic_store_n(&q->avail.idx, (uint16_t)(q->avail.idx + 1),
			 __ATOMIC_RELEASE);
}

void virtio_kick(struct virtio_queue *q)
{
	/* the store of avail.idx is ordered before a register's */
	mmio_write16(q->notify, q->index);
}

bool virtio_take(struct virtio_queue *q, uint16_t *ret_first, uint32_t *ret_len)
{
	if (__atomic_load_n(&q->used.idx, __ATOMIC_ACQUIRE) == q->last_used)
		return false;
	*ret_first =
		(uint16_t)q->used.ring[q->last_used % VIRTIO_QUEUE_SIZE].id;
	*ret_len = q->used.ring[q->last_used % VIRTIO_QUEUE_SIZE].len;
	q->last_used++;
	return true;
}

uint32_t virtio_do(struct virtio_queue *q, const struct virtio_part *parts,
		   uint16_t n)
{
	uint16_t first;
	uint32_t len;

	virtio_offer(q, 0, parts, n);
	virtio_kick(q);
	while (!virtio_take(q, &first, &len))
		relax();
	return len;
}
