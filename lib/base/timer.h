/* One-shot timers on the loop. */
#pragma once

#include <stdint.h>

#include "base/loop.h"

struct timer {
	struct loop_source source;
	struct loop *loop; /* borrowed */
	int fd;            /* owned */
	void (*expired)(void *userdata);
	void *userdata; /* borrowed */
};

int timer_init(struct timer *timer, struct loop *loop,
	       void (*expired)(void *userdata), void *userdata) MUST_CHECK;
void timer_fini(struct timer *timer);

/** Fire once in @ms milliseconds from now; 0 disarms. */
void timer_set(struct timer *timer, uint32_t ms);
