#include "pump.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void pump_init(struct pump *pump, int in, int out)
{
	pump->in = in;
	pump->out = out;
	pump->ended = in < 0;
	pump->start = 0;
	pump->end = 0;
}

bool pump_is_full(const struct pump *pump)
{
	return pump->start < pump->end;
}

/* Either side alone: what was read goes out before more comes in, so a slow
 * reader slows the writer and nothing piles up. */
void pump_prepare(const struct pump *pump, struct pollfd *ret_poll)
{
	ret_poll->revents = 0;
	if (pump_is_full(pump)) {
		ret_poll->fd = pump->out;
		ret_poll->events = POLLOUT;
	} else {
		ret_poll->fd = pump->ended ? -1 : pump->in;
		ret_poll->events = POLLIN;
	}
}

void pump_fill(struct pump *pump)
{
	ssize_t n = read(pump->in, pump->buf, sizeof(pump->buf));

	if (n > 0) {
		pump->start = 0;
		pump->end = (size_t)n;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		pump->ended = true;
	}
}

void pump_flush(struct pump *pump)
{
	const char *data = pump->buf + pump->start;
	size_t size = pump->end - pump->start;
	ssize_t n = (ssize_t)size;

	if (pump->out >= 0) {
		/* a peer that has gone is no reason for a SIGPIPE */
		n = send(pump->out, data, size, MSG_NOSIGNAL);
		if (n < 0 && errno == ENOTSOCK)
			n = write(pump->out, data, size);
	}
	if (n >= 0) {
		pump->start += (size_t)n;
	} else if (errno != EAGAIN && errno != EINTR) {
		pump->out = -1;
		pump->start = pump->end;
	}
}

void pump_run(struct pump *pump, short revents)
{
	if (revents == 0)
		return;
	if (!pump_is_full(pump))
		pump_fill(pump);
	/* try at once only where it cannot block: see PUMP_SIZE */
	else
		pump_flush(pump);
	if (pump->out < 0)
		pump->start = pump->end;
}
