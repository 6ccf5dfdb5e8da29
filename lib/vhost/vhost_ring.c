/*
 * The rings of a vhost-user device.
 *
 * What the peer says about a ring is kept here and put into the device's
 * queue when the ring starts: when it has addresses, a kick fd and is
 * enabled, in whatever order they came. A ring that is stopped keeps its
 * set-up and remembers where it was.
 */
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "vhost/vhost_internal.h"

static struct virtq *queue_of(struct vhost_ring *ring)
{
	return &ring->vhost->dev->queues[ring - ring->vhost->rings];
}

static int find_ring(struct vhost_user *vhost, uint64_t index,
		     struct vhost_ring **ret_ring)
{
	if (index >= vhost->dev->n_queues)
		return fail(AVF_ERR_PROTOCOL, "vhost-user: ring %u",
			    (unsigned int)index);
	*ret_ring = &vhost->rings[index];
	return 0;
}

/* Set-up of a ring that runs would move it under the model's feet. */
static int find_stopped(struct vhost_user *vhost, uint64_t index,
			struct vhost_ring **ret_ring)
{
	int rc = find_ring(vhost, index, ret_ring);

	if (rc < 0)
		return rc;
	if (queue_of(*ret_ring)->started)
		return fail(AVF_ERR_PROTOCOL, "vhost-user: ring %u runs",
			    (unsigned int)index);
	return 0;
}

static void stop(struct vhost_ring *ring)
{
	struct virtio_dev *dev = ring->vhost->dev;
	struct virtq *vq = queue_of(ring);

	/* models give unused buffers back, so nothing is lost in between */
	if (vq->started)
		ring->base = vq->next_avail;
	virtq_reset(vq);
	loop_remove(ring->vhost->loop, &ring->kick);
	for (unsigned int q = 0; q < dev->n_queues; q++) {
		if (dev->queues[q].started)
			return;
	}
	dev->active = false; /* paused; connections and the like stay */
}

static void kicked(struct loop_source *source, uint32_t events)
{
	struct vhost_ring *ring = container_of(source, struct vhost_ring, kick);
	struct vhost_user *vhost = ring->vhost;
	uint64_t count;
	ssize_t n;

	(void)events;
	n = read(ring->kick_fd, &count, sizeof(count));
	if (n != sizeof(count) &&
	    (n >= 0 || (errno != EAGAIN && errno != EINTR))) {
		(void)fail(AVF_ERR_PROTOCOL, "vhost-user: broken kick");
		vhost_user_break(vhost);
		return;
	}
	virtio_dev_kick(vhost->dev, (unsigned int)(ring - vhost->rings));
}

/* Put what we were told into the queue; the others may run already. */
static int start_queue(struct vhost_ring *ring)
{
	struct vhost_user *vhost = ring->vhost;
	struct virtq *vq = queue_of(ring);

	if (ring->num > vq->max_size)
		return fail(AVF_ERR_PROTOCOL, "vhost-user: ring of %u entries",
			    ring->num);
	vq->size = (uint16_t)ring->num;
	vq->desc = ring->desc;
	vq->avail = ring->avail;
	vq->used = ring->used;
	/* activation does this for all, but a later ring was reset since */
	vq->event_idx = vhost->features & VIRTIO_F_EVENT_IDX;
	vq->indirect = vhost->features & VIRTIO_F_INDIRECT_DESC;
	return virtq_start(vq, ring->base);
}

/* Start it if nothing is missing any more. */
static int maybe_start(struct vhost_ring *ring)
{
	struct vhost_user *vhost = ring->vhost;
	int rc;

	if (queue_of(ring)->started || !ring->placed || !ring->enabled ||
	    ring->kick_fd < 0)
		return 0;
	if (!vhost->dev->active && vhost->was_active && ring->base == 0)
		virtio_dev_reset(vhost->dev); /* a new driver */
	rc = start_queue(ring);
	if (rc < 0)
		return rc;
	rc = loop_add(vhost->loop, &ring->kick, ring->kick_fd, EPOLLIN, kicked);
	if (rc < 0)
		return rc;
	virtio_dev_activate(vhost->dev, vhost->features);
	vhost->was_active = true;
	/* the driver may have kicked before anybody listened */
	virtio_dev_kick(vhost->dev, (unsigned int)(ring - vhost->rings));
	return 0;
}

void vhost_rings_init(struct vhost_user *vhost)
{
	for (unsigned int q = 0; q < VIRTIO_MAX_QUEUES; q++) {
		vhost->rings[q].vhost = vhost;
		vhost->rings[q].kick_fd = -1;
		vhost->rings[q].call_fd = -1;
	}
}

void vhost_rings_stop(struct vhost_user *vhost)
{
	for (unsigned int q = 0; q < vhost->dev->n_queues; q++) {
		stop(&vhost->rings[q]);
		vhost->rings[q].base = 0;
		close_p(&vhost->rings[q].kick_fd);
	}
}

void vhost_rings_fini(struct vhost_user *vhost)
{
	vhost_rings_stop(vhost);
	for (unsigned int q = 0; q < vhost->dev->n_queues; q++)
		close_p(&vhost->rings[q].call_fd);
}

int vhost_ring_enable(struct vhost_user *vhost, unsigned int q, bool on)
{
	struct vhost_ring *ring = &vhost->rings[q];

	ring->enabled = on;
	if (on)
		return maybe_start(ring);
	stop(ring);
	return 0;
}

