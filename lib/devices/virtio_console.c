/*
 * virtio-console with several ports (virtio 1.2, 5.3): this file has the device
 * and its control queues, console_port.c the data. Control messages to the
 * driver are not queued but remembered as a bit per message and port, so a
 * driver that asks for ever costs no memory. All on the loop or a vCPU, with
 * the machine's lock.
 */
#include "devices/virtio_console.h"

#include <linux/virtio_console.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "devices/console_internal.h"

/* Section 5.3.2: two queues of port 0, two of control, then two per port. */
#define QUEUE_CONTROL_RX 2U
#define QUEUE_CONTROL_TX 3U
#define N_QUEUES(ports)  (2 * (ports) + 2)

/* Section 5.3.6.2 */
struct control {
	le32 id;
	le16 event;
	le16 value;
};
_Static_assert(sizeof(struct control) == 8, "control message layout");

struct console_config {
	le16 cols;
	le16 rows;
	le32 max_nr_ports;
	le32 emerg_wr; /* not offered */
};
_Static_assert(sizeof(struct console_config) == 12, "configuration layout");

static struct virtio_console *to_console(struct virtio_dev *dev)
{
	return container_of(dev, struct virtio_console, dev);
}

void console_again(struct virtio_console *console)
{
	const uint64_t one = 1;

	/* full counter: the loop is woken already */
	(void)!write(console->again_fd, &one, sizeof(one));
}

/* All queues are looked at: cheap, and nobody needs to remember which. */
static void on_again(struct loop_source *source, uint32_t events)
{
	struct virtio_console *console =
		container_of(source, struct virtio_console, again_source);
	uint64_t count;

	(void)events;
	(void)!read(console->again_fd, &count, sizeof(count));
	for (unsigned int q = 0; q < console->dev.n_queues; q++)
		virtio_dev_kick(&console->dev, q);
}

/* Returns 1, or 0 when the driver has no buffer for it. */
static int send_control(struct console_port *port, uint16_t event)
{
	struct virtio_console *console = port->console;
	struct virtq_chain *c = &console->chain;
	size_t size = sizeof(struct control);
	struct {
		struct control header;
		char name[VIRTIO_CONSOLE_NAME_MAX];
	} message;
	int rc;

	message.header = (struct control){
		.id = le32_make(port->id),
		.event = le16_make(event),
		.value = le16_make(1),
	};
	if (event == VIRTIO_CONSOLE_PORT_NAME) {
		memcpy(message.name, port->name, strlen(port->name));
		size += strlen(port->name);
	}
	rc = virtq_pop(&console->dev.queues[QUEUE_CONTROL_RX], c);
	if (rc <= 0)
		return rc;
	/* in a buffer that is too small, the driver gets what it asked for */
	size = iov_write(virtq_writable(c), c->n_writable, 0, &message, size);
	virtio_dev_push(&console->dev, QUEUE_CONTROL_RX, c->head,
			(uint32_t)size);
	return 1;
}

/* Section 5.3.5: a port exists before it is described, and opens last. */
static int tell_port(struct console_port *port)
{
	static const uint16_t order[] = {
		VIRTIO_CONSOLE_PORT_ADD,
		VIRTIO_CONSOLE_CONSOLE_PORT,
		VIRTIO_CONSOLE_PORT_NAME,
		VIRTIO_CONSOLE_PORT_OPEN,
	};
	int rc;

	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++) {
		if (!(port->to_tell & BIT(order[i])))
			continue;
		rc = send_control(port, order[i]);
		if (rc <= 0)
			return rc;
		port->to_tell &= (uint8_t)~BIT(order[i]);
	}
	return 1;
}

/* What does not fit waits for buffers: a bit per message, so a flood of
 * questions costs nothing. */
static int tell_all(struct virtio_console *console)
{
	struct virtq *vq = &console->dev.queues[QUEUE_CONTROL_RX];
	int rc = 1;

	for (unsigned int i = 0; i < console->n_ports && rc > 0; i++)
		rc = tell_port(&console->ports[i]);
	if (rc == 0 && virtq_enable_kicks(vq))
		console_again(console);
	virtio_dev_signal(&console->dev, QUEUE_CONTROL_RX);
	return rc < 0 ? rc : 0;
}

/* DEVICE_READY may come again; a port is added once per reset. */
static void add_ports(struct virtio_console *console)
{
	for (unsigned int i = 0; i < console->n_ports; i++) {
		struct console_port *port = &console->ports[i];

		if (!port->added)
			port->to_tell |= BIT(VIRTIO_CONSOLE_PORT_ADD);
		port->added = true;
	}
}

/* The driver's word. Port numbers are the guest's: checked here. */
static void on_control(struct virtio_console *console,
		       const struct control *message)
{
	const uint16_t event = le16_get(message->event);
	const uint16_t value = le16_get(message->value);
	const uint32_t id = le32_get(message->id);
	struct console_port *port;

	if (event == VIRTIO_CONSOLE_DEVICE_READY && value == 1)
		add_ports(console);
	if (event == VIRTIO_CONSOLE_DEVICE_READY || id >= console->n_ports)
		return;
	port = &console->ports[id];
	if (event == VIRTIO_CONSOLE_PORT_READY && value == 1) {
		port->to_tell |= BIT(VIRTIO_CONSOLE_PORT_NAME) |
				 BIT(VIRTIO_CONSOLE_PORT_OPEN);
		if (port->is_console)
			port->to_tell |= BIT(VIRTIO_CONSOLE_CONSOLE_PORT);
	} else if (event == VIRTIO_CONSOLE_PORT_OPEN) {
		port->guest_open = value;
		console_port_arm_input(port);
	}
	/* what else a driver may say asks nothing of us */
}

