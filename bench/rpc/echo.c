#include "echo.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static bool take(int fd, void *bytes, size_t size)
{
	return recv(fd, bytes, size, MSG_WAITALL) == (ssize_t)size;
}

static bool give(int fd, const char *bytes, size_t size)
{
	for (ssize_t n; size > 0; bytes += n, size -= (size_t)n) {
		n = send(fd, bytes, size, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

static void *serve_one(void *arg)
{
	int fd = (int)(intptr_t)arg;
	struct echo_order order = {0};
	char *bytes = calloc(1, ECHO_MAX);

	if (bytes && take(fd, &order, sizeof(order)) &&
	    order.request <= ECHO_MAX && order.reply <= ECHO_MAX)
		while (take(fd, bytes, order.request) &&
		       give(fd, bytes, order.reply))
			;
	free(bytes);
	(void)close(fd);
	return NULL;
}

static void *accept_all(void *arg)
{
	int listen_fd = (int)(intptr_t)arg;
	pthread_t thread;
	int fd;

	while ((fd = accept(listen_fd, NULL, NULL)) >= 0) {
		if (pthread_create(&thread, NULL, serve_one,
				   (void *)(intptr_t)fd) != 0)
			(void)close(fd);
		else
			(void)pthread_detach(thread);
	}
	return NULL;
}

int echo_serve(int listen_fd)
{
	pthread_t thread;

	if (listen(listen_fd, 4) < 0 ||
	    pthread_create(&thread, NULL, accept_all,
			   (void *)(intptr_t)listen_fd) != 0)
		return -1;
	(void)pthread_detach(thread);
	return 0;
}
