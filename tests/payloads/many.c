/* Echoes on port 5678 for up to 256 connections at a time. */
#include <avf/vm_payload.h>

#include <sys/socket.h>

#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define PORT     5678
#define MAX_FDS  257
#define BUF_SIZE 4096

static struct pollfd fds[MAX_FDS];
static unsigned int n_fds;

static void take_connection(void)
{
	int fd = accept(fds[0].fd, NULL, NULL);

	if (fd < 0)
		return;
	if (n_fds == MAX_FDS) {
		(void)close(fd);
		return;
	}
	fds[n_fds++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void echo(unsigned int i)
{
	char buf[BUF_SIZE];
	ssize_t n = read(fds[i].fd, buf, sizeof(buf));

	if (n > 0 && send(fds[i].fd, buf, (size_t)n, MSG_NOSIGNAL) == n)
		return;
	(void)close(fds[i].fd);
	fds[i] = fds[--n_fds];
}

int AVmPayload_main(void)
{
	const struct sockaddr_vm address = {.svm_family = AF_VSOCK,
					    .svm_cid = VMADDR_CID_ANY,
					    .svm_port = PORT};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, MAX_FDS) < 0) {
		perror("listen");
		return 1;
	}
	fds[n_fds++] = (struct pollfd){.fd = fd, .events = POLLIN};
	AVmPayload_notifyPayloadReady();
	while (poll(fds, n_fds, -1) > 0) {
		/* from the end, because echo() moves the last one */
		for (unsigned int i = n_fds - 1; i > 0; i--) {
			if (fds[i].revents)
				echo(i);
		}
		if (fds[0].revents)
			take_connection();
	}
	return 2;
}
