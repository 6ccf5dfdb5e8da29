/*
 * A guest driver's side of one split virtqueue, for tests. It does what it is
 * told: honest chains with fake_driver_add(), hostile ones by setting
 * descriptors and indices one by one.
 *
 * It aborts when asked to write outside guest memory: a defect of the test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "virtio/queue.h"

#define FAKE_NEXT     1
#define FAKE_WRITE    2
#define FAKE_INDIRECT 4

struct fake_driver {
	const struct gmem *gm; /* borrowed */
	gpa_t desc, avail, used;
	uint16_t size;
	uint16_t next_desc; /* where the next chain is laid out, wraps */
	uint16_t avail_idx;
	uint16_t used_seen;
};

struct fake_desc {
	gpa_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/** Lay out empty rings of @size entries at @base; returns the end of them. */
gpa_t fake_driver_init(struct fake_driver *drv, const struct gmem *gm,
		       gpa_t base, uint16_t size);

/** Tell @vq where the rings are, as a transport would. */
void fake_driver_place(const struct fake_driver *drv, struct virtq *vq);

/** Write descriptor @i of the queue's table. */
void fake_driver_desc(const struct fake_driver *drv, uint16_t i,
		      struct fake_desc d);

/** Write entry @i of an indirect table at @table. */
void fake_driver_indirect(const struct fake_driver *drv, gpa_t table,
			  uint16_t i, struct fake_desc d);

/** Make @head available. */
void fake_driver_publish(struct fake_driver *drv, uint16_t head);

/**
 * Lay out the @n buffers as one chain and make it available; flags besides
 * FAKE_WRITE and next are filled in. Returns its head.
 */
uint16_t fake_driver_add(struct fake_driver *drv, const struct fake_desc *bufs,
			 unsigned int n);

/** Take the next entry of the used ring. False when there is none. */
bool fake_driver_used(struct fake_driver *drv, uint32_t *ret_head,
		      uint32_t *ret_written);

/** Lie about the available index. */
void fake_driver_set_avail_idx(struct fake_driver *drv, uint16_t idx);

/* The words by which both sides ask for silence. */
void fake_driver_set_avail_flags(const struct fake_driver *drv, uint16_t f);
void fake_driver_set_used_event(const struct fake_driver *drv, uint16_t idx);
uint16_t fake_driver_used_flags(const struct fake_driver *drv);
uint16_t fake_driver_avail_event(const struct fake_driver *drv);
