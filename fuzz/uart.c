/*
 * The serial port's registers, with a host that types, reads, or has gone.
 *
 * After a minute: cov: 222.
 */
#include "fuzz.h"

#include <linux/serial_reg.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "bus/bus.h"
#include "devices/uart_16550.h"

#define BASE 0x3f8U

struct line {
	struct bus bus;
	struct loop loop;
	struct sink sink;
	struct uart_16550 uart;
	int out, in; /* the host's ends; -1: gone */
	int irq_fd;
	uint64_t sent, seen; /* bytes that the guest wrote, the host read */
};

static void check(const struct line *l)
{
	const struct uart_16550 *u = &l->uart;

	FUZZ_ASSERT(u->n_rx <= UART_16550_FIFO && u->n_tx <= sizeof(u->tx));
	FUZZ_ASSERT(u->rx_first < sizeof(u->rx) && u->tx_first < sizeof(u->tx));
	FUZZ_ASSERT(u->ier < 16 && u->mcr < 32);
}

static bool transmits(const struct line *l)
{
	return !(l->uart.lcr & UART_LCR_DLAB) && !(l->uart.mcr & UART_MCR_LOOP);
}

static void access_register(struct line *l, struct fuzz_input *in, uint8_t how)
{
	/* some of them straddle the end, some are not ours at all */
	uint64_t at = BASE + (how & 15U) % 10;
	uint64_t value = fuzz_u8(in);
	uint32_t size = how & 0x40 ? 1U << (value & 3) : 1;

	if (how & 0x10) {
		l->sent += at == BASE && size == 1 && transmits(l);
		(void)bus_write(&l->bus, at, &value, size);
	} else {
		(void)bus_read(&l->bus, at, &value, size);
	}
}

static void flood(struct line *l, unsigned int n)
{
	const uint8_t byte = 'x';

	for (unsigned int i = 0; i < n; i++) {
		l->sent += transmits(l);
		(void)bus_write(&l->bus, BASE, &byte, 1);
	}
}

static void read_output(struct line *l, size_t size)
{
	char buf[4096];
	ssize_t n = recv(l->out, buf, MIN(size, sizeof(buf)), MSG_DONTWAIT);

	if (n > 0)
		l->seen += (uint64_t)n;
}

static void host(struct line *l, struct fuzz_input *in, uint8_t action)
{
	char text[64];

	memset(text, 'k', sizeof(text));
	switch (action & 7) {
	case 0:
		(void)!send(l->in, text, 1 + fuzz_u8(in) % sizeof(text),
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 1:
		read_output(l, fuzz_u8(in) * 64U);
		break;
	case 2:
		fuzz_close(l->in);
		l->in = -1;
		break;
	case 3:
		fuzz_close(l->out);
		l->out = -1;
		break;
	case 4:
		flood(l, fuzz_u8(in) * 64U);
		break;
	default:
		FUZZ_ASSERT(loop_run_once(&l->loop, 0) == 0);
		break;
	}
}

/* Every byte is with the host, was thrown away and counted, or is here. */
static void check_bytes(struct line *l)
{
	uint64_t here = l->uart.n_tx;
	ssize_t waiting = 0;
	char buf[4096];

	if (l->out < 0)
		return;
	while (waiting >= 0) {
		waiting = recv(l->out, buf, sizeof(buf), MSG_DONTWAIT);
		l->seen += waiting > 0 ? (uint64_t)waiting : 0;
	}
	FUZZ_ASSERT(l->sent ==
		    l->seen + here + l->uart.tx_dropped + l->sink.discarded);
}

static void start(struct line *l)
{
	int out[2], in[2];

	fuzz_socketpair(SOCK_STREAM, out);
	fuzz_socketpair(SOCK_STREAM, in);
	FUZZ_ASSERT(fd_set_nonblock(in[1], true) == 0);
	FUZZ_ASSERT(loop_init(&l->loop) == 0);
	l->out = out[0];
	l->in = in[0];
	l->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sink_init(&l->sink, out[1], &l->loop);
	bus_init(&l->bus, "pio");
	FUZZ_ASSERT(
		uart_16550_init(&l->uart, &(struct uart_16550_config){
						  .loop = &l->loop,
						  .out = &l->sink,
						  .in_fd = in[1],
						  .irq_fd = l->irq_fd}) == 0);
	l->uart.range.base = BASE;
	FUZZ_ASSERT(bus_add(&l->bus, &l->uart.range) == 0);
}

static void stop(struct line *l)
{
	int in_fd = l->uart.config.in_fd;

	check_bytes(l);
	bus_remove(&l->bus, &l->uart.range);
	uart_16550_fini(&l->uart);
	sink_fini(&l->sink);
	loop_fini(&l->loop);
	fuzz_close(in_fd);
	fuzz_close(l->irq_fd);
	fuzz_close(l->out);
	fuzz_close(l->in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	unsigned int n_fds = fuzz_count_fds();
	static struct line l;

	memset(&l, 0, sizeof(l));
	start(&l);
	while (fuzz_more(&in)) {
		uint8_t action = fuzz_u8(&in);

		if (action & 0x80)
			host(&l, &in, action);
		else
			access_register(&l, &in, action);
		check(&l);
	}
	stop(&l);
	FUZZ_ASSERT(fuzz_count_fds() == n_fds);
	return 0;
}
