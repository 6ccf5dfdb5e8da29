/* Sends each packet of bytes back in reverse, on a port above 2^31. */
#include <avf/vm_payload.h>

#include <sys/socket.h>

#include <linux/vm_sockets.h>
#include <stdio.h>
#include <unistd.h>

#define PORT 0x80000001U

static void serve(int fd)
{
	static char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n / 2; i++) {
			char c = buf[i];

			buf[i] = buf[n - 1 - i];
			buf[n - 1 - i] = c;
		}
		if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
			return;
	}
}

int AVmPayload_main(void)
{
	const struct sockaddr_vm address = {.svm_family = AF_VSOCK,
					    .svm_cid = VMADDR_CID_ANY,
					    .svm_port = PORT};
	int listen_fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (listen_fd < 0 ||
	    bind(listen_fd, (const struct sockaddr *)&address,
		 sizeof(address)) < 0 ||
	    listen(listen_fd, 16) < 0) {
		perror("listen");
		return 1;
	}
	AVmPayload_notifyPayloadReady();
	for (;;) {
		int fd = accept(listen_fd, NULL, NULL);

		if (fd < 0)
			return 2;
		serve(fd);
		(void)close(fd);
	}
}
