/* Connects to port 9000 of the host, sends a line, sends back what comes. */
#include <avf/vm_payload.h>

#include <sys/socket.h>

#include <linux/vm_sockets.h>
#include <stdio.h>
#include <unistd.h>

#define PORT 9000

int AVmPayload_main(void)
{
	const struct sockaddr_vm address = {.svm_family = AF_VSOCK,
					    .svm_cid = VMADDR_CID_HOST,
					    .svm_port = PORT};
	static const char greeting[] = "hello from the guest\n";
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);
	char buf[256];
	ssize_t n;

	/* the host listens when it has heard of us */
	AVmPayload_notifyPayloadReady();
	while (connect(fd, (const struct sockaddr *)&address, sizeof(address)) <
	       0) {
		(void)close(fd);
		(void)usleep(10000);
		fd = socket(AF_VSOCK, SOCK_STREAM, 0);
	}
	if (send(fd, greeting, sizeof(greeting) - 1, MSG_NOSIGNAL) < 0)
		return 1;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
			return 2;
	}
	(void)close(fd);
	return n == 0 ? 0 : 3;
}
