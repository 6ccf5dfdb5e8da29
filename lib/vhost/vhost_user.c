/* The connection: one message at a time, acted on, answered. */
#include "vhost/vhost_user.h"

#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "vhost/vhost_internal.h"

static int get_features(struct vhost_user *vhost, struct vhost_msg *msg)
{
	msg->payload.u64 = vhost->dev->features_offered | VHOST_F_PROTOCOL;
	return sizeof(uint64_t);
}

static int set_features(struct vhost_user *vhost, struct vhost_msg *msg)
{
	uint64_t features = msg->payload.u64;

	if (features & ~(vhost->dev->features_offered | VHOST_F_PROTOCOL))
		return fail(AVF_ERR_PROTOCOL,
			    "vhost-user: features that were not offered");
	/* bit 30 belongs to the connection, the device never sees it */
	vhost->features = features & ~VHOST_F_PROTOCOL;
	/* without the extension there is no SET_VRING_ENABLE */
	if (features & VHOST_F_PROTOCOL)
		return 0;
	for (unsigned int q = 0; q < vhost->dev->n_queues; q++) {
		int rc = vhost_ring_enable(vhost, q, true);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int get_protocol_features(struct vhost_user *vhost,
				 struct vhost_msg *msg)
{
	(void)vhost;
	msg->payload.u64 = VHOST_PROTOCOL_OFFERED;
	return sizeof(uint64_t);
}

static int set_protocol_features(struct vhost_user *vhost,
				 struct vhost_msg *msg)
{
	if (msg->payload.u64 & ~VHOST_PROTOCOL_OFFERED)
		return fail(AVF_ERR_PROTOCOL,
			    "vhost-user: extensions that were not offered");
	vhost->reply_ack = msg->payload.u64 & VHOST_PROTOCOL_REPLY_ACK;
	return 0;
}

/* There is one owner: who holds the socket. */
static int nothing(struct vhost_user *vhost, struct vhost_msg *msg)
{
	(void)vhost;
	(void)msg;
	return 0;
}

/* Long deprecated; some front-ends still mean "reset" by it. */
static int reset_owner(struct vhost_user *vhost, struct vhost_msg *msg)
{
	(void)msg;
	vhost_rings_stop(vhost);
	virtio_dev_reset(vhost->dev);
	vhost->was_active = false;
	return 0;
}

/* Models keep no address of guest memory, so running rings do not mind. */
static int set_mem_table(struct vhost_user *vhost, struct vhost_msg *msg)
{
	return vhost_memory_set(&vhost->memory, msg);
}

static int get_queue_num(struct vhost_user *vhost, struct vhost_msg *msg)
{
	msg->payload.u64 = vhost->dev->n_queues;
	return sizeof(uint64_t);
}

static bool in_config(const struct vhost_user *vhost,
		      const struct vhost_msg *msg)
{
	const struct vhost_config_space *c = &msg->payload.config;
	uint32_t config_size = vhost->dev->ops->config_size;

	return c->size <= VHOST_MAX_CONFIG && c->offset <= config_size &&
	       c->size <= config_size - c->offset;
}

/* A size of 0 in the answer is the protocol's word for failure. */
static int get_config(struct vhost_user *vhost, struct vhost_msg *msg)
{
	struct vhost_config_space *c = &msg->payload.config;
	const int head = offsetof(struct vhost_config_space, data);

	if (!in_config(vhost, msg)) {
		c->size = 0;
		return head;
	}
	vhost->dev->ops->config_read(vhost->dev, c->offset, c->data, c->size);
	return head + (int)c->size;
}

static int set_config(struct vhost_user *vhost, struct vhost_msg *msg)
{
	const struct vhost_config_space *c = &msg->payload.config;
	const struct virtio_dev_ops *ops = vhost->dev->ops;

	if (!in_config(vhost, msg) ||
	    msg->header.size <
		    offsetof(struct vhost_config_space, data) + c->size)
		return fail(AVF_ERR_PROTOCOL,
			    "vhost-user: write outside of the configuration");
	if (ops->config_write)
		ops->config_write(vhost->dev, c->offset, c->data, c->size);
	return 0;
}

/*
 * Returns the size of the answer that is now in the message, 0 when the
 * request has none of its own.
 */
typedef int action_fn(struct vhost_user *vhost, struct vhost_msg *msg);

static action_fn *const actions[VHOST_REQUEST_END] = {
	[VHOST_GET_FEATURES] = get_features,
	[VHOST_SET_FEATURES] = set_features,
	[VHOST_SET_OWNER] = nothing,
	[VHOST_RESET_OWNER] = reset_owner,
	[VHOST_SET_MEM_TABLE] = set_mem_table,
	[VHOST_SET_VRING_NUM] = vhost_ring_set_num,
	[VHOST_SET_VRING_ADDR] = vhost_ring_set_addr,
	[VHOST_SET_VRING_BASE] = vhost_ring_set_base,
	[VHOST_GET_VRING_BASE] = vhost_ring_get_base,
	[VHOST_SET_VRING_KICK] = vhost_ring_set_kick,
	[VHOST_SET_VRING_CALL] = vhost_ring_set_call,
	[VHOST_SET_VRING_ERR] = vhost_ring_set_err,
	[VHOST_GET_PROTOCOL_FEATURES] = get_protocol_features,
	[VHOST_SET_PROTOCOL_FEATURES] = set_protocol_features,
	[VHOST_GET_QUEUE_NUM] = get_queue_num,
	[VHOST_SET_VRING_ENABLE] = vhost_ring_set_enable,
	[VHOST_GET_CONFIG] = get_config,
	[VHOST_SET_CONFIG] = set_config,
};

static int act(struct vhost_user *vhost, struct vhost_msg *msg)
{
	const struct vhost_header asked = msg->header;
	const uint64_t done = 0;
	int rc = actions[asked.request](vhost, msg);

	if (rc < 0)
		return rc;
	if (rc > 0)
		return vhost_msg_reply(vhost->fd, asked.request, &msg->payload,
				       (uint32_t)rc);
	if (vhost->reply_ack && asked.flags & VHOST_FLAG_NEED_REPLY)
		return vhost_msg_reply(vhost->fd, asked.request, &done,
				       sizeof(done));
	return 0;
}

static void hang_up(struct vhost_user *vhost)
{
	if (vhost->fd < 0)
		return;
	loop_remove(vhost->loop, &vhost->source);
	close_p(&vhost->fd);
	/* rings first: a model that is reset completes nothing any more */
	vhost_rings_fini(vhost);
	virtio_dev_reset(vhost->dev);
	vhost_msg_fini(&vhost->msg);
}

void vhost_user_break(struct vhost_user *vhost)
{
	log_write(vhost->log,
		  error_record()->code == AVF_ERR_CLOSED ? LOG_LEVEL_DEBUG
							 : LOG_LEVEL_WARN,
		  "vhost-user: connection ends: %s", error_record()->text);
	hang_up(vhost);
	if (vhost->gone)
		vhost->gone(vhost->userdata); /* may free us */
}

/* One message per turn, so that a chatty peer is not the only one served. */
static void socket_ready(struct loop_source *source, uint32_t events)
{
	struct vhost_user *vhost =
		container_of(source, struct vhost_user, source);
	int rc;

	(void)events;
	rc = vhost_msg_read(&vhost->msg, vhost->fd);
	if (rc > 0) {
		rc = act(vhost, &vhost->msg);
		vhost_msg_fini(&vhost->msg);
	}
	if (rc < 0)
		vhost_user_break(vhost);
}

int vhost_user_new(const struct vhost_user_config *config, int fd,
		   struct vhost_user **ret_vhost)
{
	CLEANUP(close_p) int owned = fd;
	CLEANUP(free_p) struct vhost_user *vhost = NULL;
	int rc;

	vhost = calloc(1, sizeof(*vhost));
	if (!vhost)
		return fail(AVF_ERR_NO_MEMORY, "vhost-user");
	vhost->dev = config->dev;
	vhost->loop = config->loop;
	vhost->log = config->log;
	vhost->gone = config->gone;
	vhost->userdata = config->userdata;
	vhost->memory.gm = config->gm;
	vhost_rings_init(vhost);
	rc = loop_add(vhost->loop, &vhost->source, owned, EPOLLIN,
		      socket_ready);
	if (rc < 0)
		return rc;
	vhost->fd = take_fd(&owned);
	virtio_dev_attach(vhost->dev, &vhost_transport_ops, vhost, vhost->log);
	*ret_vhost = TAKE_PTR(vhost);
	return 0;
}

void vhost_user_free(struct vhost_user *vhost)
{
	if (!vhost)
		return;
	hang_up(vhost);
	virtio_dev_attach(vhost->dev, NULL, NULL, NULL);
	free(vhost);
}
