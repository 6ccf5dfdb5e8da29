/*
 * A timerfd on a loop. Setting it again replaces the time; 0 ms disarms it, as
 * timerfd_settime(2) has it.
 */
#include "base/timer.h"

#include <stddef.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"

/*
 * A timer that was set again between its event and this call reads nothing:
 * then it has not expired.
 */
static void fired(struct loop_source *source, uint32_t events)
{
	struct timer *t = container_of(source, struct timer, source);
	uint64_t n;

	(void)events;
	if (read(t->fd, &n, sizeof(n)) > 0)
		t->expired(t->userdata);
}

int timer_init(struct timer *timer, struct loop *loop,
	       void (*expired)(void *userdata), void *userdata)
{
	timer->loop = loop;
	timer->expired = expired;
	timer->userdata = userdata;
	timer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (timer->fd < 0)
		return fail_errno("timerfd_create");
	return loop_add(loop, &timer->source, timer->fd, EPOLLIN, fired);
}

void timer_fini(struct timer *timer)
{
	loop_remove(timer->loop, &timer->source);
	fd_close(timer->fd);
	timer->fd = -1;
}

void timer_set(struct timer *timer, uint32_t ms)
{
	struct itimerspec when = {
		.it_value = {.tv_sec = ms / 1000,
			     .tv_nsec = (long)(ms % 1000) * 1000000},
	};

	/* fails only for a bad descriptor, which it is not */
	(void)timerfd_settime(timer->fd, 0, &when, NULL);
}