int vhost_ring_set_num(struct vhost_user *vhost, struct vhost_msg *msg)
{
	struct vhost_ring *ring;
	int rc = find_stopped(vhost, msg->payload.state.index, &ring);

	if (rc < 0)
		return rc;
	ring->num = msg->payload.state.num; /* checked when it starts */
	return 0;
}

int vhost_ring_set_addr(struct vhost_user *vhost, struct vhost_msg *msg)
{
	const struct vhost_ring_addr *addr = &msg->payload.addr;
	struct vhost_ring *ring;
	int rc = find_stopped(vhost, addr->index, &ring);

	if (rc == 0)
		rc = vhost_memory_gpa(&vhost->memory, addr->desc, &ring->desc);
	if (rc == 0)
		rc = vhost_memory_gpa(&vhost->memory, addr->avail,
				      &ring->avail);
	if (rc == 0)
		rc = vhost_memory_gpa(&vhost->memory, addr->used, &ring->used);
	if (rc < 0)
		return rc;
	ring->placed = true;
	return maybe_start(ring);
}

int vhost_ring_set_base(struct vhost_user *vhost, struct vhost_msg *msg)
{
	struct vhost_ring *ring;
	int rc = find_stopped(vhost, msg->payload.state.index, &ring);

	if (rc < 0)
		return rc;
	if (msg->payload.state.num > UINT16_MAX)
		return fail(AVF_ERR_PROTOCOL, "vhost-user: ring base %u",
			    msg->payload.state.num);
	ring->base = (uint16_t)msg->payload.state.num;
	return 0;
}

/* Also stops the ring: whoever asks wants to carry it elsewhere, or rest. */
int vhost_ring_get_base(struct vhost_user *vhost, struct vhost_msg *msg)
{
	struct vhost_ring *ring;
	int rc = find_ring(vhost, msg->payload.state.index, &ring);

	if (rc < 0)
		return rc;
	stop(ring);
	close_p(&ring->kick_fd);
	msg->payload.state.num = ring->base;
	return sizeof(msg->payload.state);
}

/*
 * Only eventfds and their like: a pipe or socket would raise SIGPIPE at our
 * end. Anonymous inodes have no file type.
 */
static int check_eventfd(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail_errno("vhost-user: fstat");
	if (st.st_mode & S_IFMT)
		return fail(AVF_ERR_PROTOCOL, "vhost-user: not an eventfd");
	return fd_set_nonblock(fd, true);
}

/* The ring and the fd (-1: none) of SET_VRING_KICK, CALL and ERR. */
static int take_eventfd(struct vhost_user *vhost, struct vhost_msg *msg,
			struct vhost_ring **ret_ring, int *ret_fd)
{
	bool none = msg->payload.u64 & VHOST_FD_NONE;
	int rc;

	rc = find_ring(vhost, msg->payload.u64 & VHOST_FD_INDEX_MASK, ret_ring);
	if (rc < 0)
		return rc;
	if (none != (msg->n_fds == 0))
		return fail(AVF_ERR_PROTOCOL, "vhost-user: eventfd missing");
	if (none) {
		*ret_fd = -1;
		return 0;
	}
	rc = check_eventfd(msg->fds[0]);
	if (rc < 0)
		return rc;
	*ret_fd = msg->fds[0];
	msg->n_fds = 0;
	return 0;
}

int vhost_ring_set_kick(struct vhost_user *vhost, struct vhost_msg *msg)
{
	struct vhost_ring *ring;
	int fd;
	int rc = take_eventfd(vhost, msg, &ring, &fd);

	if (rc < 0)
		return rc;
	if (fd < 0)
		return fail(AVF_ERR_PROTOCOL, "vhost-user: ring without kicks");
	/* may come at any time: the old one must not be watched any more */
	stop(ring);
	close_p(&ring->kick_fd);
	ring->kick_fd = fd;
	return maybe_start(ring);
}

int vhost_ring_set_call(struct vhost_user *vhost, struct vhost_msg *msg)
{
	struct vhost_ring *ring;
	int fd;
	int rc = take_eventfd(vhost, msg, &ring, &fd);

	if (rc < 0)
		return rc;
	close_p(&ring->call_fd);
	ring->call_fd = fd;
	return 0;
}

/* Errors of a ring end the connection, which says it better. */
int vhost_ring_set_err(struct vhost_user *vhost, struct vhost_msg *msg)
{
	struct vhost_ring *ring;
	int fd;
	int rc = take_eventfd(vhost, msg, &ring, &fd);

	if (rc < 0)
		return rc;
	fd_close(fd);
	return 0;
}

int vhost_ring_set_enable(struct vhost_user *vhost, struct vhost_msg *msg)
{
	struct vhost_ring *ring;
	int rc = find_ring(vhost, msg->payload.state.index, &ring);

	if (rc < 0)
		return rc;
	return vhost_ring_enable(vhost, msg->payload.state.index,
				 msg->payload.state.num != 0);
}

static void interrupt_queue(void *transport, unsigned int q)
{
	const struct vhost_user *vhost = transport;
	const uint64_t one = 1;

	/* full or refused: the driver has an interrupt to come anyway */
	if (vhost->rings[q].call_fd >= 0)
		(void)!write(vhost->rings[q].call_fd, &one, sizeof(one));
}

/* There is no way to say it without a channel of our own to the peer. */
static void interrupt_config(void *transport)
{
	(void)transport;
}

const struct virtio_transport_ops vhost_transport_ops = {
	.interrupt_queue = interrupt_queue,
	.interrupt_config = interrupt_config,
};
