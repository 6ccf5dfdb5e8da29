/*
 * What virtio_console.c (device and control queues) and console_port.c (data
 * of a port) share.
 */
#pragma once

#include "base/byteorder.h"
#include "devices/sink.h"
#include "devices/virtio_console.h"

struct console_port {
	struct virtio_console *console;
	unsigned int id;
	char name[VIRTIO_CONSOLE_NAME_MAX + 1];
	bool is_console;
	struct sink out;
	void (*received)(void *userdata, const void *data, size_t size);
	void *userdata;  /* borrowed */
	int in_fd;       /* owned; -1 when there is no (more) input */
	bool in_is_file; /* always readable, cannot be watched */
	struct loop_source in_source;
	/* The driver's view, forgotten at reset. */
	bool added;
	bool guest_open;
	uint8_t to_tell;     /* BIT(event): control messages that are due */
	uint64_t out_offset; /* bytes of the next request already taken */
};

struct virtio_console {
	struct virtio_dev dev;
	struct loop *loop; /* borrowed */
	int again_fd;      /* owned eventfd: look at every queue again */
	struct loop_source again_source;
	unsigned int n_ports;
	struct console_port ports[VIRTIO_CONSOLE_MAX_PORTS];
	struct virtq_chain chain; /* the one being looked at */
};

/** The queue with the driver's buffers for input; output is the next one. */
unsigned int console_rx_queue(const struct console_port *port);
unsigned int console_tx_queue(const struct console_port *port);

/** Look at every queue soon: work is left, but others want their turn. */
void console_again(struct virtio_console *console);

/** Takes the descriptors of @config. */
void console_port_init(struct console_port *port,
		       struct virtio_console *console, unsigned int id,
		       const struct virtio_console_port_config *config);
void console_port_fini(struct console_port *port);

/** Forget what the driver said. */
void console_port_reset(struct console_port *port);

/** The driver kicked the output queue, or the host has room again. */
int console_port_pump_output(struct console_port *port) MUST_CHECK;

/** The driver kicked the input queue. */
int console_port_pump_input(struct console_port *port) MUST_CHECK;

/** Watch the host's input exactly while there are buffers for it. */
void console_port_arm_input(struct console_port *port);
