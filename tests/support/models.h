/*
 * Every virtio model that a machine has, for tests that are about all of
 * them. Abort on a defect of the test.
 */
#pragma once

#include "base/loop.h"
#include "virtio/device.h"

#define MODELS_CID     42
#define MODELS_SECTORS 8

/** A writable disk of MODELS_SECTORS sectors of zeros. */
struct virtio_dev *model_blk(const struct gmem *gm, struct loop *loop);

/** A console of one port; *@ret_host is the host's end, non-blocking. */
struct virtio_dev *model_console(const struct gmem *gm, struct loop *loop,
				 int *ret_host);
struct virtio_dev *model_rng(const struct gmem *gm);

/** Of guest MODELS_CID; nobody listens. */
struct virtio_dev *model_vsock(const struct gmem *gm, struct loop *loop);