/*
 * One round of the ring at most, then console_again(): a driver that sends
 * without end shares the loop with the others.
 */
static int read_control(struct virtio_console *console)
{
	struct virtq *vq = &console->dev.queues[QUEUE_CONTROL_TX];
	struct virtq_chain *c = &console->chain;
	struct control message;
	int rc;

	virtq_disable_kicks(vq);
	for (unsigned int i = 0; i < VIRTIO_CONSOLE_QUEUE_SIZE; i++) {
		rc = virtq_pop(vq, c);
		if (rc < 0)
			return rc;
		if (rc == 0 && !virtq_enable_kicks(vq))
			return tell_all(console);
		if (rc == 0)
			continue;
		if (iov_read(c->parts, c->n_readable, 0, &message,
			     sizeof(message)) == sizeof(message))
			on_control(console, &message);
		virtio_dev_push(&console->dev, QUEUE_CONTROL_TX, c->head, 0);
	}
	console_again(console);
	return tell_all(console);
}

/*
 * Queue numbers of 5.3.2: even ones receive, odd ones transmit, seen from the
 * driver; 2 and 3 are control.
 */
static int console_queue_ready(struct virtio_dev *dev, unsigned int q)
{
	struct virtio_console *console = to_console(dev);
	struct console_port *port = &console->ports[q < 2 ? 0 : (q - 2) / 2];
	int rc;

	if (q == QUEUE_CONTROL_RX)
		rc = tell_all(console);
	else if (q == QUEUE_CONTROL_TX)
		rc = read_control(console);
	else
		rc = q & 1 ? console_port_pump_output(port)
			   : console_port_pump_input(port);
	virtio_dev_signal(dev, q);
	return rc;
}

static int console_activate(struct virtio_dev *dev)
{
	console_again(
		to_console(dev)); /* for what was queued before DRIVER_OK */
	return 0;
}

static void console_reset(struct virtio_dev *dev)
{
	struct virtio_console *console = to_console(dev);

	for (unsigned int i = 0; i < console->n_ports; i++)
		console_port_reset(&console->ports[i]);
}

static void console_config_read(struct virtio_dev *dev, uint32_t offset,
				void *data, uint32_t len)
{
	const struct console_config config = {
		.max_nr_ports = le32_make(to_console(dev)->n_ports),
	};

	memcpy(data, (const char *)&config + offset, len);
}

static void console_free(struct virtio_dev *dev)
{
	struct virtio_console *console;

	if (!dev)
		return;
	console = to_console(dev);
	for (unsigned int i = 0; i < console->n_ports; i++)
		console_port_fini(&console->ports[i]);
	loop_remove(console->loop, &console->again_source);
	close_p(&console->again_fd);
	free(console);
}

static const struct virtio_dev_ops console_ops = {
	.name = "virtio-console",
	.id = VIRTIO_ID_CONSOLE,
	.pci_class = 0x078000, /* communication, other */
	.config_size = sizeof(struct console_config),
	.activate = console_activate,
	.reset = console_reset,
	.queue_ready = console_queue_ready,
	.config_read = console_config_read,
	.free = console_free,
};

/* The names are sent in a message of bounded size. */
static int check_ports(const struct virtio_console_port_config *ports,
		       unsigned int n)
{
	if (n == 0 || n > VIRTIO_CONSOLE_MAX_PORTS)
		return fail(AVF_ERR_INVALID,
			    "virtio-console: %u ports, 1 to %d can be", n,
			    VIRTIO_CONSOLE_MAX_PORTS);
	for (unsigned int i = 0; i < n; i++) {
		if (!ports[i].name ||
		    strlen(ports[i].name) > VIRTIO_CONSOLE_NAME_MAX)
			return fail(AVF_ERR_INVALID,
				    "virtio-console: port %u: no name, or "
				    "longer than %d bytes",
				    i, VIRTIO_CONSOLE_NAME_MAX);
	}
	return 0;
}

static int start(struct virtio_console *console)
{
	console->again_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (console->again_fd < 0)
		return fail_errno("virtio-console: eventfd");
	return loop_add(console->loop, &console->again_source,
			console->again_fd, EPOLLIN, on_again);
}

int virtio_console_new(const struct gmem *gm, struct loop *loop,
		       const struct virtio_console_port_config *ports,
		       unsigned int n, struct virtio_dev **ret_dev)
{
	struct virtio_console *console = NULL;
	int rc = check_ports(ports, n);

	if (rc == 0) {
		console = calloc(1, sizeof(*console));
		if (!console)
			rc = fail(AVF_ERR_NO_MEMORY, "virtio-console");
	}
	/* ownership of all descriptors came with the call, also on failure */
	for (unsigned int i = 0; !console && i < n; i++) {
		fd_close(ports[i].out_fd);
		fd_close(ports[i].in_fd);
	}
	if (!console)
		return rc;
	console->loop = loop;
	console->again_fd = -1;
	console->n_ports = n;
	for (unsigned int i = 0; i < n; i++)
		console_port_init(&console->ports[i], console, i, &ports[i]);
	virtio_dev_init(&console->dev, &console_ops, gm, N_QUEUES(n),
			VIRTIO_CONSOLE_QUEUE_SIZE,
			BIT64(VIRTIO_CONSOLE_F_MULTIPORT));
	rc = start(console);
	if (rc < 0) {
		console_free(&console->dev);
		return rc;
	}
	*ret_dev = &console->dev;
	return 0;
}
