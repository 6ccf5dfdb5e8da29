/* Serves one connection after the other; see bench/serve.h. */
#include <avf/vm_payload.h>

#include <sys/socket.h>

#include <linux/vm_sockets.h>
#include <stdio.h>
#include <unistd.h>

#include "../serve.h"

int AVmPayload_main(void)
{
	const struct sockaddr_vm address = {.svm_family = AF_VSOCK,
					    .svm_cid = VMADDR_CID_ANY,
					    .svm_port = SERVE_PORT};
	int listen_fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (listen_fd < 0 ||
	    bind(listen_fd, (const struct sockaddr *)&address,
		 sizeof(address)) < 0 ||
	    listen(listen_fd, 4) < 0) {
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
