/*
 * Bytes from one of QEMU's sockets to a sink, with one buffer between. A sink
 * that has no room stops the reading, QEMU's socket fills up, and the guest's
 * port blocks: nothing is lost and nothing grows.
 */
#include "qemu/relay.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/checked.h"
#include "base/fd.h"

static void set_events(struct relay *relay, uint32_t set, uint32_t clear)
{
	loop_modify(relay->loop, &relay->source,
		    (relay->source.events | set) & ~clear);
}

/* Told once. What is left in the buffer is gone, too. */
static void end(struct relay *relay)
{
	if (relay->fd < 0)
		return;
	loop_remove(relay->loop, &relay->source);
	fd_close(relay->fd);
	relay->fd = -1;
	if (relay->ended)
		relay->ended(relay->userdata);
}

/* Returns whether the buffer is empty. */
static bool flush(struct relay *relay)
{
	size_t n;

	while (relay->used > 0) {
		n = sink_write(relay->sink, relay->buffer + relay->first,
			       relay->used);
		if (n == 0)
			return false;
		relay->first += n;
		relay->used -= n;
	}
	relay->first = 0;
	return true;
}

static void receive(struct relay *relay)
{
	ssize_t n = recv(relay->fd, relay->buffer, sizeof(relay->buffer),
			 MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		relay->hung_up = true;
		return;
	}
	relay->spoke = true;
	relay->used = (size_t)n;
}

/* Read, write, and decide what to wait for. */
static void pump(struct relay *relay)
{
	if (relay->used == 0 && !relay->hung_up)
		receive(relay);
	if (!flush(relay)) {
		/* stop reading, so that QEMU waits for the sink */
		if (relay->hung_up)
			loop_remove(relay->loop, &relay->source);
		set_events(relay, 0, EPOLLIN);
		return;
	}
	if (relay->hung_up) {
		end(relay);
		return;
	}
	set_events(relay, EPOLLIN, 0);
}

static void on_ready(struct loop_source *source, uint32_t events)
{
	struct relay *relay = container_of(source, struct relay, source);

	if (events & EPOLLOUT) {
		set_events(relay, 0, EPOLLOUT);
		if (relay->writable)
			relay->writable(relay->userdata);
	}
	if (relay->used > 0 && (events & (EPOLLHUP | EPOLLERR))) {
		/*
		 * Reported for ever, while the sink is full: look away. What
		 * QEMU wrote before is still in the socket for later.
		 */
		loop_remove(relay->loop, &relay->source);
		return;
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		pump(relay);
}

int relay_init(struct relay *relay, int fd, struct loop *loop,
	       struct sink *sink)
{
	int rc;

	memset(relay, 0, sizeof(*relay));
	relay->fd = fd;
	relay->loop = loop;
	relay->sink = sink;
	rc = loop_add(loop, &relay->source, fd, EPOLLIN, on_ready);
	if (rc < 0) {
		fd_close(fd);
		relay->fd = -1;
		relay->loop = NULL;
	}
	return rc;
}

void relay_fini(struct relay *relay)
{
	if (!relay->loop)
		return;
	loop_remove(relay->loop, &relay->source);
	fd_close(relay->fd);
	relay->fd = -1;
	relay->loop = NULL;
}

/* From the sink: there is room again. */
void relay_resume(struct relay *relay)
{
	if (!relay->loop || relay->fd < 0 || relay->used == 0)
		return;
	if (relay->source.fd < 0 &&
	    loop_add(relay->loop, &relay->source, relay->fd, EPOLLIN,
		     on_ready) < 0) {
		end(relay); /* no memory for a watch: give the rest up */
		return;
	}
	pump(relay);
}

size_t relay_send(struct relay *relay, const void *data, size_t size)
{
	ssize_t n;

	if (!relay->loop || relay->fd < 0)
		return size; /* nobody is there any more: thrown away */
	n = send(relay->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return size;
	if (n < 0)
		n = 0;
	if ((size_t)n < size)
		set_events(relay, EPOLLOUT, 0);
	return (size_t)n;
}

bool relay_has_ended(const struct relay *relay)
{
	return !relay->loop || relay->fd < 0;
}
