/*
 * Bytes between QEMU and a file of the host, through a socket pair.
 *
 * QEMU makes each fd that it inherits non-blocking, which would reach the
 * caller's own terminal or pipe, so it gets one end of a socket pair and the
 * bytes are carried over here. What the host does not take stays in the
 * socket; then QEMU, and with it the guest's writer, waits.
 *
 * Thread rule: with the machine's lock held. Callbacks run on the loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/loop.h"
#include "devices/sink.h"

#define RELAY_BUFFER 16384U /* bytes */

struct relay {
	int fd;            /* owned: our end; -1 when it has ended */
	struct loop *loop; /* borrowed */
	struct sink *sink; /* borrowed */
	struct loop_source source;
	/* QEMU's end is closed and all is written. May be NULL. */
	void (*ended)(void *userdata);
	/* Room for relay_send() again. May be NULL. */
	void (*writable)(void *userdata);
	void *userdata;     /* borrowed */
	bool hung_up;       /* QEMU's end is closed */
	bool spoke;         /* it has ever sent something */
	size_t first, used; /* what is in @buffer for the sink */
	char buffer[RELAY_BUFFER];
};

/** Carry from @fd (taken, also on failure) to @sink. The callbacks of a
 * zeroed @relay are set after it. */
int relay_init(struct relay *relay, int fd, struct loop *loop,
	       struct sink *sink) MUST_CHECK;

/** Stop and close. No-op on a relay that is zeroed or was never started. */
void relay_fini(struct relay *relay);

/** The sink has room again. */
void relay_resume(struct relay *relay);

/**
 * Send towards QEMU. Returns how many bytes were taken; when it is less than
 * @size, writable is called later, unless QEMU has closed its end.
 */
size_t relay_send(struct relay *relay, const void *data, size_t size);

/** Whether nothing more will come. */
bool relay_has_ended(const struct relay *relay);
