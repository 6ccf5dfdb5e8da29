/*
 * Inside the vhost-user backend.
 *
 *   vhost_msg.c     messages as bytes
 *   vhost_memory.c  the memory that the peer shares
 *   vhost_ring.c    the rings: set-up, start, kick, interrupt
 *   vhost_user.c    the connection, everything else
 */
#pragma once

#include <stdbool.h>

#include "base/checked.h"
#include "vhost/vhost_memory.h"
#include "vhost/vhost_msg.h"
#include "vhost/vhost_user.h"

#define VHOST_F_PROTOCOL BIT64(30)

#define VHOST_PROTOCOL_REPLY_ACK BIT64(3)
#define VHOST_PROTOCOL_CONFIG    BIT64(9)
#define VHOST_PROTOCOL_OFFERED \
	(VHOST_PROTOCOL_REPLY_ACK | VHOST_PROTOCOL_CONFIG)

struct vhost_ring {
	struct vhost_user *vhost; /* borrowed */
	uint32_t num;             /* entries */
	uint16_t base;
	bool placed; /* the addresses are known */
	bool enabled;
	gpa_t desc, avail, used;
	int kick_fd; /* owned */
	int call_fd; /* owned */
	struct loop_source kick;
};

struct vhost_user {
	struct virtio_dev *dev; /* borrowed */
	struct loop *loop;      /* borrowed */
	const struct log *log;  /* borrowed */
	vhost_gone_fn *gone;
	void *userdata; /* borrowed */
	int fd;         /* owned; -1 after the end */
	struct loop_source source;
	struct vhost_msg msg; /* the one that arrives */
	struct vhost_memory memory;
	uint64_t features; /* accepted by the driver */
	bool reply_ack;
	bool was_active; /* the model may hold state of an earlier driver */
	struct vhost_ring rings[VIRTIO_MAX_QUEUES];
};

/** The peer broke the protocol, or is gone. May free @vhost. */
void vhost_user_break(struct vhost_user *vhost);

/* vhost_ring.c */
extern const struct virtio_transport_ops vhost_transport_ops;

void vhost_rings_init(struct vhost_user *vhost);
/** Stop all; what they were told is kept. */
void vhost_rings_stop(struct vhost_user *vhost);
void vhost_rings_fini(struct vhost_user *vhost);
int vhost_ring_enable(struct vhost_user *vhost, unsigned int q,
		      bool on) MUST_CHECK;

/* One per message; as the actions in vhost_user.c. */
int vhost_ring_set_num(struct vhost_user *vhost, struct vhost_msg *msg);
int vhost_ring_set_addr(struct vhost_user *vhost, struct vhost_msg *msg);
int vhost_ring_set_base(struct vhost_user *vhost, struct vhost_msg *msg);
int vhost_ring_get_base(struct vhost_user *vhost, struct vhost_msg *msg);
int vhost_ring_set_kick(struct vhost_user *vhost, struct vhost_msg *msg);
int vhost_ring_set_call(struct vhost_user *vhost, struct vhost_msg *msg);
int vhost_ring_set_err(struct vhost_user *vhost, struct vhost_msg *msg);
int vhost_ring_set_enable(struct vhost_user *vhost, struct vhost_msg *msg);
