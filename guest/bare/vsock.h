/* Packets of vsock (Virtual I/O Device 1.2, section 5.10.6). */
#pragma once

#include "virtio.h"

#define VSOCK_HOST_CID 2U
#define VSOCK_DATA     4096U /* bytes of one packet, as these guests do it */
#define VSOCK_STREAM   1U

enum { VSOCK_QUEUE_RX, VSOCK_QUEUE_TX, VSOCK_QUEUE_EVENT };

enum {
	VSOCK_REQUEST = 1,
	VSOCK_RESPONSE,
	VSOCK_RST,
	VSOCK_SHUTDOWN,
	VSOCK_RW,
	VSOCK_CREDIT_UPDATE,
	VSOCK_CREDIT_REQUEST,
};

#define VSOCK_NO_RECEIVE 1U
#define VSOCK_NO_SEND    2U

struct vsock_packet {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port, len;
	uint16_t type, op;
	uint32_t flags, buf_alloc, fwd_cnt;
	unsigned char data[VSOCK_DATA];
} __attribute__((packed));

#define VSOCK_HEADER_BYTES (sizeof(struct vsock_packet) - VSOCK_DATA)
_Static_assert(VSOCK_HEADER_BYTES == 44, "vsock header layout");

/** The header of a packet of @len bytes from port @from of the guest, which is
 * @cid, to port @to of the host. */
static inline void vsock_head(struct vsock_packet *p, uint64_t cid,
			      uint32_t from, uint32_t to, uint16_t op,
			      uint32_t len)
{
	p->src_cid = cid;
	p->dst_cid = VSOCK_HOST_CID;
	p->src_port = from;
	p->dst_port = to;
	p->len = len;
	p->type = VSOCK_STREAM;
	p->op = op;
	p->flags = 0;
	p->buf_alloc = VSOCK_DATA;
	p->fwd_cnt = 0;
}
