/* The machine's serial line: a 16550 that writes where the console does. */
#pragma once

#include "devices/sink.h"
#include "devices/uart_16550.h"

struct machine;

struct machine_serial {
	struct bus *bus; /* borrowed; NULL: there is nothing to undo */
	struct sink out;
	struct uart_16550 uart;
	bool has_uart;
	int irq_fd; /* owned eventfd */
};

/**
 * Put it on @bus at @base, with wired interrupt @line. @serial is zeroed
 * memory, and must be freed also on failure.
 */
int machine_serial_init(struct machine_serial *serial, struct machine *m,
			struct bus *bus, uint64_t base,
			unsigned int line) MUST_CHECK;

/** No-op on zeroed memory. */
void machine_serial_fini(struct machine_serial *serial);
