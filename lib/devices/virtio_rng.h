/* The entropy device (virtio 1.2, 5.4), fed by the host kernel. */
#pragma once

#include "virtio/device.h"

#define VIRTIO_RNG_MAX_REQUEST 65536U /* bytes; a longer one is cut short */

/**
 * Create an entropy device over @gm (borrowed).
 * Errors: AVF_ERR_NO_MEMORY.
 */
int virtio_rng_new(const struct gmem *gm,
		   struct virtio_dev **ret_dev) MUST_CHECK;
