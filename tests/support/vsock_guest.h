/*
 * A guest's vsock driver for tests: sends what it is told, true or not, and
 * hands out what it gets, in order. Everything runs on the caller's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "devices/vsock_wire.h"
#include "support/fake_driver.h"
#include "virtio/device.h"

#define VSOCK_GUEST_CID     42
#define VSOCK_GUEST_BUFFERS 256   /* for packets to the guest */
#define VSOCK_GUEST_BUFFER  4096  /* bytes each, header included */
#define VSOCK_GUEST_MAX     65536 /* bytes of data in a packet of ours */

/* A header in the host's byte order, seen from the guest. */
struct vsock_packet {
	uint64_t src_cid, dst_cid;
	uint32_t guest_port, host_port;
	uint32_t len;
	uint16_t type, op;
	uint32_t flags, buf_alloc, fwd_cnt;
};

struct vsock_guest {
	struct gmem gm;
	struct loop loop;
	struct virtio_dev *dev; /* owned */
	struct fake_driver rx, tx;
	unsigned int interrupts;    /* of the rx queue */
	unsigned int tx_interrupts; /* of the tx queue */
	bool broken; /* a change of configuration was signalled */
};

/** Device and driver; @buffers of them are given to the device. */
void vsock_guest_init(struct vsock_guest *guest, unsigned int buffers);
void vsock_guest_fini(struct vsock_guest *guest);

/** Rings and features of a driver that has just started. */
void vsock_guest_start(struct vsock_guest *guest, unsigned int buffers);

/** Give the device @n more buffers of the usual size. */
void vsock_guest_refill(struct vsock_guest *guest, unsigned int n);

/** An honest packet of @op between the two ports, with 1 MiB of credit. */
struct vsock_packet vsock_guest_packet(uint16_t op, uint32_t guest_port,
				       uint32_t host_port);

/** Send the header of @p as it is, and @size bytes of data after it. */
void vsock_guest_send(struct vsock_guest *guest, const struct vsock_packet *p,
		      const void *data, uint32_t size);

/** Send @size raw bytes as one chain of parts of @part bytes each. */
void vsock_guest_send_raw(struct vsock_guest *guest, const void *bytes,
			  uint32_t size, uint32_t part);

/**
 * Take the next packet and its data (@data has room for a buffer, or is
 * NULL), and give the buffer back. False: there is none.
 */
bool vsock_guest_receive(struct vsock_guest *guest, struct vsock_packet *ret_p,
			 void *data);

/** Turn the loop until nothing happens any more. */
void vsock_guest_settle(struct vsock_guest *guest);
