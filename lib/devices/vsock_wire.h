/* What travels on the queues: virtio 1.2, section 5.10.6. */
#pragma once

#include "base/byteorder.h"

enum vsock_op {
	VSOCK_OP_REQUEST = 1,
	VSOCK_OP_RESPONSE = 2,
	VSOCK_OP_RST = 3,
	VSOCK_OP_SHUTDOWN = 4,
	VSOCK_OP_RW = 5,
	VSOCK_OP_CREDIT_UPDATE = 6,
	VSOCK_OP_CREDIT_REQUEST = 7,
};

#define VSOCK_TYPE_STREAM 1

/* Flags of VSOCK_OP_SHUTDOWN: what its sender will not do any more. */
#define VSOCK_NO_RECEIVE 1U
#define VSOCK_NO_SEND    2U
#define VSOCK_NO_MORE    (VSOCK_NO_RECEIVE | VSOCK_NO_SEND)

struct vsock_hdr {
	le64 src_cid;
	le64 dst_cid;
	le32 src_port;
	le32 dst_port;
	le32 len; /* bytes of data after the header */
	le16 type;
	le16 op;
	le32 flags;
	le32 buf_alloc; /* bytes, the sender's receive buffer */
	le32 fwd_cnt;   /* bytes, received and passed on, wraps */
};
_Static_assert(sizeof(struct vsock_hdr) == 44, "vsock header layout");
