/*
 * vhost-user messages: their layout, and reading and answering them. What
 * they mean is in vhost_user.c.
 *
 * The peer is hostile: a message that comes out of vhost_msg_read() is of a
 * known kind, of the right length, with the right number of fds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_RESET_OWNER = 4,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_SET_VRING_ERR = 14,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_GET_CONFIG = 24,
	VHOST_SET_CONFIG = 25,
	VHOST_REQUEST_END
};

#define VHOST_FLAG_VERSION    1U
#define VHOST_VERSION_MASK    3U
#define VHOST_FLAG_REPLY      4U
#define VHOST_FLAG_NEED_REPLY 8U

#define VHOST_MAX_REGIONS 8
#define VHOST_MAX_CONFIG  256 /* bytes */

/* Of the u64 of SET_VRING_KICK, CALL and ERR. */
#define VHOST_FD_INDEX_MASK 0xffU
#define VHOST_FD_NONE       0x100U

struct vhost_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* bytes of payload */
};

struct vhost_ring_state {
	uint32_t index;
	uint32_t num;
};

struct vhost_ring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc, used, avail; /* addresses in the peer */
	uint64_t log;
};

struct vhost_region {
	uint64_t gpa;
	uint64_t size;   /* bytes */
	uint64_t user;   /* address in the peer */
	uint64_t offset; /* of the region in its file, bytes */
};

struct vhost_mem_table {
	uint32_t n_regions;
	uint32_t padding;
	struct vhost_region regions[VHOST_MAX_REGIONS];
};

struct vhost_config_space {
	uint32_t offset;
	uint32_t size; /* bytes of @data in use */
	uint32_t flags;
	uint8_t data[VHOST_MAX_CONFIG];
};

/* The host's byte order: both ends are on one machine. */
union vhost_payload {
	uint64_t u64;
	struct vhost_ring_state state;
	struct vhost_ring_addr addr;
	struct vhost_mem_table table;
	struct vhost_config_space config;
};
_Static_assert(sizeof(struct vhost_header) == 12, "vhost-user header");
_Static_assert(sizeof(struct vhost_ring_addr) == 40, "vhost-user ring address");
_Static_assert(sizeof(struct vhost_region) == 32, "vhost-user region");
_Static_assert(offsetof(struct vhost_config_space, data) == 12,
	       "vhost-user configuration");

/* One message, perhaps still arriving. */
struct vhost_msg {
	struct vhost_header header;
	union vhost_payload payload; /* header.size bytes of it */
	int fds[VHOST_MAX_REGIONS];  /* owned */
	unsigned int n_fds;
	size_t have; /* bytes so far, header included */
};

void vhost_msg_init(struct vhost_msg *msg);

/** Close the fds that nobody took. The message is empty afterwards. */
void vhost_msg_fini(struct vhost_msg *msg);

/**
 * Go on reading @msg from the non-blocking socket @fd.
 * Returns 1 when it is complete, 0 when more is to come.
 * Errors: AVF_ERR_CLOSED, AVF_ERR_IO, AVF_ERR_PROTOCOL.
 */
int vhost_msg_read(struct vhost_msg *msg, int fd) MUST_CHECK;

/**
 * Answer a message of kind @request. Never blocks: a peer that does not read
 * its answers is AVF_ERR_IO.
 */
int vhost_msg_reply(int fd, uint32_t request, const void *payload,
		    uint32_t size) MUST_CHECK;
