/*
 * Where output of a guest goes that somebody else reads: a file, a pipe, a
 * terminal or a socket that the application gave. It is the application's open
 * file description, so O_NONBLOCK must not be set on it (others share the
 * flag). Instead each write is cut to what cannot block by the rules of its
 * kind. A sink never fails: when its reader is gone, bytes are discarded and
 * counted.
 */
#include "devices/sink.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"

/* Asked once: a descriptor does not change its kind. */
static enum sink_kind kind_of(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return SINK_DISCARD;
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
		return SINK_FILE;
	if (S_ISSOCK(st.st_mode))
		return SINK_SOCKET;
	return isatty(fd) ? SINK_TTY : SINK_PIPE;
}

void sink_init(struct sink *sink, int fd, struct loop *loop)
{
	memset(sink, 0, sizeof(*sink));
	sink->kind = kind_of(fd);
	sink->fd = fd;
	sink->loop = loop;
	sink->source.fd = -1;
}

void sink_on_ready(struct sink *sink, void (*ready)(void *userdata),
		   void *userdata)
{
	sink->ready = ready;
	sink->userdata = userdata;
}

void sink_fini(struct sink *sink)
{
	loop_remove(sink->loop, &sink->source);
	fd_close(sink->fd);
	sink->fd = -1;
	sink->kind = SINK_DISCARD;
	sink->ready = NULL;
}

/* Room again, or the reader is gone; the next write finds out which. */
static void on_event(struct loop_source *source, uint32_t events)
{
	struct sink *sink = container_of(source, struct sink, source);

	(void)events;
	loop_remove(sink->loop, &sink->source);
	if (sink->ready)
		sink->ready(sink->userdata);
}

/* Most bytes that one system call may write without waiting. */
static size_t chunk_size(const struct sink *sink)
{
	switch (sink->kind) {
	case SINK_TTY:
		/* a terminal promises room, but not how much */
		return 1;
	case SINK_PIPE:
		return PIPE_BUF; /* pipe(7): fits when POLLOUT is set */
	case SINK_DISCARD:
	case SINK_FILE:
	case SINK_SOCKET:
		break;
	}
	return SINK_MAX_WRITE;
}

/* As write(): bytes written, or -1 with EAGAIN when it would wait. */
static ssize_t write_chunk(const struct sink *sink, const char *data,
			   size_t size)
{
	struct pollfd p = {.fd = sink->fd, .events = POLLOUT};

	if (sink->kind == SINK_SOCKET)
		return send(sink->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sink->kind != SINK_FILE) {
		if (poll(&p, 1, 0) < 0)
			return -1;
		if (p.revents & (POLLERR | POLLNVAL)) {
			errno = EPIPE;
			return -1;
		}
		if (!(p.revents & POLLOUT)) {
			/* a terminal that hung up has no room ever again */
			errno = p.revents & POLLHUP ? EPIPE : EAGAIN;
			return -1;
		}
	}
	return write(sink->fd, data, size);
}

/* From here on everything is discarded, and the guest goes on. */
static void give_up(struct sink *sink)
{
	loop_remove(sink->loop, &sink->source);
	fd_close(sink->fd);
	sink->fd = -1;
	sink->kind = SINK_DISCARD;
}

/* Ask the loop for a call when there is room; done once per blockade. */
static int watch(struct sink *sink)
{
	if (sink->source.fd >= 0)
		return 0;
	return loop_add(sink->loop, &sink->source, sink->fd, EPOLLOUT,
			on_event);
}

size_t sink_write(struct sink *sink, const void *data, size_t size)
{
	const char *bytes = data;
	size_t done = 0;
	ssize_t n;

	size = MIN(size, SINK_MAX_WRITE);
	while (done < size && sink->kind != SINK_DISCARD) {
		n = write_chunk(sink, bytes + done,
				MIN(size - done, chunk_size(sink)));
		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EAGAIN && watch(sink) == 0)
			return done;
		else if (n < 0 && errno == EFAULT)
			break; /* memory of the guest's alone: dropped */
		else if (n == 0 || errno != EINTR)
			give_up(sink); /* also if nobody would tell of room */
	}
	sink->discarded += size - done;
	return size;
}
