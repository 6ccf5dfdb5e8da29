/*
 * The virtio-pci transport, modern devices only (virtio 1.2, 4.1). This file
 * has the capabilities, the BAR and the doorbells; pci_common.c has the common
 * configuration structure.
 *
 * A kick takes one of two ways to the same eventfd: KVM writes it by itself
 * where vp_place_doorbells() has put an ioeventfd, or the vCPU exits and
 * bar_write() does. In both cases the I/O loop serves the queue, never the
 * vCPU. All state is guarded by the machine's lock; only vp_kick() may be
 * called without.
 */
#include "virtio/pci.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "pci/msix.h"
#include "virtio/pci_internal.h"

/* struct virtio_pci_cap (virtio 1.2, 4.1.4) and its two longer forms. */
struct cap {
	uint8_t id, next, len, type, bar, instance, padding[2];
	le32 offset;
	le32 length;
	le32 more; /* notify_off_multiplier, or pci_cfg_data */
};

_Static_assert(sizeof(struct cap) == 20, "4.1.4");

#define CAP_SIZE        16
#define CAP_TYPE_COMMON 1
#define CAP_TYPE_NOTIFY 2
#define CAP_TYPE_ISR    3
#define CAP_TYPE_DEVICE 4
#define CAP_TYPE_PCI    5

#define ISR_QUEUE  1
#define ISR_CONFIG 2

/* The pci_dev is embedded: what the PCI bus passes back is ours. */
static struct virtio_pci *to_vp(struct pci_dev *pci)
{
	return container_of(pci, struct virtio_pci, pci);
}

void vp_kick(struct virtio_pci *vp, uint32_t q)
{
	const uint64_t one = 1;

	/* a full counter is a kick already */
	if (q < vp->dev->n_queues)
		(void)!write(vp->queues[q].kick_fd, &one, sizeof(one));
}

/*
 * On the loop, with the machine's lock. The counter is emptied before the queue
 * is looked at: a kick in between is then seen again.
 */
static void kicked(struct loop_source *source, uint32_t events)
{
	struct vp_queue *queue = container_of(source, struct vp_queue, source);
	uint64_t count;

	(void)events;
	(void)!read(queue->kick_fd, &count, sizeof(count));
	virtio_dev_kick(queue->vp->dev,
			(unsigned int)(queue - queue->vp->queues));
}

/* 4.1.4.5: the ISR bit is set also with MSI-X on, where nobody reads it. */
static void interrupt_queue(void *transport, unsigned int q)
{
	struct virtio_pci *vp = transport;

	vp->isr |= ISR_QUEUE;
	pci_msix_signal(&vp->pci, vp->queues[q].vector);
}

/*
 * The generation changes first: a driver that is reading the structure then
 * notices and reads again (4.1.4.3.1, config_generation).
 */
static void interrupt_config(void *transport)
{
	struct virtio_pci *vp = transport;

	vp->generation++;
	vp->isr |= ISR_CONFIG;
	pci_msix_signal(&vp->pci, vp->config_vector);
}

static void kick_later(void *transport, unsigned int q)
{
	vp_kick(transport, q);
}

static const struct virtio_transport_ops transport_ops = {
	.interrupt_queue = interrupt_queue,
	.interrupt_config = interrupt_config,
	.kick_later = kick_later,
};

/* Whether [@offset, @offset + @size) lies in the structure. */
static bool within(uint64_t offset, uint32_t size, uint32_t base, uint32_t len)
{
	return offset >= base && offset - base < len &&
	       size <= len - (offset - base);
}

/*
 * Offsets are inside the BAR (pci/ checks that), but may be in a gap of our
 * layout: @data then keeps what the bus has put there.
 */
static void bar_read(struct pci_dev *pci, unsigned int bar, uint64_t offset,
		     void *data, uint32_t size)
{
	struct virtio_pci *vp = to_vp(pci);
	const struct virtio_dev_ops *ops = vp->dev->ops;

	if (bar == VP_BAR_MSIX) {
		msix_read(pci->msix, offset, data, size);
	} else if (offset < VP_ISR) {
		vp_common_read(vp, (uint32_t)offset, data, size);
	} else if (within(offset, size, VP_ISR, VP_ISR_SIZE)) {
		*(uint8_t *)data = vp->isr;
		vp->isr = 0; /* 4.1.4.5: reading it acknowledges */
	} else if (within(offset, size, VP_DEVICE, ops->config_size)) {
		ops->config_read(vp->dev, (uint32_t)(offset - VP_DEVICE), data,
				 size);
	}
}

/*
 * The ISR and the common structure come first in the BAR, doorbells last. A
 * write to a doorbell of a queue that does not exist ends in vp_kick().
 */
