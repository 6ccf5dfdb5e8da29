/*
 * What the guest under QEMU prints and is told: its consoles and ports,
 * carried between QEMU's sockets and the files of the configuration.
 *
 * ttyS0 and hvc0 are one console for the host: the output of both goes to
 * the same place, input goes to hvc0 once the guest has printed there.
 *
 * Thread rule: with the machine's lock held. Callbacks run on the loop.
 */
#pragma once

#include "qemu/relay.h"

enum qemu_port {
	QEMU_PORT_SERIAL,
	QEMU_PORT_CONSOLE,
	QEMU_PORT_LOG,
	QEMU_PORT_FAILURE,
	QEMU_N_PORTS,
};

#define QEMU_CONSOLE_INPUT 4096 /* bytes read ahead */

struct qemu_console_files {
	int console_out; /* duplicated; -1: nowhere */
	int console_in;  /* borrowed; -1: none */
	int log;         /* duplicated; -1: nowhere */
	int failure;     /* duplicated; -1: nowhere */
};

struct qemu_console {
	struct loop *loop; /* borrowed */
	struct sink console_sink, log_sink, failure_sink;
	struct relay relays[QEMU_N_PORTS];
	struct loop_source in_source;
	int in_fd; /* borrowed; -1: none, or it has ended */
	size_t in_first, in_used;
	char in[QEMU_CONSOLE_INPUT];
	/* All of QEMU's ends are closed and written out. May be NULL. */
	void (*ended)(void *userdata);
	void *userdata; /* borrowed */
};

/**
 * Start. @ret_peers are QEMU's ends, the caller's. On failure @console may
 * still be given to qemu_console_fini().
 */
int qemu_console_init(struct qemu_console *console,
		      const struct qemu_console_files *files, struct loop *loop,
		      int ret_peers[QEMU_N_PORTS]) MUST_CHECK;

/** Stop and close. No-op on a zeroed one. */
void qemu_console_fini(struct qemu_console *console);

/** Whether everything that QEMU wrote was carried over. */
bool qemu_console_has_ended(const struct qemu_console *console);
