/* The guest memory that the peer of a vhost-user connection shares. */
#pragma once

#include "base/error.h"
#include "gmem/gmem.h"
#include "vhost/vhost_msg.h"

/* Where the peer sees the regions: rings are given by its addresses. */
struct vhost_memory {
	struct gmem *gm; /* borrowed; its content is ours */
	unsigned int n_regions;
	struct vhost_region regions[VHOST_MAX_REGIONS];
};

/**
 * Replace the memory by what @msg (SET_MEM_TABLE) shares; the old one stays
 * when this fails. The files must be sealed against shrinking, or an access
 * later could end in SIGBUS. The fds stay with @msg.
 * Errors: AVF_ERR_PROTOCOL, AVF_ERR_INVALID, AVF_ERR_IO, AVF_ERR_NO_MEMORY.
 */
int vhost_memory_set(struct vhost_memory *mem,
		     const struct vhost_msg *msg) MUST_CHECK;

/** Guest address of the peer's @user. Errors: AVF_ERR_PROTOCOL. */
int vhost_memory_gpa(const struct vhost_memory *mem, uint64_t user,
		     gpa_t *ret_gpa) MUST_CHECK;
