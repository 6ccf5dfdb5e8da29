/* The device as the transport and the VMM see it. */
#include "devices/virtio_vsock.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "devices/vsock_internal.h"

/* What is freed is reset first. */
#define GONE "the guest has reset its vsock device, or has stopped"

static struct virtio_vsock *to_vsock(struct virtio_dev *dev)
{
	return container_of(dev, struct virtio_vsock, dev);
}

/*
 * Run the queues once more, from the loop. The eventfd always has a count;
 * watching it or not is what switches.
 */
void vsock_schedule(struct virtio_vsock *vs)
{
	loop_modify(vs->loop, &vs->again, EPOLLIN);
}

/* Also after a driver's reset, when there is nothing to run any more. */
static void run_again(struct loop_source *source, uint32_t events)
{
	struct virtio_vsock *vs =
		container_of(source, struct virtio_vsock, again);

	(void)events;
	loop_modify(vs->loop, &vs->again, 0);
	if (!vs->dev.active)
		return;
	if (vsock_tx_run(vs) < 0)
		virtio_dev_break(&vs->dev);
	vsock_rx_run(vs);
}

/*
 * Used buffers of the transmit queue are signalled in batches; this is the time
 * limit for a batch that stays small.
 */
static void taken_expired(void *userdata)
{
	struct virtio_vsock *vs = userdata;

	vs->taken_armed = false;
	/* a ring that rests (vhost-user) hears of it when it goes on */
	if (vs->taken_parts > 0 && vs->dev.queues[VSOCK_TX].started)
		vsock_tx_signal(vs);
}

/* What was left by earlier requests to connect is sent from the loop. */
static int activate(struct virtio_dev *dev)
{
	vsock_schedule(to_vsock(dev));
	return 0;
}

/* Buffers of the event queue stay with us: there is no event to report yet,
 * a transport reset (5.10.6.7) only comes with migration. */
static int queue_ready(struct virtio_dev *dev, unsigned int q)
{
	struct virtio_vsock *vs = to_vsock(dev);
	int rc = 0;

	if (q == VSOCK_TX)
		rc = vsock_tx_run(vs);
	if (rc == 0)
		vsock_rx_run(vs);
	return rc;
}

/*
 * Connections end, and applications still get what the guest had sent. An
 * attempt that no driver has seen yet waits on: drivers begin with a reset.
 */
static void reset(struct virtio_dev *dev)
{
	struct virtio_vsock *vs = to_vsock(dev);
	struct vsock_conn *conn = TAILQ_FIRST(&vs->all);
	struct vsock_conn *next;

	vs->n_rsts = 0;
	vs->taken_parts = 0;
	vs->taken_bytes = 0;
	for (; conn; conn = next) {
		next = TAILQ_NEXT(conn, all);
		if (conn->state == VSOCK_CONNECTING &&
		    conn->owes & VSOCK_OWES_REQUEST)
			continue;
		vsock_conn_refuse(conn, AVF_ERR_CLOSED, GONE);
		vsock_conn_finish(conn, false);
		vsock_conn_settle(conn);
	}
}

/* The transport has checked that the access is inside of eight bytes. */
static void config_read(struct virtio_dev *dev, uint32_t offset, void *data,
			uint32_t len)
{
	le64 guest_cid = le64_make(to_vsock(dev)->guest_cid);

	memcpy(data, guest_cid.bytes + offset, len);
}

/* What the loop watches besides kicks and sockets. */
static int watch(struct virtio_vsock *vs)
{
	int rc;

	vs->taken_timer.fd = -1;
	vs->again_fd = eventfd(1, EFD_CLOEXEC);
	if (vs->again_fd < 0)
		return fail_errno("vsock: eventfd");
	rc = loop_add(vs->loop, &vs->again, vs->again_fd, 0, run_again);
	if (rc < 0)
		return rc;
	return timer_init(&vs->taken_timer, vs->loop, taken_expired, vs);
}

/* Also after a watch() that failed. */
static void unwatch(struct virtio_vsock *vs)
{
	loop_remove(vs->loop, &vs->again);
	close_p(&vs->again_fd);
	timer_fini(&vs->taken_timer);
}

static void free_vsock(struct virtio_dev *dev)
{
	struct vsock_conn *conn;
	struct virtio_vsock *vs;

	if (!dev)
		return;
	vs = to_vsock(dev);
	vs->going = true;
	/* a callback may want to try again: it is refused, so this ends */
	while ((conn = TAILQ_FIRST(&vs->all))) {
		vsock_conn_refuse(conn, AVF_ERR_CLOSED, GONE);
		vsock_conn_free(conn);
	}
	unwatch(vs);
	free(vs);
}