static void bar_write(struct pci_dev *pci, unsigned int bar, uint64_t offset,
		      const void *data, uint32_t size)
{
	struct virtio_pci *vp = to_vp(pci);
	const struct virtio_dev_ops *ops = vp->dev->ops;

	if (bar == VP_BAR_MSIX) {
		msix_write(pci->msix, offset, data, size);
	} else if (offset < VP_ISR) {
		vp_common_write(vp, (uint32_t)offset, data, size);
	} else if (within(offset, size, VP_DEVICE, ops->config_size)) {
		if (ops->config_write)
			ops->config_write(vp->dev,
					  (uint32_t)(offset - VP_DEVICE), data,
					  size);
	} else if (offset >= VP_NOTIFY && offset % VP_NOTIFY_MULTIPLIER == 0) {
		vp_kick(vp,
			(uint32_t)(offset - VP_NOTIFY) / VP_NOTIFY_MULTIPLIER);
	}
}

/* Where the doorbell of queue @q should ring; 0: nowhere. */
static uint64_t doorbell(const struct virtio_pci *vp, uint32_t q)
{
	if (!vp->bar_gpa || !(vp->status & VP_DRIVER_OK) ||
	    !vp->queues[q].enabled)
		return 0;
	return vp->bar_gpa + VP_NOTIFY + VP_NOTIFY_MULTIPLIER * q;
}

void vp_place_doorbells(struct virtio_pci *vp)
{
	for (uint32_t q = 0; q < vp->dev->n_queues; q++) {
		struct vp_queue *queue = &vp->queues[q];
		uint64_t at = doorbell(vp, q);

		if (at == queue->kick_gpa)
			continue;
		if (queue->kick_gpa)
			vp->hv->ops->remove_ioeventfd(vp->hv, queue->kick_gpa,
						      queue->kick_fd);
		queue->kick_gpa = 0;
		/* without it the kick comes as an exit: slower, not wrong */
		if (at &&
		    vp->hv->ops->add_ioeventfd(vp->hv, at, queue->kick_fd) == 0)
			queue->kick_gpa = at;
	}
}

/*
 * Memory decoding was switched or the BAR moved: the doorbells follow, or KVM
 * would go on taking writes to where they were.
 */
static void bar_mapped(struct pci_dev *pci, unsigned int bar, uint64_t gpa)
{
	struct virtio_pci *vp = to_vp(pci);

	if (bar != VP_BAR)
		return;
	vp->bar_gpa = gpa;
	vp_place_doorbells(vp);
}

/*
 * VIRTIO_PCI_CAP_PCI_CFG (4.1.4.9): a window into BAR 0 for those who have
 * no MMIO yet. Returns the data's place and *@ret_cap when the configuration
 * access touches the data and the window is a legal one, else NULL.
 */
static uint8_t *window(struct virtio_pci *vp, uint32_t reg, uint32_t len,
		       struct cap *ret_cap)
{
	uint32_t data = vp->cfg_cap + (uint32_t)offsetof(struct cap, more);
	uint32_t offset;
	uint32_t length;

	if (reg >= data + 4 || reg + len <= data)
		return NULL;
	memcpy(ret_cap, &vp->pci.config[vp->cfg_cap], sizeof(*ret_cap));
	offset = le32_get(ret_cap->offset);
	length = le32_get(ret_cap->length);
	if (ret_cap->bar != VP_BAR ||
	    (length != 1 && length != 2 && length != 4) ||
	    offset % length != 0 || offset >= VP_BAR_SIZE)
		return NULL;
	return &vp->pci.config[data];
}

/* Before the guest sees pci_cfg_data, it is filled through the window. */
static void config_read(struct pci_dev *pci, uint32_t reg, uint32_t len)
{
	struct cap c;
	uint8_t *data = window(to_vp(pci), reg, len, &c);

	if (!data)
		return;
	/* a field that is not there reads as ones, as it would by MMIO */
	memset(data, 0xff, 4);
	bar_read(pci, VP_BAR, le32_get(c.offset), data, le32_get(c.length));
}

static void config_written(struct pci_dev *pci, uint32_t reg, uint32_t len)
{
	struct cap c;
	const uint8_t *data = window(to_vp(pci), reg, len, &c);

	if (data)
		bar_write(pci, VP_BAR, le32_get(c.offset), data,
			  le32_get(c.length));
}

static const struct pci_dev_ops pci_ops = {
	.bar_read = bar_read,
	.bar_write = bar_write,
	.bar_mapped = bar_mapped,
	.config_read = config_read,
	.config_written = config_written,
};

/*
 * Returns where the capability is. @size: 16, or 20 for the kinds with a fifth
 * word (notify, PCI_CFG).
 */
