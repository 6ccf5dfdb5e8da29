/*
 * Keeps a secret in its memory: on vsock port 5680 it takes a number of eight
 * bytes, makes the secret of it and answers "kept"; when it is asked again, by
 * any byte, "whole" or "lost".
 */
#include <avf/vm_payload.h>

#include <sys/socket.h>

#include <linux/vm_sockets.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define PORT 5680
#define SIZE (16U * 4096U)

/* As in tests/pkvm/secret_vm.c. */
static unsigned char secret_byte(uint64_t seed, unsigned int i)
{
	return (unsigned char)((seed + i) * 2654435761U >> 13);
}

static int accept_one(void)
{
	const struct sockaddr_vm address = {.svm_family = AF_VSOCK,
					    .svm_cid = VMADDR_CID_ANY,
					    .svm_port = PORT};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 1) < 0)
		return -1;
	AVmPayload_notifyPayloadReady();
	return accept(fd, NULL, NULL);
}

int AVmPayload_main(void)
{
	volatile unsigned char *secret = malloc(SIZE);
	unsigned int whole = 1;
	uint64_t seed;
	char byte;
	int fd = accept_one();

	if (fd < 0 || !secret ||
	    recv(fd, &seed, sizeof(seed), MSG_WAITALL) != sizeof(seed))
		return 1;
	for (unsigned int i = 0; i < SIZE; i++)
		secret[i] = secret_byte(seed, i);
	(void)!write(fd, "kept\n", 5);
	if (read(fd, &byte, 1) != 1)
		return 0;
	for (unsigned int i = 0; i < SIZE; i++)
		whole &= secret[i] == secret_byte(seed, i);
	(void)!write(fd, whole ? "whole" : "lost\n", 5);
	(void)!read(fd, &byte, 1);
	return 0;
}
