/*
 * A virtio model between a fake transport and fake drivers, one per queue,
 * for tests of device models. Guest memory is FIXTURE_MEMORY bytes at 0;
 * rings lie at its start, buffers are handed out behind them.
 *
 * Single-threaded. Aborts on a defect of the test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "support/fake_driver.h"
#include "virtio/device.h"

#define FIXTURE_MEMORY (8U << 20)
#define FIXTURE_RING   64 /* entries of each queue */

struct virtio_fixture {
	struct gmem gm;
	struct loop loop;
	struct virtio_dev *dev; /* owned */
	struct fake_driver queues[VIRTIO_MAX_QUEUES];
	unsigned int interrupts[VIRTIO_MAX_QUEUES];
	unsigned int config_interrupts;
	gpa_t next; /* first free byte of guest memory */
};

/** Guest memory and a loop, for the model's constructor. */
void virtio_fixture_init(struct virtio_fixture *f);

/** Carry @dev (takes it). */
void virtio_fixture_attach(struct virtio_fixture *f, struct virtio_dev *dev);

/** Fresh rings for every queue, then DRIVER_OK with @features. */
void virtio_fixture_start(struct virtio_fixture *f, uint64_t features);

/** Free the model and everything else. */
void virtio_fixture_fini(struct virtio_fixture *f);

/** @size bytes of zeroed guest memory, 16-byte aligned. */
gpa_t virtio_fixture_alloc(struct virtio_fixture *f, uint32_t size);
char *virtio_fixture_host(struct virtio_fixture *f, gpa_t gpa);

/** Guest memory with a copy of @data. */
gpa_t virtio_fixture_put(struct virtio_fixture *f, const void *data,
			 uint32_t size);

/** Make the chain available on queue @q and kick. Returns its head. */
uint16_t virtio_fixture_send(struct virtio_fixture *f, unsigned int q,
			     const struct fake_desc *bufs, unsigned int n);

/**
 * Run the loop until queue @q has a used entry; false when that does not
 * happen soon. @ret_written is the entry's length.
 */
bool virtio_fixture_wait(struct virtio_fixture *f, unsigned int q,
			 uint32_t *ret_written);

/** Dispatch what is ready now, a few rounds. */
void virtio_fixture_settle(struct virtio_fixture *f);
