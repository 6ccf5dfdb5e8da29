/*
 * The UART that kernels print to before they have drivers (National's PC16550D;
 * names of <linux/serial_reg.h>). Time is not modelled: a byte is sent at once,
 * baud rates mean nothing. Registers are served on vCPU threads, input and
 * output on the loop, all with the machine's lock. A vCPU does no I/O: what it
 * transmits goes into a ring that the loop empties, and what does not fit is
 * dropped, since a guest must not wait for the reader of its console.
 */
#include "devices/uart_16550.h"

#include <inttypes.h>
#include <linux/serial_reg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"

#define IER_BITS 0x0f
#define MCR_BITS 0x1f
#define FCR_IIR  0xc0 /* IIR: the FIFOs are on */
/* A modem that is always there. */
#define MSR_READY (UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS)

/* Highest pending cause, as IIR reports it (without the FIFO bits). */
static uint8_t irq_cause(const struct uart_16550 *uart)
{
	if ((uart->ier & UART_IER_RLSI) && uart->overrun)
		return UART_IIR_RLSI;
	if ((uart->ier & UART_IER_RDI) && uart->n_rx > 0)
		return UART_IIR_RDI;
	if ((uart->ier & UART_IER_THRI) && uart->thre_irq)
		return UART_IIR_THRI;
	return UART_IIR_NO_INT;
}

/*
 * The interrupt follows the causes: called after everything that may have
 * changed one of them.
 */
static void update_irq(struct uart_16550 *uart)
{
	const bool level = irq_cause(uart) != UART_IIR_NO_INT;
	const uint64_t one = 1;

	/* ISA interrupts are edges; a full counter means one is due already */
	if (level && !uart->irq_level && uart->config.irq_fd >= 0)
		(void)!write(uart->config.irq_fd, &one, sizeof(one));
	uart->irq_level = level;
}

/* A full FIFO loses the new byte and says so in LSR, as the chip does. */
static void rx_push(struct uart_16550 *uart, uint8_t byte)
{
	if (uart->n_rx == UART_16550_FIFO) {
		uart->overrun = true;
		return;
	}
	uart->rx[(uart->rx_first + uart->n_rx++) % UART_16550_FIFO] = byte;
}

static void on_input(struct loop_source *source, uint32_t events);

/* Read from the host while there is room; a full FIFO holds it back. */
static void watch_input(struct uart_16550 *uart)
{
	struct loop *loop = uart->config.loop;

	if (uart->config.in_fd < 0 || uart->in_ended)
		return;
	if (uart->n_rx == UART_16550_FIFO) {
		loop_remove(loop, &uart->in_source);
		return;
	}
	if (uart->in_source.fd < 0 &&
	    loop_add(loop, &uart->in_source, uart->config.in_fd, EPOLLIN,
		     on_input) < 0)
		uart->in_ended = true; /* cannot be waited for: no input */
}

/* Reads no more than fits; at the end of the input it is left alone. */
static void on_input(struct loop_source *source, uint32_t events)
{
	struct uart_16550 *uart =
		container_of(source, struct uart_16550, in_source);
	uint8_t bytes[UART_16550_FIFO];
	ssize_t n;

	(void)events;
	n = read(source->fd, bytes, UART_16550_FIFO - uart->n_rx);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		uart->in_ended = true;
		loop_remove(uart->config.loop, source);
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		rx_push(uart, bytes[i]);
	watch_input(uart);
	update_irq(uart);
}

/* Hand the ring to the sink, as far as it goes. */
static void flush(struct uart_16550 *uart)
{
	uint32_t run;
	size_t n;

	while (uart->n_tx > 0) {
		run = MIN(uart->n_tx, UART_16550_TX_RING - uart->tx_first);
		n = sink_write(uart->config.out, uart->tx + uart->tx_first,
			       run);
		uart->tx_first =
			(uart->tx_first + (uint32_t)n) % UART_16550_TX_RING;
		uart->n_tx -= (uint32_t)n;
		if (n < run)
			break; /* sink_ready() goes on */
	}
}

/* On the loop: a vCPU has filled the empty ring. */
static void on_flush(struct loop_source *source, uint32_t events)
{
	struct uart_16550 *uart =
		container_of(source, struct uart_16550, flush_source);
	uint64_t count;

	(void)events;
	(void)!read(uart->flush_fd, &count, sizeof(count));
	flush(uart);
}

/* From the sink, when it has room again. */
static void sink_ready(void *userdata)
{
	flush(userdata);
}

/* The log has a budget: a guest that prints for ever fills no disk. */
static void drop(struct uart_16550 *uart)
{
	uart->tx_dropped++;
	if (log_budget_take(&uart->log_budget, clock_now_ns()))
		log_warn(uart->config.log,
			 "serial console: the reader is slow, %" PRIu64
			 " bytes dropped so far",
			 uart->tx_dropped);
}

/* On a vCPU: no I/O here but waking the loop, once per full-up ring. */
static void transmit(struct uart_16550 *uart, uint8_t byte)
{
	const uint64_t one = 1;

	if (uart->n_tx == UART_16550_TX_RING) {
		drop(uart);
		return;
	}
	uart->tx[(uart->tx_first + uart->n_tx++) % UART_16550_TX_RING] = byte;
	if (uart->n_tx == 1)
		(void)!write(uart->flush_fd, &one, sizeof(one));
}

/*
 * In loopback (MCR bit 4) a byte comes back to the receiver; drivers probe the
 * chip that way.
 */
static void write_thr(struct uart_16550 *uart, uint8_t byte)
{
	if (uart->mcr & UART_MCR_LOOP)
		rx_push(uart, byte);
	else
		transmit(uart, byte);
	uart->thre_irq = true; /* empty again at once */
}

