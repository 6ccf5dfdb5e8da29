/*
 * The serial line of either machine: a 16550 whose interrupt is an irqfd and
 * whose output is the console. It has no input: that goes to the virtio
 * console.
 */
#include "machine/serial.h"

#include <sys/eventfd.h>

#include "base/cleanup.h"
#include "machine/machine_internal.h"

/* A copy of its own, as the virtio console writes to the same description. */
static int open_output(const struct machine *m, int *ret_fd)
{
	const int console = m->params.config->console_out_fd;

	*ret_fd = -1;
	if (console < 0)
		return 0;
	*ret_fd = fd_dup(console);
	return *ret_fd < 0 ? *ret_fd : 0;
}

int machine_serial_init(struct machine_serial *serial, struct machine *m,
			struct bus *bus, uint64_t base, unsigned int line)
{
	struct uart_16550_config config = {
		.loop = m->params.loop,
		.out = &serial->out,
		.in_fd = -1,
		.log = m->params.log,
	};
	int out;
	int rc = open_output(m, &out);

	if (rc < 0)
		return rc;
	sink_init(&serial->out, out, m->params.loop);
	serial->irq_fd = -1;
	serial->bus = bus;
	serial->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (serial->irq_fd < 0)
		return fail_errno("eventfd");
	config.irq_fd = serial->irq_fd;
	rc = uart_16550_init(&serial->uart, &config);
	if (rc < 0)
		return rc;
	serial->has_uart = true;
	serial->uart.range.base = base;
	rc = bus_add(bus, &serial->uart.range);
	if (rc < 0)
		return rc;
	return m->hv->ops->add_line(m->hv, line, serial->irq_fd);
}

void machine_serial_fini(struct machine_serial *serial)
{
	if (!serial->bus)
		return;
	if (serial->has_uart) {
		bus_remove(serial->bus, &serial->uart.range);
		uart_16550_fini(&serial->uart);
	}
	sink_fini(&serial->out);
	fd_close(serial->irq_fd);
	serial->bus = NULL;
}