static const struct virtio_dev_ops vsock_ops = {
	.name = "virtio-vsock",
	.id = VIRTIO_ID_VSOCK,
	.pci_class = 0x028000, /* network controller, other */
	.config_size = sizeof(le64),
	.activate = activate,
	.reset = reset,
	.queue_ready = queue_ready,
	.config_read = config_read,
	.free = free_vsock,
};

/*
 * The table of connections is hashed with a key that the guest does not know,
 * or it could choose ports that all meet in one bucket.
 */
static int make_hash_key(uint64_t *ret_key)
{
	uint64_t key;

	if (getrandom(&key, sizeof(key), GRND_NONBLOCK) != sizeof(key))
		return fail_errno("vsock: random numbers");
	*ret_key = key | 1;
	return 0;
}

int virtio_vsock_new(const struct virtio_vsock_config *config,
		     struct virtio_dev **ret_dev)
{
	CLEANUP(free_p) struct virtio_vsock *vs = NULL;
	int rc;

	/* 5.10.4: 0, 1, 2 and 2^32-1 are reserved, so is the upper half */
	if (config->guest_cid <= VSOCK_CID_HOST ||
	    config->guest_cid >= UINT32_MAX)
		return fail(AVF_ERR_INVALID,
			    "vsock: no guest can have CID %" PRIu64,
			    config->guest_cid);
	vs = calloc(1, sizeof(*vs));
	if (!vs)
		return fail(AVF_ERR_NO_MEMORY, "vsock");
	rc = make_hash_key(&vs->hash_key);
	if (rc < 0)
		return rc;
	virtio_dev_init(&vs->dev, &vsock_ops, config->gm, VSOCK_QUEUES,
			VSOCK_QUEUE_SIZE, 0);
	vs->loop = config->loop;
	vs->guest_cid = config->guest_cid;
	vs->next_port = VSOCK_EPHEMERAL_PORT;
	TAILQ_INIT(&vs->all);
	TAILQ_INIT(&vs->ready);
	rc = watch(vs);
	if (rc < 0) {
		unwatch(vs);
		return rc;
	}
	*ret_dev = &TAKE_PTR(vs)->dev;
	return 0;
}

/* Fewer connections than ports: there is a free one. */
static uint32_t take_port(struct virtio_vsock *vs, uint32_t guest_port)
{
	uint32_t port;

	do {
		port = vs->next_port++;
		if (vs->next_port == UINT32_MAX) /* VMADDR_PORT_ANY */
			vs->next_port = VSOCK_EPHEMERAL_PORT;
	} while (vsock_table_find(vs, port, guest_port) ||
		 vsock_find_listener(vs, port));
	/* never the same twice in a row: late packets find nobody */
	return port;
}

int virtio_vsock_connect(struct virtio_dev *dev, uint32_t port, int fd,
			 vsock_connected_fn *done, void *userdata)
{
	struct virtio_vsock *vs = to_vsock(dev);
	struct vsock_conn *conn;
	int rc;

	if (vs->going) {
		fd_close(fd);
		return fail(AVF_ERR_CLOSED, "vsock: the VM ends");
	}
	rc = vsock_conn_new(vs, take_port(vs, port), port, fd, &conn);
	if (rc < 0)
		return rc;
	conn->done = done;
	conn->done_userdata = userdata;
	vsock_conn_owe(conn, VSOCK_OWES_REQUEST);
	/* from the loop: we may be inside of a callback of ours */
	vsock_schedule(vs);
	return 0;
}

struct vsock_listener *vsock_find_listener(struct virtio_vsock *vs,
					   uint32_t port)
{
	for (unsigned int i = 0; i < vs->n_listeners; i++) {
		if (vs->listeners[i].port == port)
			return &vs->listeners[i];
	}
	return NULL;
}

int virtio_vsock_listen(struct virtio_dev *dev, uint32_t port,
			vsock_accept_fn *accept, void *userdata)
{
	struct virtio_vsock *vs = to_vsock(dev);

	if (vsock_find_listener(vs, port))
		return fail(AVF_ERR_BUSY, "vsock: port %" PRIu32 " is taken",
			    port);
	if (vs->n_listeners == VSOCK_MAX_LISTENERS)
		return fail(AVF_ERR_LIMIT, "vsock: more than %d listeners",
			    VSOCK_MAX_LISTENERS);
	vs->listeners[vs->n_listeners++] = (struct vsock_listener){
		.port = port, .accept = accept, .userdata = userdata};
	return 0;
}

void virtio_vsock_unlisten(struct virtio_dev *dev, uint32_t port)
{
	struct virtio_vsock *vs = to_vsock(dev);
	struct vsock_listener *listener = vsock_find_listener(vs, port);

	if (listener)
		*listener = vs->listeners[--vs->n_listeners];
}
