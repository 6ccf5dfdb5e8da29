/*
 * A 16550A serial port, as far as a guest's driver uses one: the console of
 * a guest that has nothing better yet.
 *
 * Output goes through a small ring to a sink. A vCPU never waits for the
 * host: when the reader is slower than the guest, bytes are dropped and
 * counted. Input is read from the host only when the FIFO has room for it.
 *
 * Thread rule: with the machine's lock held, like everything it calls.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "bus/bus.h"
#include "devices/sink.h"

#define UART_16550_PORTS   8
#define UART_16550_FIFO    16   /* bytes of input */
#define UART_16550_TX_RING 4096 /* bytes of output; a power of two */

struct uart_16550_config {
	struct loop *loop; /* borrowed */
	struct sink *out;  /* borrowed; its ready callback is ours */
	int in_fd;         /* borrowed, -1: no input */
	int irq_fd;        /* borrowed eventfd, one write per edge; -1: none */
	const struct log *log; /* borrowed, may be NULL */
};

struct uart_16550 {
	struct bus_range range; /* the owner sets @base and adds it */
	struct uart_16550_config config;
	/* Registers, by their usual names. */
	uint8_t ier, lcr, mcr, scr, dll, dlm;
	bool fifo_enabled;
	bool overrun;   /* LSR bit 1 */
	bool thre_irq;  /* THR became empty and the guest was not told */
	bool irq_level; /* what the interrupt line would be */
	uint8_t rx[UART_16550_FIFO];
	unsigned int rx_first, n_rx;
	struct loop_source in_source;
	bool in_ended;
	/* Output. */
	uint8_t tx[UART_16550_TX_RING];
	uint32_t tx_first, n_tx;
	uint64_t tx_dropped; /* bytes */
	int flush_fd;        /* owned eventfd: a vCPU left bytes in @tx */
	struct loop_source flush_source;
	struct log_budget log_budget;
};

/** Power-on state. @config is copied, what it points to is borrowed. */
int uart_16550_init(struct uart_16550 *uart,
		    const struct uart_16550_config *config) MUST_CHECK;

/** Write out what the sink takes now and stop. The range is off the bus. */
void uart_16550_fini(struct uart_16550 *uart);
