/*
 * A payload that echoes what it gets on vsock port 5678, one connection
 * after the other. A first line "quit" ends it, and with it the VM.
 */
#include <avf/vm_payload.h>

#include <sys/socket.h>

#include <linux/vm_sockets.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ECHO_PORT 5678
#define QUIT      "quit\n"

static int listen_on(unsigned int port)
{
	const struct sockaddr_vm address = {.svm_family = AF_VSOCK,
					    .svm_cid = VMADDR_CID_ANY,
					    .svm_port = port};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 16) < 0) {
		perror("listen");
		return -1;
	}
	return fd;
}

static bool write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		data += n;
		size -= (size_t)n;
	}
	return true;
}

/* Until the peer has closed its side. Returns true when it said quit. */
static bool echo(int fd)
{
	static char buf[65536];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if ((size_t)n == strlen(QUIT) &&
		    memcmp(buf, QUIT, strlen(QUIT)) == 0)
			return true;
		if (!write_all(fd, buf, (size_t)n))
			break;
	}
	return false;
}

int AVmPayload_main(void)
{
	int listen_fd;
	bool quit = false;

	printf("echo: hello from the payload\n");
	fflush(stdout);
	listen_fd = listen_on(ECHO_PORT);
	if (listen_fd < 0)
		return 1;
	AVmPayload_notifyPayloadReady();
	while (!quit) {
		int fd = accept(listen_fd, NULL, NULL);

		if (fd < 0) {
			perror("accept");
			return 1;
		}
		quit = echo(fd);
		(void)close(fd);
	}
	(void)close(listen_fd);
	printf("echo: bye\n");
	return 0;
}
