/*
 * virtio-vsock (virtio 1.2, section 5.10), stream sockets only.
 *
 * The host's end of every connection is one end of a socketpair: the device
 * holds it non-blocking on the VM's loop, the application holds the other.
 * Nothing of it is visible outside of the process: no AF_VSOCK, no CID space
 * of the host, no path.
 *
 * Memory: what an application does not take is kept up to VSOCK_BUF_ALLOC per
 * connection, which the guest may use up and not exceed; what the guest does
 * not take stays in the application's socket.
 *
 * Thread rule: every call with the machine's lock held; callbacks are called
 * with it held, and may call back into this file.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/loop.h"
#include "gmem/gmem.h"
#include "virtio/device.h"

#define VSOCK_BUF_ALLOC    (256U * 1024) /* bytes, announced per connection */
#define VSOCK_MAX_BUFFERED (64U << 20)   /* bytes, all connections together */
/* Each holds a descriptor. The jail leaves a VMM 4096 of them: a quarter is
 * for everything else, and the last connections are for the host to make. */
#define VSOCK_MAX_CONNS     3072
#define VSOCK_HOST_CONNS    64
#define VSOCK_MAX_LISTENERS 64
#define VSOCK_CID_HOST      2
/* Host ports of virtio_vsock_connect() start here. */
#define VSOCK_EPHEMERAL_PORT 0x40000000U

struct virtio_vsock_config {
	const struct gmem *gm; /* borrowed */
	struct loop *loop;     /* borrowed */
	uint64_t guest_cid;
};

/**
 * How a connection attempt ended, called exactly once: 0, AVF_ERR_REFUSED,
 * or AVF_ERR_CLOSED when the device was reset or freed or the application
 * closed its end.
 */
typedef void vsock_connected_fn(void *userdata, int rc);

/**
 * A guest connected to a port that is listened to. Takes @fd, the
 * application's end. Negative: the guest is refused.
 */
typedef int vsock_accept_fn(void *userdata, uint32_t guest_port, int fd);

/**
 * A vsock device. Errors: AVF_ERR_INVALID for a CID that a guest cannot have,
 * AVF_ERR_NO_MEMORY, AVF_ERR_IO.
 */
int virtio_vsock_new(const struct virtio_vsock_config *config,
		     struct virtio_dev **ret_dev) MUST_CHECK;

/**
 * Connect to @port of the guest, with @fd as the host's end. Takes @fd, also
 * on failure. Waits for the driver as long as it takes; close the other end
 * to give up. @done is not called when this fails.
 * Errors: AVF_ERR_LIMIT, AVF_ERR_NO_MEMORY, AVF_ERR_IO, AVF_ERR_CLOSED while
 * the device is being freed.
 */
int virtio_vsock_connect(struct virtio_dev *dev, uint32_t port, int fd,
			 vsock_connected_fn *done, void *userdata) MUST_CHECK;

/**
 * Accept connections of the guest to @port of the host.
 * Errors: AVF_ERR_BUSY when taken, AVF_ERR_LIMIT.
 */
int virtio_vsock_listen(struct virtio_dev *dev, uint32_t port,
			vsock_accept_fn *accept, void *userdata) MUST_CHECK;

/** Refuse new connections to @port; those that exist go on. */
void virtio_vsock_unlisten(struct virtio_dev *dev, uint32_t port);
