/*
 * virtio-console (virtio 1.2, section 5.3) with MULTIPORT: consoles and
 * named ports, each with a host descriptor or a callback behind it.
 *
 * Output that the host does not read stays in the guest's queue; input that
 * the guest has no buffers for stays in the host's descriptor. Nothing is
 * buffered here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/loop.h"
#include "gmem/gmem.h"
#include "virtio/device.h"

#define VIRTIO_CONSOLE_MAX_PORTS  4
#define VIRTIO_CONSOLE_NAME_MAX   31 /* bytes, without terminator */
#define VIRTIO_CONSOLE_QUEUE_SIZE 64

/* One port. @out_fd and @in_fd are two descriptors, also of one socket. */
struct virtio_console_port_config {
	const char *name; /* the guest's "name" attribute; copied */
	bool is_console;  /* hvc, else /dev/vport* */
	int out_fd;       /* taken; -1: no output */
	int in_fd;        /* taken; -1: no input */
	/**
	 * Instead of @out_fd: the guest sent @size bytes (cut as it pleases),
	 * valid during the call. On the loop; must not wait. NULL: @out_fd.
	 */
	void (*received)(void *userdata, const void *data, size_t size);
	void *userdata; /* borrowed */
};

/**
 * Create a console of @n ports; port 0 is what a driver without MULTIPORT
 * sees. Takes every descriptor in @ports, also on failure; @gm and @loop are
 * borrowed.
 * Errors: AVF_ERR_INVALID (no ports, too many, a name too long).
 */
int virtio_console_new(const struct gmem *gm, struct loop *loop,
		       const struct virtio_console_port_config *ports,
		       unsigned int n, struct virtio_dev **ret_dev) MUST_CHECK;