/* 0 when there is nothing: the driver should have asked LSR. */
static uint8_t read_rbr(struct uart_16550 *uart)
{
	uint8_t byte = 0;

	if (uart->n_rx > 0) {
		byte = uart->rx[uart->rx_first];
		uart->rx_first = (uart->rx_first + 1) % UART_16550_FIFO;
		uart->n_rx--;
	}
	return byte;
}

/* Reading IIR acknowledges the one cause that has no register of its own. */
static uint8_t read_iir(struct uart_16550 *uart)
{
	const uint8_t cause = irq_cause(uart);

	if (cause == UART_IIR_THRI)
		uart->thre_irq = false; /* told */
	return uart->fifo_enabled ? cause | FCR_IIR : cause;
}

/* Reading LSR clears the overrun bit. */
static uint8_t read_lsr(struct uart_16550 *uart)
{
	uint8_t lsr = UART_LSR_THRE | UART_LSR_TEMT;

	if (uart->n_rx > 0)
		lsr |= UART_LSR_DR;
	if (uart->overrun)
		lsr |= UART_LSR_OE;
	uart->overrun = false;
	return lsr;
}

/* In loopback the modem outputs come back as inputs. */
static uint8_t read_msr(const struct uart_16550 *uart)
{
	uint8_t msr = 0;

	if (!(uart->mcr & UART_MCR_LOOP))
		return MSR_READY;
	if (uart->mcr & UART_MCR_RTS)
		msr |= UART_MSR_CTS;
	if (uart->mcr & UART_MCR_DTR)
		msr |= UART_MSR_DSR;
	if (uart->mcr & UART_MCR_OUT1)
		msr |= UART_MSR_RI;
	if (uart->mcr & UART_MCR_OUT2)
		msr |= UART_MSR_DCD;
	return msr;
}

/* With DLAB set in LCR, the first two registers are the divisor's. */
static uint8_t read_register(struct uart_16550 *uart, uint64_t offset)
{
	const bool dlab = uart->lcr & UART_LCR_DLAB;

	switch (offset) {
	case UART_RX:
		return dlab ? uart->dll : read_rbr(uart);
	case UART_IER:
		return dlab ? uart->dlm : uart->ier;
	case UART_IIR:
		return read_iir(uart);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		return read_lsr(uart);
	case UART_MSR:
		return read_msr(uart);
	default:
		return uart->scr;
	}
}

static void write_ier(struct uart_16550 *uart, uint8_t value)
{
	/* switching it on with THR empty tells at once */
	if (!(uart->ier & UART_IER_THRI) && (value & UART_IER_THRI))
		uart->thre_irq = true;
	uart->ier = value & IER_BITS;
}

static void write_fcr(struct uart_16550 *uart, uint8_t value)
{
	uart->fifo_enabled = value & UART_FCR_ENABLE_FIFO;
	if (value & UART_FCR_CLEAR_RCVR)
		uart->n_rx = 0;
}

static void write_register(struct uart_16550 *uart, uint64_t offset,
			   uint8_t value)
{
	const bool dlab = uart->lcr & UART_LCR_DLAB;

	switch (offset) {
	case UART_TX:
		if (dlab)
			uart->dll = value;
		else
			write_thr(uart, value);
		break;
	case UART_IER:
		if (dlab)
			uart->dlm = value;
		else
			write_ier(uart, value);
		break;
	case UART_FCR:
		write_fcr(uart, value);
		break;
	case UART_LCR:
		uart->lcr = value;
		break;
	case UART_MCR:
		uart->mcr = value & MCR_BITS;
		break;
	case UART_SCR:
		uart->scr = value;
		break;
	default:
		break; /* LSR and MSR are read-only */
	}
}

/* Registers are bytes; wider accesses find nothing. */
static void uart_read(void *opaque, uint64_t offset, void *data, uint32_t size)
{
	struct uart_16550 *uart = opaque;

	memset(data, 0xff, size);
	if (size != 1)
		return;
	*(uint8_t *)data = read_register(uart, offset);
	watch_input(uart);
	update_irq(uart);
}

static void uart_write(void *opaque, uint64_t offset, const void *data,
		       uint32_t size)
{
	struct uart_16550 *uart = opaque;

	if (size != 1)
		return;
	write_register(uart, offset, *(const uint8_t *)data);
	watch_input(uart);
	update_irq(uart);
}

static const struct bus_ops uart_ops = {
	.read = uart_read,
	.write = uart_write,
};

int uart_16550_init(struct uart_16550 *uart,
		    const struct uart_16550_config *config)
{
	int rc;

	memset(uart, 0, sizeof(*uart));
	uart->range.size = UART_16550_PORTS;
	uart->range.ops = &uart_ops;
	uart->range.opaque = uart;
	uart->config = *config;
	uart->in_source.fd = -1;
	uart->dll = 1; /* 115200 baud */
	uart->lcr = UART_LCR_WLEN8;
	uart->flush_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (uart->flush_fd < 0)
		return fail_errno("serial console: eventfd");
	rc = loop_add(config->loop, &uart->flush_source, uart->flush_fd,
		      EPOLLIN, on_flush);
	if (rc < 0) {
		fd_close(uart->flush_fd);
		uart->flush_fd = -1;
		return rc;
	}
	sink_on_ready(config->out, sink_ready, uart);
	watch_input(uart);
	return 0;
}

void uart_16550_fini(struct uart_16550 *uart)
{
	/* what the guest said last must come out, if there is room */
	flush(uart);
	sink_on_ready(uart->config.out, NULL, NULL);
	loop_remove(uart->config.loop, &uart->in_source);
	loop_remove(uart->config.loop, &uart->flush_source);
	fd_close(uart->flush_fd);
	uart->flush_fd = -1;
}
