/*
 * A minimal virtio 1.x driver over PCI: polling, no MSI-X, a few descriptors
 * per queue (Virtual I/O Device 1.2, sections 2.7 and 4.1).
 */
#pragma once

#include "runtime.h"

#define VIRTIO_ID_BLOCK   2U
#define VIRTIO_ID_CONSOLE 3U
#define VIRTIO_ID_RNG     4U
#define VIRTIO_ID_VSOCK   19U

#define VIRTIO_QUEUES     3U
#define VIRTIO_QUEUE_SIZE 8U

struct virtio_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct virtio_queue {
	struct virtio_desc desc[VIRTIO_QUEUE_SIZE];
	struct {
		uint16_t flags, idx, ring[VIRTIO_QUEUE_SIZE], event;
	} avail;
	struct {
		uint16_t flags, idx;
		struct {
			uint32_t id, len;
		} ring[VIRTIO_QUEUE_SIZE];
		uint16_t event;
	} used __attribute__((aligned(4)));
	uint16_t index;
	uint16_t last_used;
	uint64_t notify; /* address of its doorbell */
} __attribute__((aligned(16)));

/* Indirect tables: a bit of virtio_dev's @features, a flag of a descriptor. */
#define VIRTIO_INDIRECT      (1U << 28)
#define VIRTIO_DESC_INDIRECT 4U

struct virtio_dev {
	uint32_t features; /* of the lower 32, wanted besides */
	uint64_t pci;      /* addresses: of its configuration space */
	uint64_t common;
	uint64_t notify;
	uint64_t config;
	uint32_t notify_multiplier;
	struct virtio_queue queues[VIRTIO_QUEUES];
};

/* A piece of a request. */
struct virtio_part {
	void *data;
	uint32_t len;
	bool device_writes;
};

/** Find and start the @index-th device of type @id. Gives up without one. */
void virtio_start(struct virtio_dev *dev, unsigned int id, unsigned int index,
		  unsigned int n_queues);

/** Back to power-on state. Its queues are not to be used again. */
void virtio_reset(const struct virtio_dev *dev);

/** Whether the device has given up until it is reset. */
bool virtio_needs_reset(const struct virtio_dev *dev);

/** Have queue @q of a started device signal interrupt @vector. */
void virtio_set_vector(const struct virtio_dev *dev, uint16_t q,
		       uint16_t vector);

/** Offer a chain of @n parts in descriptors @first and following. */
void virtio_offer(struct virtio_queue *q, uint16_t first,
		  const struct virtio_part *parts, uint16_t n);

/** Ring the doorbell. */
void virtio_kick(struct virtio_queue *q);

/** Whether a chain came back; sets its first descriptor and written bytes. */
bool virtio_take(struct virtio_queue *q, uint16_t *ret_first,
		 uint32_t *ret_len);

/** Offer, kick, and wait for it. Returns written bytes. */
uint32_t virtio_do(struct virtio_queue *q, const struct virtio_part *parts,
		   uint16_t n);
