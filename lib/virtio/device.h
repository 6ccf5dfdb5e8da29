/*
 * A virtio device model and its seam to the transport.
 *
 * A model is a const table of callbacks and a struct that embeds struct
 * virtio_dev. It sees queues, its own configuration bytes, and the loop of
 * its VM; never the transport, the machine or the hypervisor. The transport
 * (virtio/pci.c, vhost/) owns features, status and queue set-up, and calls
 * the model as its driver asks.
 *
 * Thread rule: every callback runs with the machine's lock held, on a vCPU
 * thread (config access, reset, activate) or on the I/O loop (queue_ready).
 * A model with a thread of its own posts back to the loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "virtio/queue.h"

#define VIRTIO_F_INDIRECT_DESC   BIT64(28)
#define VIRTIO_F_EVENT_IDX       BIT64(29)
#define VIRTIO_F_VERSION_1       BIT64(32)
#define VIRTIO_F_ACCESS_PLATFORM BIT64(33)

#define VIRTIO_MAX_QUEUES 32

enum virtio_id {
	VIRTIO_ID_BLOCK = 2,
	VIRTIO_ID_CONSOLE = 3,
	VIRTIO_ID_RNG = 4,
	VIRTIO_ID_VSOCK = 19,
};

struct virtio_dev;

struct virtio_dev_ops {
	/** For logs and errors: "virtio-blk". */
	const char *name;
	enum virtio_id id;
	/** PCI class code, 24 bits: 0x010000 for a disk. */
	uint32_t pci_class;
	/** Bytes of the device's configuration structure. */
	uint32_t config_size;
	/**
	 * DRIVER_OK was set: features and queues are final. NULL: nothing to
	 * do. An error puts the device into NEEDS_RESET.
	 */
	int (*activate)(struct virtio_dev *dev);
	/**
	 * Back to power-on state; the queues are reset by the transport right
	 * after. When it returns, nothing of the device touches guest memory
	 * any more. Cannot fail. NULL: nothing to do.
	 */
	void (*reset)(struct virtio_dev *dev);
	/**
	 * The driver kicked queue @q, or there may be work in it. Only called
	 * while active. AVF_ERR_PROTOCOL puts the device into NEEDS_RESET.
	 */
	int (*queue_ready)(struct virtio_dev *dev, unsigned int q);
	/**
	 * Read @len bytes at @offset of the configuration structure; the
	 * transport made sure that they lie within config_size.
	 */
	void (*config_read)(struct virtio_dev *dev, uint32_t offset, void *data,
			    uint32_t len);
	/** The same for writes. NULL: writes are ignored. */
	void (*config_write)(struct virtio_dev *dev, uint32_t offset,
			     const void *data, uint32_t len);
	/** Free the model. Takes NULL. Called after reset, never on a vCPU. */
	void (*free)(struct virtio_dev *dev);
};

/* What the transport does for a model. Called with the machine's lock held. */
struct virtio_transport_ops {
	/** Interrupt the driver for queue @q, unconditionally. */
	void (*interrupt_queue)(void *transport, unsigned int q);
	/** Interrupt the driver for a change of the configuration. */
	void (*interrupt_config)(void *transport);
	/** Kick queue @q from the loop, after others. NULL: cannot. */
	void (*kick_later)(void *transport, unsigned int q);
};

struct virtio_dev {
	const struct virtio_dev_ops *ops;
	uint64_t features_offered;  /* VERSION_1 and ring features included */
	uint64_t features_accepted; /* valid while active */
	unsigned int n_queues;
	struct virtq queues[VIRTIO_MAX_QUEUES];
	bool active; /* DRIVER_OK seen, not reset, not broken */
	bool broken; /* the driver broke the protocol: quiet until reset */
	/* Set by virtio_dev_attach(). */
	const struct virtio_transport_ops *transport_ops;
	void *transport;       /* borrowed */
	const struct log *log; /* borrowed, may be NULL */
	struct log_budget log_budget;
};

/**
 * Fill the common part of a model: queues of @queue_size entries each over
 * @gm (borrowed), @features besides VERSION_1, INDIRECT_DESC and EVENT_IDX,
 * which every model offers.
 */
void virtio_dev_init(struct virtio_dev *dev, const struct virtio_dev_ops *ops,
		     const struct gmem *gm, unsigned int n_queues,
		     uint16_t queue_size, uint64_t features);

/** Tell the model who carries it. @transport is borrowed. */
void virtio_dev_attach(struct virtio_dev *dev,
		       const struct virtio_transport_ops *ops, void *transport,
		       const struct log *log);

/** DRIVER_OK: start every set-up queue is done; make the device active. */
void virtio_dev_activate(struct virtio_dev *dev, uint64_t features_accepted);

/** Reset: quiesce the model, then its queues. */
void virtio_dev_reset(struct virtio_dev *dev);

/** A kick of queue @q. Ignored unless active, broken devices stay quiet. */
void virtio_dev_kick(struct virtio_dev *dev, unsigned int q);

/**
 * Have queue @q kicked again after other sources of the loop had their turn.
 * For models that stop before their ring is empty. Returns false when the
 * transport cannot: the model goes on by itself.
 */
bool virtio_dev_kick_later(struct virtio_dev *dev, unsigned int q);

/**
 * Push a request and interrupt the driver if it wants to know. On a broken
 * ring the device becomes broken. For models.
 */
void virtio_dev_complete(struct virtio_dev *dev, unsigned int q, uint16_t head,
			 uint32_t written);

/** Push without looking at the interrupt; virtio_dev_signal() follows. */
void virtio_dev_push(struct virtio_dev *dev, unsigned int q, uint16_t head,
		     uint32_t written);
void virtio_dev_signal(struct virtio_dev *dev, unsigned int q);

/** The configuration structure changed: tell the driver. */
void virtio_dev_config_changed(struct virtio_dev *dev);

/**
 * The driver broke the protocol (text in the error record): log within the
 * budget, set NEEDS_RESET, interrupt, be quiet until reset.
 */
void virtio_dev_break(struct virtio_dev *dev);

/** The most that was seen of the rings of its queues. */
enum virtq_reach virtio_dev_reach(const struct virtio_dev *dev);

/** Reset and free. NULL is a no-op. */
void virtio_dev_free(struct virtio_dev *dev);
