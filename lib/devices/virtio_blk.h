/* virtio-blk (virtio 1.2, section 5.2) over a disk. */
#pragma once

#include "base/error.h"
#include "devices/disk.h"
#include "gmem/gmem.h"
#include "virtio/device.h"

#define VIRTIO_BLK_QUEUE_SIZE 256
#define VIRTIO_BLK_ID_SIZE    20 /* bytes, no terminator */
/*
 * What one request may move: the driver is told the parts and their size, so
 * one that keeps to them never meets the limit. It bounds how long a reset
 * waits for the worker.
 */
#define VIRTIO_BLK_SEG_MAX     254U
#define VIRTIO_BLK_SIZE_MAX    65536U /* bytes */
#define VIRTIO_BLK_MAX_REQUEST (VIRTIO_BLK_SEG_MAX * VIRTIO_BLK_SIZE_MAX)

/**
 * Create a block device over @disk (takes it, also on failure). @id is what
 * the guest reads as serial number; copied and cut to 20 bytes. @gm is
 * borrowed.
 */
int virtio_blk_new(const struct gmem *gm, struct disk *disk, const char *id,
		   struct virtio_dev **ret_dev) MUST_CHECK;
