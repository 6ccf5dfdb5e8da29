#include "devices/console_internal.h"

#include <linux/virtio_console.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "gmem/guest_access.h"

/* Bytes that one turn moves for a queue before others get theirs. */
#define TURN_BYTES (256U << 10)
#define READ_BYTES (64U << 10)

unsigned int console_rx_queue(const struct console_port *port)
{
	return port->id == 0 ? 0 : 2 * port->id + 2;
}

unsigned int console_tx_queue(const struct console_port *port)
{
	return console_rx_queue(port) + 1;
}

static bool is_multiport(const struct virtio_console *console)
{
	return console->dev.features_accepted &
	       BIT64(VIRTIO_CONSOLE_F_MULTIPORT);
}

/* Hand on guest memory. Returns less than @size when the host is slow. */
static size_t deliver(struct console_port *port, const char *data, size_t size)
{
	char copy[512]; /* the guest may rewrite its own at any time */
	size_t done = 0;
	size_t n = 1;

	while (done < size && n > 0) {
		if (port->received) {
			n = MIN(size - done, sizeof(copy));
			if (guest_copy(copy, data + done, n) < 0)
				return size; /* not ours to read: dropped */
			port->received(port->userdata, copy, n);
		} else {
			n = sink_write(&port->out, data + done, size - done);
		}
		done += n;
	}
	return done;
}

enum progress { ALL_SENT, HOST_FULL, TURN_OVER };

/* Send what is left of the chain, @budget bytes at most. */
static enum progress send_chain(struct console_port *port, uint64_t *budget)
{
	const struct virtq_chain *c = &port->console->chain;
	struct iovec parts[VIRTQ_MAX_PARTS];
	unsigned int n;
	size_t sent;

	n = iov_slice(c->parts, c->n_readable, port->out_offset, *budget,
		      parts);
	for (unsigned int i = 0; i < n; i++) {
		sent = deliver(port, parts[i].iov_base, parts[i].iov_len);
		port->out_offset += sent;
		*budget -= sent;
		if (sent < parts[i].iov_len)
			return HOST_FULL;
	}
	return port->out_offset < c->readable_bytes ? TURN_OVER : ALL_SENT;
}

/* The request that the host did not take as a whole stays on the ring. */
int console_port_pump_output(struct console_port *port)
{
	struct virtio_console *console = port->console;
	struct virtq *vq = &console->dev.queues[console_tx_queue(port)];
	uint64_t budget = TURN_BYTES;
	enum progress progress;
	int rc;

	virtq_disable_kicks(vq);
	for (unsigned int i = 0; i < VIRTIO_CONSOLE_QUEUE_SIZE; i++) {
		rc = virtq_pop(vq, &console->chain);
		if (rc < 0 || (rc == 0 && !virtq_enable_kicks(vq)))
			return rc;
		if (rc == 0)
			continue;
		progress = send_chain(port, &budget);
		if (progress != ALL_SENT) {
			virtq_unpop(vq);
			if (progress == TURN_OVER)
				console_again(console);
			return 0; /* else sink_ready() goes on */
		}
		port->out_offset = 0;
		virtio_dev_push(&console->dev, console_tx_queue(port),
				console->chain.head, 0);
	}
	console_again(console);
	return 0;
}

static void sink_ready(void *userdata)
{
	struct console_port *port = userdata;

	virtio_dev_kick(&port->console->dev, console_tx_queue(port));
}

static void end_input(struct console_port *port)
{
	loop_remove(port->console->loop, &port->in_source);
	close_p(&port->in_fd);
}

/* Fill one of the guest's buffers from the host. */
static int receive(struct console_port *port)
{
	struct virtio_console *console = port->console;
	struct virtq *vq = &console->dev.queues[console_rx_queue(port)];
	struct virtq_chain *c = &console->chain;
	struct iovec parts[VIRTQ_MAX_PARTS];
	unsigned int n;
	ssize_t got;
	int rc;

	rc = virtq_pop(vq, c);
	if (rc <= 0)
		return rc;
	n = iov_slice(virtq_writable(c), c->n_writable, 0, READ_BYTES, parts);
	got = n > 0 ? readv(port->in_fd, parts, (int)n) : 0;
	/* the buffer is the guest's, the input the application's: it waits for
	 * a driver that gives a better one */
	if (got < 0 && errno == EFAULT)
		return fail(AVF_ERR_PROTOCOL,
			    "console: the guest's buffer cannot be written");
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		virtq_unpop(vq);
	} else if (n > 0 && got <= 0) {
		virtq_unpop(vq);
		end_input(port);
	} else { /* a buffer that nothing fits into goes back empty */
		virtio_dev_push(&console->dev, console_rx_queue(port), c->head,
				(uint32_t)got);
	}
	return 0;
}

static void on_input(struct loop_source *source, uint32_t events);

/* Whether the guest would keep what we send: Linux drops it otherwise. */
static bool takes_input(const struct console_port *port)
{
	return port->is_console || port->guest_open ||
	       !is_multiport(port->console);
}

void console_port_arm_input(struct console_port *port)
{
	struct virtio_console *console = port->console;
	struct virtq *vq = &console->dev.queues[console_rx_queue(port)];
	int rc;

	if (port->in_fd < 0)
		return;
	if (!console->dev.active || !takes_input(port) ||
	    (!virtq_has_work(vq) && !virtq_enable_kicks(vq))) {
		loop_remove(console->loop, &port->in_source);
		return;
	}
	if (port->in_source.fd >= 0)
		return;
	if (!port->in_is_file) {
		rc = loop_add(console->loop, &port->in_source, port->in_fd,
			      EPOLLIN, on_input);
		if (rc == 0)
			return;
		/* epoll_ctl(2): EPERM for what is always ready */
		port->in_is_file = rc == AVF_ERR_PERMISSION;
	}
	if (port->in_is_file)
		console_again(console);
	else
		end_input(port);
}

static void on_input(struct loop_source *source, uint32_t events)
{
	struct console_port *port =
		container_of(source, struct console_port, in_source);
	struct virtio_dev *dev = &port->console->dev;

	(void)events;
	if (receive(port) < 0)
		virtio_dev_break(dev);
	virtio_dev_signal(dev, console_rx_queue(port));
	console_port_arm_input(port);
}

/* The guest added buffers. */
int console_port_pump_input(struct console_port *port)
{
	int rc = 0;

	if (port->in_fd >= 0 && port->in_is_file && takes_input(port))
		rc = receive(port);
	if (rc == 0)
		console_port_arm_input(port);
	return rc;
}

void console_port_init(struct console_port *port,
		       struct virtio_console *console, unsigned int id,
		       const struct virtio_console_port_config *config)
{
	port->console = console;
	port->id = id;
	memcpy(port->name, config->name, strlen(config->name) + 1);
	port->is_console = config->is_console;
	port->received = config->received;
	port->userdata = config->userdata;
	port->in_fd = config->in_fd;
	port->in_source.fd = -1;
	sink_init(&port->out, config->out_fd, console->loop);
	sink_on_ready(&port->out, sink_ready, port);
}

void console_port_fini(struct console_port *port)
{
	sink_fini(&port->out);
	end_input(port);
}

void console_port_reset(struct console_port *port)
{
	loop_remove(port->console->loop, &port->in_source);
	port->added = false;
	port->guest_open = false;
	port->to_tell = 0;
	port->out_offset = 0;
}
