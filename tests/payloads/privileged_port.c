/* Tries a vsock port below 1024, which it may not have. */
#include <avf/vm_payload.h>

#include <sys/socket.h>

#include <errno.h>
#include <linux/vm_sockets.h>

int AVmPayload_main(void)
{
	const struct sockaddr_vm address = {.svm_family = AF_VSOCK,
					    .svm_cid = VMADDR_CID_ANY,
					    .svm_port = 1023};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return 1;
	return errno == EACCES ? 0 : 2;
}
