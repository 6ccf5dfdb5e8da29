#include "serve.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int read_full(int fd, void *data, size_t size)
{
	char *p = data;
	ssize_t n;

	for (; size > 0; p += n, size -= (size_t)n) {
		do {
			n = read(fd, p, size);
		} while (n < 0 && errno == EINTR);
		if (n <= 0)
			return -1;
	}
	return 0;
}

int write_full(int fd, const void *data, size_t size)
{
	const char *p = data;
	ssize_t n;

	for (; size > 0; p += n, size -= (size_t)n) {
		do {
			n = send(fd, p, size, MSG_NOSIGNAL);
		} while (n < 0 && errno == EINTR);
		if (n <= 0)
			return -1;
	}
	return 0;
}

static int carry_out(int fd, const struct serve_order *order, char *buf)
{
	uint64_t left = order->total;
	size_t n;

	for (; left > 0; left -= n) {
		n = left < order->chunk ? (size_t)left : order->chunk;
		if (order->what != SERVE_SOURCE && read_full(fd, buf, n) < 0)
			return -1;
		if (order->what != SERVE_SINK && write_full(fd, buf, n) < 0)
			return -1;
	}
	return order->what == SERVE_SINK ? write_full(fd, buf, 1) : 0;
}

void serve(int fd)
{
	char *buf = calloc(1, SERVE_MAX_CHUNK);
	struct serve_order order;

	while (buf && read_full(fd, &order, sizeof(order)) == 0) {
		if (order.chunk == 0 || order.chunk > SERVE_MAX_CHUNK ||
		    carry_out(fd, &order, buf) < 0)
			break;
	}
	free(buf);
}
