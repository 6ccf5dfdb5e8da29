/*
 * Split virtqueues (virtio 1.2, section 2.7), the device's side.
 *
 * This is the only code that walks a ring. It guarantees, whatever the guest
 * writes: every descriptor is copied once and then checked, every buffer is
 * inside guest memory, a chain has at most VIRTQ_MAX_PARTS parts, no buffer
 * of zero length is handed out, readable parts come before writable ones,
 * the walk ends. What a device must still check: that the lengths make sense
 * for its requests.
 *
 * A violation is AVF_ERR_PROTOCOL: the caller passes it up, and the virtio
 * layer puts the device into DEVICE_NEEDS_RESET.
 *
 * Thread rule: one thread at a time owns a queue (the machine's lock).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/error.h"
#include "gmem/gmem.h"

#define VIRTQ_MAX_SIZE  1024 /* largest max_size a device may ask for */
#define VIRTQ_MAX_PARTS 256  /* most parts of one chain, indirect included */

/* What was seen of rings so far; later ones count more. */
enum virtq_reach {
	VIRTQ_REACH_UNKNOWN, /* nobody looked */
	VIRTQ_REACH_REFUSED, /* the guest keeps them to itself */
	VIRTQ_REACH_GOOD,    /* they were read */
};

struct virtq {
	const struct gmem *gm; /* borrowed */
	/* Set up by the transport before virtq_start(). */
	uint16_t max_size; /* entries; what the device offers */
	uint16_t size;     /* entries; what the driver chose */
	gpa_t desc, avail, used;
	/* Features that matter to the ring. */
	bool event_idx;
	bool indirect;
	/* Progress; private to queue.c. */
	bool started;
	uint16_t next_avail;
	uint16_t next_used;
	uint16_t signalled_used; /* next_used at the last interrupt */
	bool signalled_valid;
	uint32_t in_flight;     /* popped and not pushed */
	enum virtq_reach reach; /* of all rings since virtq_init() */
};

/* One request: parts in the order of the chain, readable ones first. */
struct virtq_chain {
	uint16_t head;
	unsigned int n_readable;
	unsigned int n_writable;
	uint64_t readable_bytes;
	uint64_t writable_bytes;
	struct iovec parts[VIRTQ_MAX_PARTS]; /* readable, then writable */
};

/** The writable parts of @c. */
static inline struct iovec *virtq_writable(struct virtq_chain *c)
{
	return c->parts + c->n_readable;
}

/** Empty queue over @gm (borrowed) that offers up to @max_size entries. */
void virtq_init(struct virtq *vq, const struct gmem *gm, uint16_t max_size);

/**
 * Begin processing with the size, addresses and features that are set.
 * @base: index of the next available entry, 0 but for vhost-user.
 * Errors: AVF_ERR_PROTOCOL for a size that is 0, above max_size or no power
 * of two, a misaligned ring, a ring outside of guest memory.
 */
int virtq_start(struct virtq *vq, uint16_t base) MUST_CHECK;

/** Stop processing and forget all progress, size and addresses; @reach stays.
 */
void virtq_reset(struct virtq *vq);

/**
 * Take the next request off the ring.
 * Returns 1 with *@ret_chain filled, or 0 when the ring is empty or the
 * queue is not started. Errors: AVF_ERR_PROTOCOL (the guest broke the ring).
 */
int virtq_pop(struct virtq *vq, struct virtq_chain *ret_chain) MUST_CHECK;

/** Give back the last popped request unused: it is popped again next. */
void virtq_unpop(struct virtq *vq);

/**
 * Return a request to the driver, @written bytes into its writable parts.
 * Errors: AVF_ERR_PROTOCOL when the used ring cannot be written.
 */
int virtq_push(struct virtq *vq, uint16_t head, uint32_t written) MUST_CHECK;

/**
 * Whether the driver wants an interrupt for what was pushed since the last
 * call. An unreadable ring says no.
 */
bool virtq_wants_interrupt(struct virtq *vq);

/**
 * Ask for (or save the driver) kicks. After enabling, the ring must be looked
 * at once more: returns true when requests are waiting. */
bool virtq_enable_kicks(struct virtq *vq);
void virtq_disable_kicks(struct virtq *vq);

/** Whether requests are waiting. */
bool virtq_has_work(const struct virtq *vq);

/**
 * Copy from or to a list of parts, starting @offset bytes into it. Returns
 * the number of bytes copied, less than @size when the list ends before, or
 * the guest keeps memory in it to itself.
 */
size_t iov_read(const struct iovec *parts, unsigned int n, uint64_t offset,
		void *data, size_t size);
size_t iov_write(const struct iovec *parts, unsigned int n, uint64_t offset,
		 const void *data, size_t size);

/**
 * The sub-list of @parts that covers [@offset, @offset + @size), cut at the
 * end of the list, into @ret_parts (room for @n). Returns its length.
 */
unsigned int iov_slice(const struct iovec *parts, unsigned int n,
		       uint64_t offset, uint64_t size, struct iovec *ret_parts);
