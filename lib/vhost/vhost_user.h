/*
 * vhost-user, the backend's side: a device model of ours served to a VMM that
 * is not, which owns the guest's memory and the virtio transport.
 *
 * The peer tells where memory and rings are, kicks by an eventfd and is
 * interrupted by another. Rings start one by one; the device is active as
 * soon as one runs, and stays quiet about those that do not: a VMM may keep
 * some for itself, as QEMU does with vsock's event queue.
 *
 * There is no message for a reset of the device. Rings that start again from
 * index 0 belong to a new driver, and the device is reset then; rings that
 * go on where they were stopped are a VM that was paused.
 *
 * Thread rule: on the loop, or with its lock held.
 */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "gmem/gmem.h"
#include "virtio/device.h"

struct vhost_user;

/** The connection is over, the device is reset. May call vhost_user_free(). */
typedef void vhost_gone_fn(void *userdata);

struct vhost_user_config {
	struct virtio_dev *dev; /* borrowed; its queues are over @gm */
	struct gmem *gm;        /* borrowed; empty, filled by the peer */
	struct loop *loop;      /* borrowed */
	const struct log *log;  /* borrowed, may be NULL */
	vhost_gone_fn *gone;    /* may be NULL */
	void *userdata;         /* borrowed */
};

/**
 * Serve a device over the connected stream socket @fd. Takes @fd, also on
 * failure. Errors: AVF_ERR_NO_MEMORY, AVF_ERR_IO.
 */
int vhost_user_new(const struct vhost_user_config *config, int fd,
		   struct vhost_user **ret_vhost) MUST_CHECK;

/** End it and reset the device. NULL is a no-op. */
void vhost_user_free(struct vhost_user *vhost);
