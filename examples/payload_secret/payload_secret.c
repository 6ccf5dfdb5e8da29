/*
 * A payload with a secret: on vsock port 5679 it takes a word of small letters
 * and a newline, keeps the next letter of each in its memory, many times, and
 * says "kept". The host, which knows the word, knows what to look for.
 */
#include <avf/vm_payload.h>

#include <sys/socket.h>

#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT     5679
#define MAX_WORD 64
#define COPIES   1024

static int listen_on(unsigned int port)
{
	const struct sockaddr_vm address = {.svm_family = AF_VSOCK,
					    .svm_cid = VMADDR_CID_ANY,
					    .svm_port = port};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 1) < 0) {
		perror("listen");
		return -1;
	}
	return fd;
}

/* The secret is never sent, nor printed. */
static char *keep(const char *word, size_t n)
{
	char *secret = malloc(n * COPIES);

	for (size_t i = 0; secret && i < n * COPIES; i++)
		secret[i] = (char)(word[i % n] + 1);
	return secret;
}

int AVmPayload_main(void)
{
	char word[MAX_WORD];
	char *secret;
	int listen_fd = listen_on(PORT);
	int fd;
	ssize_t n;

	if (listen_fd < 0)
		return 1;
	AVmPayload_notifyPayloadReady();
	fd = accept(listen_fd, NULL, NULL);
	n = fd < 0 ? -1 : read(fd, word, sizeof(word));
	if (n < 2 || word[n - 1] != '\n')
		return 1;
	secret = keep(word, (size_t)n - 1);
	if (!secret || send(fd, "kept\n", 5, MSG_NOSIGNAL) != 5)
		return 1;
	/* until the host closes the connection */
	while (read(fd, word, sizeof(word)) > 0)
		continue;
	free(secret);
	return 0;
}