static uint32_t add_cap(struct virtio_pci *vp, uint8_t type, uint32_t offset,
			uint32_t length, uint32_t size)
{
	uint32_t at = pci_dev_add_cap(&vp->pci, PCI_CAP_VENDOR, size);
	struct cap c;

	memcpy(&c, &vp->pci.config[at], size);
	c.len = (uint8_t)size;
	c.type = type;
	c.bar = VP_BAR;
	c.offset = le32_make(offset);
	c.length = le32_make(length);
	c.more = le32_make(type == CAP_TYPE_NOTIFY ? VP_NOTIFY_MULTIPLIER : 0);
	memcpy(&vp->pci.config[at], &c, size);
	return at;
}

/*
 * The driver takes the first of each type that it can use (4.1.4.1); there is
 * one of each.
 */
static void add_caps(struct virtio_pci *vp)
{
	const struct virtio_dev *dev = vp->dev;
	uint8_t *writable;

	(void)add_cap(vp, CAP_TYPE_COMMON, VP_COMMON, VP_COMMON_SIZE, CAP_SIZE);
	(void)add_cap(vp, CAP_TYPE_NOTIFY, VP_NOTIFY,
		      VP_NOTIFY_MULTIPLIER * dev->n_queues, sizeof(struct cap));
	(void)add_cap(vp, CAP_TYPE_ISR, VP_ISR, VP_ISR_SIZE, CAP_SIZE);
	if (dev->ops->config_size > 0)
		(void)add_cap(vp, CAP_TYPE_DEVICE, VP_DEVICE,
			      dev->ops->config_size, CAP_SIZE);
	vp->cfg_cap = add_cap(vp, CAP_TYPE_PCI, 0, 0, sizeof(struct cap));
	/*
	 * of PCI_CFG the guest may choose BAR, offset, length and data
	 * (4.1.4.9)
	 */
	writable = &vp->pci.writable[vp->cfg_cap];
	writable[offsetof(struct cap, bar)] = 0xff;
	memset(writable + offsetof(struct cap, offset), 0xff, 12);
}

/* One eventfd for each queue. On an error the caller frees all of @vp. */
static int add_queues(struct virtio_pci *vp)
{
	int rc;

	for (unsigned int q = 0; q < vp->dev->n_queues; q++) {
		struct vp_queue *queue = &vp->queues[q];

		queue->vp = vp;
		queue->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (queue->kick_fd < 0)
			return fail_errno("eventfd of a queue");
		rc = loop_add(vp->loop, &queue->source, queue->kick_fd, EPOLLIN,
			      kicked);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int plug(struct virtio_pci *vp, struct pci_bus *bus)
{
	const struct virtio_dev_ops *ops = vp->dev->ops;
	const struct pci_ids ids = {
		.vendor = 0x1af4,
		.device = (uint16_t)(0x1040 + ops->id), /* 4.1.2.1 */
		.subsystem_vendor = 0x1af4,
		.subsystem = (uint16_t)(0x1040 + ops->id),
		.class_code = ops->pci_class,
		.revision = 1,
	};
	int rc;

	pci_dev_init(&vp->pci, &pci_ops, &ids);
	pci_dev_add_bar(&vp->pci, VP_BAR, VP_BAR_SIZE);
	add_caps(vp);
	/* one vector for each queue, one for the configuration */
	rc = msix_add(&vp->pci, VP_BAR_MSIX, vp->dev->n_queues + 1);
	if (rc < 0)
		return rc;
	rc = add_queues(vp);
	if (rc < 0)
		return rc;
	return pci_bus_add(bus, &vp->pci);
}

int virtio_pci_new(struct virtio_dev *dev, struct pci_bus *bus,
		   struct loop *loop, struct hv *hv, const struct log *log,
		   struct virtio_pci **ret)
{
	struct virtio_pci *vp = calloc(1, sizeof(*vp));
	int rc;

	assert(dev->ops->config_size <= VP_NOTIFY - VP_DEVICE);
	if (!vp) {
		virtio_dev_free(dev);
		return fail(AVF_ERR_NO_MEMORY, "virtio-pci");
	}
	vp->dev = dev;
	vp->loop = loop;
	vp->hv = hv;
	for (unsigned int q = 0; q < VIRTIO_MAX_QUEUES; q++)
		vp->queues[q].kick_fd = -1;
	virtio_dev_attach(dev, &transport_ops, vp, log);
	vp_common_reset(vp);
	rc = plug(vp, bus);
	if (rc < 0) {
		virtio_pci_free(vp);
		return rc;
	}
	*ret = vp;
	return 0;
}

const struct virtio_dev *virtio_pci_dev(const struct virtio_pci *vp)
{
	return vp->dev;
}

void virtio_pci_free(struct virtio_pci *vp)
{
	if (!vp)
		return;
	virtio_dev_reset(vp->dev);
	pci_bus_remove(&vp->pci);
	for (unsigned int q = 0; q < VIRTIO_MAX_QUEUES; q++) {
		loop_remove(vp->loop, &vp->queues[q].source);
		close_p(&vp->queues[q].kick_fd);
	}
	pci_dev_fini(&vp->pci);
	virtio_dev_free(vp->dev);
	free(vp);
}
