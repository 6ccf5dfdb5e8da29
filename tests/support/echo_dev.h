/*
 * A virtio device for tests of transports: it completes every request with
 * the number of bytes that it could read, and counts what it is told.
 */
#pragma once

#include "virtio/device.h"

#define ECHO_CONFIG_SIZE 12
#define ECHO_FEATURE     (1ULL << 3)
#define ECHO_QUEUE_SIZE  64

struct echo_dev {
	struct virtio_dev dev;
	struct virtq_chain chain;
	uint8_t config[ECHO_CONFIG_SIZE];
	int n_activate, n_reset, n_ready, n_requests;
	int *n_free;       /* borrowed, or NULL */
	int fail_activate; /* an error code */
	bool hold;         /* keep requests in flight */
};

/** Heap object with @n_queues; the transport frees it. */
struct echo_dev *echo_dev_new(const struct gmem *gm, unsigned int n_queues);
